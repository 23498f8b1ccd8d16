"""What `make docs` makes from the code: mkdocs calls it (`hooks` in mkdocs.yml). It is in the site only.

`cards.md` has every profile and the commands of every application, from the tables that the cards themselves go by;
`api.md` has every public name of `vsc`, by module; `pictures.md` what `scripts/pictures.py` has made.
"""

import re
from collections.abc import Iterator
from typing import Any

from card_os.application import Application
from card_os.kernel import KERNEL
from scripts.pictures import MADE as PICTURES
from scripts.pictures import ROOT, STATES
from scripts.tables import command_table, row
from vsc.profiles import PROFILES

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]+\)")
MODULES = {
    "vsc": "The facade: cards, PINs, admin keys, challenges, events. With examples: [the guide](provisioning.md).",
    "vsc.errors": "What may be raised, by what can be done about it.",
    "vsc.testing": "Cards and readers for tests. With examples: [tests with pytest](testing.md).",
    "vsc.reader": "A slot for one card.",
    "vsc.pcsc": "A private PC/SC service. With its reasons: [the private service](pcsc.md).",
    "vsc.faults": "What can go wrong. With the grammar: [faults](faults.md).",
    "vsc.trace": "What went over the wire. With samples: [traces](traces.md).",
}


def _application(application: Application[Any, Any]) -> Iterator[str]:
    yield f"\n## {application.name}\n\nAID `{application.aid.hex().upper()}`.\n"
    yield command_table(sorted(application.table, key=lambda one: one[0]))


def cards() -> str:
    """Every profile, and the commands of every application."""
    lines = ["# Cards and their commands", "", "Read from the code when these pages were made.", ""]
    lines += [row("profile", "card", "applications", "ATR"), row(*["---"] * 4)]
    for name, profile in PROFILES.items():
        applications = ", ".join(application.name for application in profile.applications)
        lines.append(row(f"`{name}`", profile.title, applications, f"`{bytes(profile.atr).hex().upper()}`"))
    lines += ["", "## Commands of every card", ""]
    lines.append(command_table(KERNEL.items()))
    for application in PROFILES.applications:
        lines += _application(application)
    return "\n".join(lines) + "\n"


def api() -> str:
    """Every public name, for mkdocstrings."""
    lines = ["# Python: every name", ""]
    for module, words in MODULES.items():
        options = ["    options:", "      show_root_heading: false", "      heading_level: 3"]
        lines += [f"## `{module}`", "", words, "", f"::: {module}", *options, ""]
    return "\n".join(lines)


def pictures() -> str:
    """The page of a trace as it looks, in every state that `scripts/pictures.py` has made a picture of."""
    lines = ["# The page of a trace, in pictures", ""]
    made = sorted(PICTURES.glob("*-light.png"))
    if not made:
        lines.append("There was no browser when these pages were made: `vsc trace export` makes the page itself.")
    for name, (words, *_) in STATES.items():
        for tone in ("light", "dark") if (PICTURES / f"{name}-light.png").exists() else ():
            lines += [f"![{words}, {tone}](pictures/{name}-{tone}.png)", ""]
        lines += [f"{words}.", ""] * bool(made)
    return "\n".join(lines) + "\n"


GENERATED = {"cards.md": cards, "api.md": api, "pictures.md": pictures}


def on_config(config: Any) -> Any:
    """mkdocs: a page that the nav does not name stands under More: it is found, and nothing breaks for its sake."""
    named = str(config.nav)
    more = [page.name for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in named]
    config.nav += [{"More": more}] * bool(more)
    return config


def on_files(files: Any, config: Any) -> Any:
    """mkdocs: adds the pages that are made from the code."""
    from mkdocs.structure.files import File

    for name, make in GENERATED.items():
        files.append(File.generated(config, name, content=make()))
    there = {file.src_uri for file in files}
    for path in PICTURES.glob("*.png"):
        if f"pictures/{path.name}" not in there:
            files.append(File.generated(config, f"pictures/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """mkdocs: what is in the project but not in its docs (`../examples`) is named in the site, and no link."""
    return _OUTSIDE.sub(r"`\1`", markdown)

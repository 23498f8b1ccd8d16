"""The CI recipes run, step by step, as CI would run them: an ordinary user, a clean folder, an empty environment.

What needs the network is for the long run. Neither GitHub, GitLab nor a container engine is here; their part (checkout,
expressions, images) is played.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.interop.containerfile import build
from tests.interop.need import require_tool
from tests.interop.vsc_run import BIN, Vsc, ordinary_user

ROOT = Path(__file__).parents[2]
SOURCE = f"file://{ROOT}"
EXAMPLE = ROOT / "examples" / "login"
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
STEPS: list[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
INSTALL, RUN = (step["run"] for step in STEPS if "run" in step)
GITLAB: dict[str, Any] = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8"))[".vsc"]
PATH = "/usr/local/bin:/usr/bin:/bin"
MIRROR = "http://deb.debian.org/debian"


@pytest.fixture
def runner() -> Iterator[Vsc]:
    require_tool("opensc-tool")
    with ordinary_user(Vsc) as runner:
        yield runner


def shell(runner: Vsc, script: str, env: Mapping[str, str], *, code: int = 0) -> str:
    """Runs a script as GitHub's `shell: bash` does; returns stdout and stderr."""
    with runner.start("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script, **env) as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == code, out + err
    return out + err


def inputs(step: str, **values: str) -> dict[str, str]:
    """The variables of a step, empty where nothing is given."""
    (found,) = (one["env"] for one in STEPS if one.get("run") == step)
    return dict.fromkeys(found, "") | {f"VSC_ACTION_{name.upper()}": value for name, value in values.items()}


def run_step(runner: Vsc, *, code: int = 0, path: str = f"{BIN}:{PATH}", **values: str) -> str:
    return shell(runner, RUN, {"PATH": path, **inputs(RUN, **values)}, code=code)


# --- the action


def test_the_action_runs_a_command_with_a_fresh_card(runner: Vsc) -> None:
    assert "GIDS Smart Card" in run_step(runner, command="opensc-tool --name\necho done")
    assert "GIDS Smart Card" in run_step(runner, command="opensc-tool --name", profile="gids")


def test_the_action_fails_as_the_command_does_at_its_first_error(runner: Vsc) -> None:
    assert "not reached" not in run_step(runner, code=7, command='echo "a b" | (exit 7)\necho not reached')


def test_the_action_takes_cards_and_options_as_they_are_typed(runner: Vsc) -> None:
    for name in ("work", "my home"):
        runner("create", name, "--pin", "default")
    said = run_step(
        runner,
        command="opensc-tool --list-readers",
        card="work\nmy home\n",
        options='--reader "Left one" --trace "a b"',
    )
    assert "Left one" in said
    assert (runner.folder / "a b").exists()


@pytest.mark.long
def test_the_action_installs_itself_into_a_clean_folder(runner: Vsc) -> None:
    temp = runner.runtime
    files = {"RUNNER_TEMP": temp, "GITHUB_PATH": temp / "path", "GITHUB_OUTPUT": temp / "output"}
    words = inputs(INSTALL, path=str(ROOT), extras="pytest,pcsc", install="'pytest-xdist>=3'")
    env = {"PATH": PATH, **{name: str(path) for name, path in files.items()}, **words}
    shell(runner, INSTALL, env)
    path = (temp / "path").read_text().strip()
    assert sorted(os.listdir(path)) == ["vsc"]
    assert "GIDS Smart Card" in run_step(runner, path=f"{path}:{PATH}", command="opensc-tool --name")
    python = (temp / "output").read_text().strip().removeprefix("python=")
    # What a stranger has: a project of theirs, and the Python of the action.
    shutil.copytree(EXAMPLE, runner.folder / "login", ignore=shutil.ignore_patterns("__pycache__"))
    said = shell(runner, f"cd login\n{python} -m pytest -p vsc.testing.plugin -p no:cacheprovider -n 2", {})
    assert re.search(r"=+ \d+ passed in [^,]*=", said), said
    # A second time nothing is to be done, and so no network is needed.
    shell(runner, INSTALL, {**env, "PIP_NO_INDEX": "1"})
    assert (temp / "path").read_text().split() == [path, path]


# --- GitLab


def gitlab(runner: Vsc, script: str, **variables: str) -> str:
    """A job that extends `.vsc`: its scripts are one shell."""
    given = {**GITLAB["variables"], "VSC_VENV": str(runner.folder / "venv"), **variables}
    given = {name: Template(value).safe_substitute(given) for name, value in given.items()}  # GitLab expands them.
    return shell(runner, "\n".join([*GITLAB["before_script"], script]), given)


def test_the_gitlab_template_leaves_a_vsc_alone_that_is_there(runner: Vsc) -> None:
    said = gitlab(runner, "vsc run -- opensc-tool --name", PATH=f"{BIN}:{PATH}", VSC_PACKAGES="opensc")
    assert "GIDS Smart Card" in said
    assert not (runner.folder / "venv").exists()


@pytest.mark.long
def test_the_gitlab_template_installs_vsc(runner: Vsc) -> None:
    said = gitlab(runner, "command -v vsc\nvsc run -- opensc-tool --name", PATH=PATH, VSC=SOURCE)
    assert f"{runner.folder}/venv/path/vsc" in said
    assert "GIDS Smart Card" in said
    # A second job that finds the environment in its cache needs no network.
    assert "GIDS" in gitlab(runner, "vsc run -- opensc-tool -n", PATH=PATH, VSC=SOURCE, PIP_NO_INDEX="1")


# --- the page


@pytest.mark.long
def test_the_plain_steps_of_the_page(runner: Vsc) -> None:
    (script,) = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert script.count("/tmp/vsc") == 3
    script = script.replace("/tmp/vsc", f"{runner.folder}/venv")
    assert "GIDS Smart Card" in shell(runner, script, {"PATH": PATH, "VSC": SOURCE})


# --- the container


@pytest.mark.long
def test_the_container_from_a_bare_debian(tmp_path: Path) -> None:
    """Takes minutes: a Debian is made from the mirror, and the Containerfile's steps run in it."""
    if os.geteuid() != 0:
        pytest.skip("only root can make another Debian below a folder")
    if shutil.which("debootstrap") is None:
        pytest.skip("debootstrap is not installed")
    base = tmp_path / "base"
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", base, MIRROR],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(f"no Debian from {MIRROR}: {made.stdout[-200:]}")
    shutil.copy("/etc/resolv.conf", base / "etc" / "resolv.conf")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    if "PIP_CERT" in os.environ:  # Somebody stands between us and the index.
        shutil.copy(os.environ["PIP_CERT"], base / "ca.crt")
        env["PIP_CERT"] = "/ca.crt"
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    container = build(text, base=base, context=ROOT, work=tmp_path, env=env)
    who = container.run([*container.entry, "run", "--", "id", "--user", "--name"])
    assert (who.returncode, who.stdout) == (0, "card\n")
    signed = container.run([*container.entry, "run", "--", "pkcs11-tool", "--list-slots"])
    assert "GIDS card" in signed.stdout
    kept = container.run([*container.entry, "create", "work", "--pin", "default"])
    assert kept.returncode == 0, kept.stderr
    assert os.listdir(container.root / "var/lib/apt/lists") == []
    assert (container.root / "cards").stat().st_mode & 0o777 == 0o700
    for path in (base, container.root):
        shutil.rmtree(path)

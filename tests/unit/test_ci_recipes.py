"""action.yml, ci/gitlab.yml, Containerfile, docs/ci.md: they are what they should be. tests/interop runs them."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.interop.containerfile import instructions

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
GITLAB: dict[str, Any] = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8"))
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")

STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
SCRIPTS = {
    **{f"action: {step['name']}": step["run"] for step in STEPS if "run" in step},
    **{f"gitlab: {number}": script for number, script in enumerate(GITLAB[".vsc"]["before_script"])},
    **{f"container: {number}": one.value for number, one in enumerate(instructions(CONTAINER)) if one.name == "RUN"},
    **{f"page: {number}": script for number, script in enumerate(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL))},
}
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_is_bash_and_says_nothing_that_a_shell_would_not_understand(script: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    # What a person types into an input must not become a part of a script: it comes by the environment.
    assert "${{" not in script


def test_the_action_is_composite_and_every_step_says_its_shell() -> None:
    assert ACTION["runs"]["using"] == "composite"
    for step in STEPS:
        assert ("uses" in step) != ("run" in step)
        assert "uses" in step or step["shell"] == "bash"


def test_every_input_of_the_action_is_described_used_and_on_the_page() -> None:
    used = set(re.findall(r"inputs\.([a-z-]+)", str(STEPS)))
    assert used == set(ACTION["inputs"])
    for name, one in ACTION["inputs"].items():
        assert one["description"].endswith(".")
        assert one["default"] == ""
        assert f"| `{name}` |" in PAGE


def test_every_variable_of_a_step_is_given_to_it() -> None:
    for step in STEPS:
        wanted = set(re.findall(r"VSC_ACTION_[A-Z]+", step.get("run", "")))
        assert wanted == set(step.get("env", {}))


def test_nothing_is_pinned_to_a_download_host() -> None:
    for name in ("action.yml", "ci/gitlab.yml", "Containerfile"):
        assert not re.search(r"https?://|curl|wget", (ROOT / name).read_text(encoding="utf-8")), name


def test_the_container_is_that_of_an_ordinary_user_and_keeps_no_lists() -> None:
    steps = instructions(CONTAINER)
    last = steps[max(number for number, one in enumerate(steps) if one.name == "FROM") :]
    assert [one.value for one in last if one.name == "USER"] == ["card"]
    assert [one.value for one in last if one.name == "ENTRYPOINT"] == ['["vsc"]']
    for one in steps:
        assert ("apt-get install" in one.value) == ("rm -rf /var/lib/apt/lists/*" in one.value)
    assert all(one.value.startswith("debian:bookworm-slim") for one in steps if one.name == "FROM")


def test_the_container_copies_all_that_the_package_is_made_of() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    copied = {word for one in instructions(CONTAINER) if one.name == "COPY" for word in one.value.split()[:-1]}
    assert packages | {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"} <= copied


def test_the_yaml_of_the_page_is_yaml() -> None:
    assert len(BLOCKS) >= 3
    for block in BLOCKS:
        assert isinstance(yaml.safe_load(block), dict)


def test_what_the_page_says_to_the_action_it_understands() -> None:
    found = [step for block in BLOCKS for step in _steps(yaml.safe_load(block)) if "virtual-smart-card@" in str(step)]
    assert len(found) >= 3
    for step in found:
        assert set(step.get("with", {})) <= set(ACTION["inputs"])


def _steps(value: object) -> list[dict[str, Any]]:
    """All steps of a workflow, wherever they stand."""
    if isinstance(value, dict):
        return [*value.get("steps", []), *(step for one in value.values() for step in _steps(one))]
    return []

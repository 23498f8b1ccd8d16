"""A Containerfile without a container engine: its steps, run in Debian systems below a folder.

It knows the instructions that ours has, and no others. RUN goes through chroot in a mount namespace of its own, so
that what is mounted for it is gone with it.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

INSTRUCTIONS = {"FROM", "RUN", "COPY", "WORKDIR", "USER", "ENV", "ENTRYPOINT", "CMD"}

# What a container engine gives to a container, as far as our steps need it.
_IN_CHROOT = """
mount -t proc proc "$0/proc"
mount --bind /dev "$0/dev"
exec chroot "$0" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
"""


@dataclass(frozen=True, slots=True)
class Instruction:
    name: str
    value: str


def instructions(text: str) -> list[Instruction]:
    """Reads a Containerfile; ValueError for an instruction that is not known here."""
    lines = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", "").splitlines()
    found = [Instruction(*line.split(maxsplit=1)) for line in lines if line.strip()]
    for one in found:
        if one.name not in INSTRUCTIONS:
            raise ValueError(f"no {one.name} here")
    return found


@dataclass(slots=True)
class Stage:
    """A system below `root`, and what the instructions so far have set."""

    root: Path
    folder: str = "/"
    user: str = "root"
    env: dict[str, str] = field(default_factory=dict)
    entry: list[str] = field(default_factory=list)

    def run(self, command: Sequence[str], **env: str) -> subprocess.CompletedProcess[str]:
        """Runs a command as the user of the stage, in its folder."""
        words = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", "--", *command]
        home = {"HOME": f"/home/{self.user}"} if self.user != "root" else {}
        variables = [f"{name}={value}" for name, value in (home | self.env | env).items()]
        there = ["env", f"--chdir={self.folder}", *words]
        return subprocess.run(
            ["unshare", "--mount", "sh", "-euc", _IN_CHROOT, str(self.root), *variables, *there],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def path(self, name: str) -> Path:
        """Where a path of the stage is outside."""
        return self.root / os.path.join(self.folder, name).lstrip("/")


def build(text: str, *, base: Path, context: Path, work: Path, env: Mapping[str, str]) -> Stage:
    """Runs all steps; returns the last stage. base: the system that every FROM begins with; env: for RUN alone."""
    stages: dict[str, Stage] = {}
    stage = Stage(base)
    for one in instructions(text):
        words = shlex.split(one.value)
        match one.name:
            case "FROM":
                stage = Stage(work / f"stage{len(stages)}")
                stages[words[2] if len(words) == 3 else ""] = stage
                subprocess.run(["cp", "-a", base, stage.root], check=True)
            case "RUN":
                done = stage.run(["sh", "-c", one.value], **env)
                assert done.returncode == 0, f"{one.value}\n{done.stdout}\n{done.stderr}"
            case "COPY":
                _copy(words, stage, stages, context)
            case "WORKDIR":
                stage.folder = one.value
                stage.path("").mkdir(parents=True, exist_ok=True)
            case "USER":
                stage.user = one.value
            case "ENV":
                stage.env |= dict(word.split("=", 1) for word in words)
            case "ENTRYPOINT":
                stage.entry = [word.strip(' "') for word in one.value.strip("[]").split(",")]
    return stage


def _copy(words: list[str], stage: Stage, stages: Mapping[str, Stage], context: Path) -> None:
    origin = context
    if words[0].startswith("--from="):
        origin = stages[words.pop(0).removeprefix("--from=")].root
    *sources, target = words
    for name in sources:
        source, goal = origin / name.lstrip("/"), stage.path(target)
        if source.is_dir():
            shutil.copytree(source, goal, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            goal.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, goal)

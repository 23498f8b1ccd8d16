"""vsc.store.spare_memory: what the system and the groups of a process tell."""

from pathlib import Path

import pytest

from vsc.store.spare_memory import spare_memory

MIB = 2**20


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "meminfo").write_text("MemTotal:   8192000 kB\nMemAvailable:   2097152 kB\n")
    (tmp_path / "proc" / "self" / "cgroup").write_text("1:name=systemd:/x\n0::/user/session\n")
    return tmp_path / "proc"


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    (tmp_path / "cgroup" / "user" / "session").mkdir(parents=True)
    return tmp_path / "cgroup"


def limit(group: Path, most: str, used: int) -> None:
    (group / "memory.max").write_text(f"{most}\n")
    (group / "memory.current").write_text(f"{used}\n")


def test_what_the_system_has(proc: Path, groups: Path) -> None:
    assert spare_memory(proc, groups) == 2048 * MIB


def test_the_tightest_group_counts(proc: Path, groups: Path) -> None:
    limit(groups / "user" / "session", "max", 7 * MIB)
    limit(groups / "user", f"{300 * MIB}", 100 * MIB)
    limit(groups, f"{900 * MIB}", 100 * MIB)
    assert spare_memory(proc, groups) == 200 * MIB


def test_a_group_that_has_more_than_it_may(proc: Path, groups: Path) -> None:
    limit(groups / "user", f"{300 * MIB}", 301 * MIB)
    assert spare_memory(proc, groups) == 0


@pytest.mark.parametrize("content", ["", "nonsense", "MemFree: 1 kB"])
def test_nobody_tells(tmp_path: Path, content: str) -> None:
    (tmp_path / "meminfo").write_text(content)
    assert spare_memory(tmp_path, tmp_path) is None
    assert spare_memory(tmp_path / "none", tmp_path / "none") is None


def test_this_machine() -> None:
    assert spare_memory() is None or spare_memory() != 0

"""How much memory there is to be had: a key that needs more than that is not begun.

Linux promises memory that it does not have and kills somebody when it is used, so an allocation that succeeds says
nothing. What counts is what the system calls available, and what the groups that this process is in (cgroup v2, as
containers have them) may still take. Where neither is told, there is no limit that is known.
"""

from pathlib import Path

PROC, GROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def spare_memory(proc: Path = PROC, groups: Path = GROUPS) -> int | None:
    """Returns bytes; None if nobody tells. proc, groups: where procfs and cgroup2 are mounted."""
    known = [one for one in (_available(proc), _left_in_groups(proc, groups)) if one is not None]
    return min(known, default=None)


def _available(proc: Path) -> int | None:
    for line in _lines(proc / "meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _left_in_groups(proc: Path, groups: Path) -> int | None:
    own = next((line[3:] for line in _lines(proc / "self" / "cgroup") if line.startswith("0::")), None)
    if own is None:
        return None
    place = groups / own.lstrip("/")
    left = [one for folder in (place, *place.parents) if folder.is_relative_to(groups) for one in _left_in(folder)]
    return min(left, default=None)


def _left_in(group: Path) -> list[int]:
    most, used = _lines(group / "memory.max")[:1], _lines(group / "memory.current")[:1]
    if most and used and most[0].isdigit() and used[0].isdigit():
        return [max(int(most[0]) - int(used[0]), 0)]
    return []


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []

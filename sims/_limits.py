"""What this machine has left, asked before anything large is allocated."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from theory.core import InputError

GROUPS = Path("/sys/fs/cgroup")


def require_memory(field: str, needed: int, advice: str) -> None:
    """Raise `InputError` with the estimate where `needed` bytes are not available."""
    there = available_memory()
    if needed > there:
        raise InputError(field, f"{size(needed)} of memory", f"the {size(there)} free: {advice}")


def require_disk(field: str, needed: int, folder: Path, advice: str) -> None:
    """Raise `InputError` with the estimate where `needed` bytes do not fit beside what is there."""
    there = shutil.disk_usage(folder).free
    if needed > there:
        raise InputError(field, f"{size(needed)} of disk", f"the {size(there)} free: {advice}")


def size(count: int) -> str:
    """12.3 GiB, in three digits or so."""
    value, units = float(count), ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return f"{value:.4g} {units[0]}"


def available_memory() -> int:
    """Bytes this process may still use: the machine's, its control group's, its own limit's."""
    return max(0, min(_machine(), _group(), _own()))


def _machine() -> int:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _group() -> int:
    """What containers and batch systems leave: control groups of version 2, the innermost first."""
    least = 2**63
    try:
        line = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()[-1]
        inside = GROUPS / line.rpartition(":")[2].strip().lstrip("/")
        for folder in (inside, *inside.parents):
            if folder.is_relative_to(GROUPS) and (folder / "memory.max").is_file():
                least = min(least, _left(folder))
    except OSError:
        pass
    return least


def _left(folder: Path) -> int:
    limit, used, details = (
        (folder / f"memory.{name}").read_text(encoding="utf-8")
        for name in ("max", "current", "stat")
    )
    if limit.strip() == "max":
        return 2**63
    lines = dict(line.split() for line in details.splitlines())
    return int(limit) - int(used) + int(lines["inactive_file"])  # cached files make room


def _own() -> int:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return 2**63
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    return soft - pages * os.sysconf("SC_PAGE_SIZE")

"""How much memory a process may still take: of the machine, its group, or its device.

A container's limit is a control group's: what the machine has free says nothing of it.
"""

import os
import pathlib

import jax

_ROOT = pathlib.Path("/")


def free_bytes() -> int:
    """Of the accelerator, or of this machine where that is the device."""
    stats = jax.devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"] - stats["bytes_in_use"]
    return free_host_bytes()


def free_host_bytes(root: pathlib.Path = _ROOT) -> int:
    """The least of what the machine and each of the process's groups have left.

    What caches of files hold counts as free. Where the system tells nothing, half of
    the memory there is.

    Args:
      root: where `proc` and `sys` lie.

    Returns:
      Bytes, 0 or more.
    """
    known = [left for left in (_available(root), _group(root)) if left is not None]
    if known:
        return max(0, min(known))
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _available(root: pathlib.Path) -> int | None:
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _group(root: pathlib.Path) -> int | None:
    """The least that a control group and those around it leave, of either version."""
    left = []
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        names = controllers.split(",")
        if controllers == "":
            top, files = root / "sys/fs/cgroup", ("memory.max", "memory.current")
            cached = "inactive_file"
        elif "memory" in names:
            top = root / "sys/fs/cgroup/memory"
            files = ("memory.limit_in_bytes", "memory.usage_in_bytes")
            cached = "total_inactive_file"
        else:
            continue
        folder = top / path.lstrip("/")
        # Within a container its own group may be the top, whatever the path says.
        for level in (folder, *folder.parents):
            if not level.is_relative_to(top):
                break
            limit, used = (_number(level / name) for name in files)
            if limit is not None and used is not None:
                left.append(limit - used + _cached(level / "memory.stat", cached))
    return min(left, default=None)


def _number(file: pathlib.Path) -> int | None:
    """The number in a file; nothing where there is none, as in "max"."""
    words = " ".join(_lines(file)).split()
    return int(words[0]) if words and words[0].isdecimal() else None


def _cached(file: pathlib.Path, name: str) -> int:
    for line in _lines(file):
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _lines(file: pathlib.Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []

"""Where a result comes from: versions, commit, machine, time."""

import importlib.metadata
import os
import pathlib
import platform
import subprocess
import sys
import time
from typing import Any

import jax

PACKAGES = (
    "jaxsel",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "numpy",
    "chex",
    "ml-collections",
    "tensorflow-datasets",
    "scikit-learn",
)


def provenance() -> dict[str, Any]:
    """What ran, on what and when, as JSON-able values.

    Returns:
      versions of `PACKAGES`, `commit` (`None` outside a checkout, a trailing
      `+` when the tree is changed), `machine`, `devices`, `command`, `started`.
    """
    return {
        "command": [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]],
        "commit": commit(),
        "started": now(),
        "machine": {
            "platform": platform.platform(),
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count(),
        },
        "devices": [f"{d.platform}:{d.id} {d.device_kind}" for d in jax.devices()],
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in PACKAGES},
        },
    }


def now() -> str:
    """Local time with its zone, as ISO 8601 to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def commit() -> str | None:
    """The checkout's commit, with `+` when tracked files differ from it."""
    root = pathlib.Path(__file__).resolve().parents[2]

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return None


def _processor() -> str:
    info = pathlib.Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()

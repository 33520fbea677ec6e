"""What the machine can do, measured in the same run: its own float32 matrix rate."""

import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys
import time
from collections.abc import Callable

SIZE = 2048
ROWS, COLUMNS = 100_000, 256
PACKAGES = (
    "jaxsel",
    "jax",
    "jaxlib",
    "numpy",
    "scikit-learn",
    "scikit-activeml",
    "apricot-select",
    "coreax",
)


def best(call: Callable[[], object], times: int = 5) -> float:
    """Seconds of the fastest of several calls, after one to warm up."""
    call()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def numpy_rates() -> dict[str, float]:
    """Through NumPy's BLAS: GFLOP/s of a square product, GB/s of matrix times vector.

    The vector product reads its matrix once and does almost nothing with it, so it
    shows how fast memory is read.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    a = rng.standard_normal((SIZE, SIZE), np.float32)
    tall = rng.standard_normal((ROWS, COLUMNS), np.float32)
    vector = tall[0].copy()
    return {
        "numpy_gflops": 2 * SIZE**3 / best(lambda: a @ a) / 1e9,
        "numpy_gemv_gb_s": tall.nbytes / best(lambda: tall @ vector) / 1e9,
    }


def xla_rates() -> dict[str, float | str]:
    """Through XLA at precision "highest", and the device it ran on."""
    import jax
    import jax.numpy as jnp

    product = jax.jit(lambda a, b: jnp.dot(a, b, precision="highest"))
    a = jax.random.normal(jax.random.key(0), (SIZE, SIZE), jnp.float32)
    tall = jax.random.normal(jax.random.key(1), (ROWS, COLUMNS), jnp.float32)
    square = best(lambda: product(a, a).block_until_ready())
    vector = best(lambda: product(tall, tall[0]).block_until_ready())
    return {
        "xla_gflops": 2 * SIZE**3 / square / 1e9,
        "xla_gemv_gb_s": tall.nbytes / vector / 1e9,
        "device": jax.devices()[0].device_kind,
        "backend": jax.default_backend(),
    }


def processor() -> str:
    """The processor's name, where the system tells."""
    path = pathlib.Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """The short commit of this checkout, with "+" when files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=pathlib.Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "../jaxsel")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")


def versions() -> dict[str, str]:
    """Of what takes part and is installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "absent"
    return found


def describe() -> dict:
    """Everything a reader needs to compare these figures with their own."""
    return {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": versions(),
        **numpy_rates(),
        **xla_rates(),
    }


def describe_in_subprocess() -> dict:
    """`describe`, leaving this process without JAX and its threads."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.machine"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    print(json.dumps(describe()))

"""A pool through the feature store and the console, as a person takes it.

The rows are stored by the store's own code, in bfloat16. `select_from_disk` and
`jaxsel stream` read the folder from disk, `jaxsel select` holds it in memory: the norm
sampling of all three picks the same rows, or it is an error.

`python -m benchmarks.imagenet_store REQUEST.json RESPONSE.json` writes the store.
"""

import os
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np

from benchmarks import process
from benchmarks.worker import _resident

BUDGET = 1000
TIMEOUT_SECONDS = 900
SELECT = "from jaxsel.cli import main; main()"
PICK = """
import sys
import numpy as np
from jaxsel.streaming.api import select_from_disk
found = select_from_disk(sys.argv[1], int(sys.argv[2]), "norm", memory=sys.argv[3])
np.save(sys.argv[4], found.indices)
"""


def through(pool: pathlib.Path, memory: str, budget: int = BUDGET) -> dict:
    """Stores a pool and picks from the folder in three ways.

    Args:
      pool: a `.npy` file; the store is written beside it and deleted.
      memory: bound of what reads from disk.
      budget: picks.

    Returns:
      Seconds and largest resident MiB of the store's writer and the three programs,
      the first picks, and whether the picks were the same.
    """
    root = pool.parent / "store"
    stored = process.ask(
        sys.executable,
        "benchmarks.imagenet_store",
        {"pool": str(pool), "root": str(root)},
        pool.parent,
        TIMEOUT_SECONDS,
    )
    if "error" in stored:
        return {"stored": stored}
    folder, out = stored.pop("folder"), pool.parent
    common = [folder, "-b", str(budget), "-m", "norm"]
    stream = ["stream", *common, "--memory", memory, "-o", str(out / "streamed")]
    commands = {
        "select_from_disk": ["-c", PICK, folder, str(budget), memory, out / "own.npy"],
        "jaxsel stream": ["-c", SELECT, *stream],
        "jaxsel select": ["-c", SELECT, "select", *common, "-o", str(out / "selected")],
    }
    found = {name: _timed(arguments) for name, arguments in commands.items()}
    files = ("own.npy", "streamed/picks.npy", "selected/picks.npy")
    picks = [np.load(out / file) for file in files if (out / file).exists()]
    same = len(picks) == 3 and all(np.array_equal(picks[0], p) for p in picks[1:])
    first = [some[:5].tolist() for some in picks]
    return {
        "budget": budget,
        "stored": stored,
        **found,
        "first_picks": first,
        "same_picks": same,
    }


def _timed(arguments: list) -> dict:
    """A Python program: its seconds and largest resident size, or its last words."""
    began = time.perf_counter()
    command = [sys.executable, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(process.ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True
    ) as started:
        assert started.stdout is not None
        said = started.stdout.read()
        _, status, usage = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
    found = {
        "seconds": time.perf_counter() - began,
        "maxrss_mib": usage.ru_maxrss / 1024,
    }
    if started.returncode:
        found["error"] = (said.strip().splitlines() or ["no message"])[-1][:300]
    return found


def write(request: dict) -> dict:
    """Stores the rows of a `.npy` file by `jaxsel.features.store`, in bfloat16."""
    from jaxsel.features import store
    from jaxsel.features.dtypes import rounded

    packed = np.load(request["pool"], mmap_mode="r")
    rows = rounded(np.asarray(packed, np.float32), "bfloat16")
    ids = np.array([f"n{row:09d}.JPEG" for row in range(len(rows))])
    about = {"dataset": "imagenet2012", "split": "train", "encoder": "generated"}
    began = time.perf_counter()
    folder = store.save(
        pathlib.Path(request["root"]),
        store.Features(
            rows,
            ids,
            store.sha256_of_rows(rows),
            store.with_dtype(about, "bfloat16"),
        ),
    )
    return {
        "folder": str(folder),
        "seconds": time.perf_counter() - began,
        "bytes": os.path.getsize(folder / "features.npy"),
        "peak_mib": _resident("VmHWM") / 1024,
        "maxrss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def words(found: dict) -> str:
    """The result for people."""
    if "same_picks" not in found:
        return f"store: {found['stored']['error']}"
    stored = found["stored"]
    lines = [
        f"store: {stored['bytes'] / 1e9:.2f} GB written in {stored['seconds']:.1f} s, "
        f"peak {stored['peak_mib']:.0f} MiB"
    ]
    for name in ("select_from_disk", "jaxsel stream", "jaxsel select"):
        took = found[name]
        lines.append(
            f"  {name:18} {took.get('error', '')} {took['seconds']:6.1f} s  peak "
            f"{took['maxrss_mib']:6.0f} MiB"
        )
    same = "the same rows" if found["same_picks"] else "DIFFERENT ROWS"
    return "\n".join([*lines, f"  all three picked {same} by norm"])


if __name__ == "__main__":
    process.answer(write)

"""k-means against scikit-learn's: inertia over paired seeds, and time.

`python -m benchmarks.inertia [--quick]` prints one line of JSON a data set. Both sides
get the same rows, k, number of restarts, tolerance and iteration limit.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from benchmarks import pools

SEEDS = 12
# Pool, n, d, k.
SETS = (
    ("digits", 1_797, 64, 40),
    ("blobs", 10_000, 32, 50),
    ("heavy_tailed", 10_000, 64, 50),
    ("clustered", 5_000, 128, 50),
    ("clustered", 20_000, 128, 50),
    ("clustered", 10_000, 512, 50),
)


def compare(name: str, n: int, d: int, k: int, restarts: int) -> dict:
    """Mean inertia and median seconds of both on one data set."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from sklearn.cluster import KMeans

    from jaxsel.selection.kmeans import kmeans

    x = pools.make(name, n, d)
    rows = jnp.asarray(x)
    kmeans(jax.random.key(0), rows, k=k, n_init=restarts).inertia.block_until_ready()
    mine, theirs, my_time, their_time = [], [], [], []
    for seed in range(SEEDS):
        began = time.perf_counter()
        found = kmeans(jax.random.key(seed), rows, k=k, n_init=restarts)
        mine.append(float(found.inertia))
        my_time.append(time.perf_counter() - began)
        began = time.perf_counter()
        fit = KMeans(k, n_init=restarts, random_state=seed).fit(x)
        theirs.append(float(fit.inertia_))
        their_time.append(time.perf_counter() - began)
    return {
        "pool": name,
        "n": len(x),
        "d": x.shape[1],
        "k": k,
        "restarts": restarts,
        "seeds": SEEDS,
        "ratio": statistics.mean(mine) / statistics.mean(theirs),
        "spread": float(np.std(theirs) / np.mean(theirs)),
        "seconds": statistics.median(my_time),
        "scikit_learn_seconds": statistics.median(their_time),
    }


def in_subprocess(quick: bool) -> list[dict]:
    """All comparisons, run by a process of their own."""
    command = [sys.executable, "-m", "benchmarks.inertia"]
    done = subprocess.run(
        command + ["--quick"] * quick, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return [{"error": (done.stderr.strip().splitlines() or ["failed"])[-1]}]
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small sets only")
    quick = parser.parse_args().quick
    for name, n, d, k in SETS[:1] if quick else SETS:
        for restarts in (1,) if quick else (1, 4):
            if restarts == 1 or n * d < 700_000:
                print(json.dumps(compare(name, n, d, k, restarts)), flush=True)


if __name__ == "__main__":
    main()

"""ImageNet-1k's shape from disk: `python -m benchmarks.imagenet`.

1,281,167 rows of 384 numbers in float16, as DINO's ViT-S/16 gives them, are generated
block by block (1000 centres of equal shares) under `--folder`, and deleted afterwards.
Every method that reads its pool from disk picks from them in a process of its own under
`--memory` (of two stages the second sees few rows: no case of their own). One run of
6,000 picks holds those of 1,000 to 5,000 where a smaller budget is the start of a
larger; the seconds after which a pass found so many picks are under `reached`. A
selection is stopped after `--limit` seconds, which is an answer too. Seconds are of a
first call, compilation included. At last the pool goes through the feature store and
the console (`benchmarks.imagenet_store`). Writes JSON beside the results of
`benchmarks.scale`, prints the table.
"""

import argparse
import pathlib
import sys
import tempfile

from benchmarks import disk_pools, imagenet_store, machine, record, scale
from benchmarks.scale import Case

ROWS, COLUMNS, CLASSES = 1_281_167, 384, 1000
MARKS = (1000, 2000, 3000, 4000, 5000, 6000)
# Beside the selection's own limit, which a part without a pass does not look at.
GRACE_SECONDS = 120
# A pick of ProbCover looks at all candidates, so there are fewer than by default.
SAMPLE = {"reference": 16_384, "n_candidates": 16_384}
PICKS = (
    ("random", 6000, {}),
    ("norm", 6000, {}),
    ("probcover", 1000, SAMPLE),
    ("typiclust", 1000, {"max_clusters": 500}),
    ("k_center", 6000, {}),
    ("gram_schmidt", 6000, {}),
    ("gram_schmidt", 1000, {"deterministic": True}),
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--limit", type=float, default=360, help="seconds a selection")
    parser.add_argument("--out", type=pathlib.Path, default=scale.OUT)
    parser.add_argument("--only", action="append", help="names that begin so")
    parser.add_argument("--folder", type=pathlib.Path, help="where pools are written")
    parser.add_argument("--memory", default="2GiB", help="bound on each process")
    parser.add_argument("--no-store", action="store_true", help="streamed alone")
    parser.add_argument("--force", action="store_true", help="overwrite results")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    cases = [Case(m, options.rows, b, o, "float16") for m, b, o in PICKS]
    if options.only:
        cases = [c for c in cases if c.name.startswith(tuple(options.only))]
    described = machine.describe_in_subprocess()
    target = record.target(options, described, "-imagenet")
    report: dict = {
        "command": " ".join(["python -m benchmarks.imagenet", *sys.argv[1:]]),
        "machine": described,
        "memory": options.memory,
        "limit": options.limit,
        "d": COLUMNS,
        "cases": [],
    }
    print(scale.heading(described))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        pool = pathlib.Path(folder) / "imagenet.npy"
        disk_pools.write(pool, options.rows, COLUMNS, "float16", CLASSES, even=True)
        for case in cases:
            found = picked(case, pool, options.memory, options.limit)
            report["cases"].append({**case._asdict(), "name": case.name, **found})
            record.write(target, report)
            print(line(report["cases"][-1]), flush=True)
        if not options.no_store:
            report["store"] = imagenet_store.through(pool, options.memory)
            record.write(target, report)
            print(imagenet_store.words(report["store"]))
    print(f"\nwrote {target}")


def picked(case: Case, pool: pathlib.Path, memory: str, limit: float) -> dict:
    """A case, once, with the seconds after which 1,000, 2,000, … were picked."""
    marks = [mark for mark in MARKS if mark <= case.budget]
    return scale.run(
        case,
        pool,
        memory,
        timeout=limit + GRACE_SECONDS,
        repeat_below=0.001,
        marks=marks,
        limit=limit,
    )


def line(case: dict) -> str:
    """A case for people, with when it had how many picks."""
    reached = case.get("reached", {})
    marks = ", ".join(f"{int(m):,} by {s:.0f} s" for m, s in reached.items())
    return scale.line(case) + f"  {marks}" * bool(marks)


if __name__ == "__main__":
    main()

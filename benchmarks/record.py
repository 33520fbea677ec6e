"""The file of a benchmark's report: named for day and commit, never overwritten."""

import argparse
import json
import os
import pathlib
import sys


def target(
    options: argparse.Namespace, described: dict, kind: str = ""
) -> pathlib.Path:
    """The file for a report; ends the program where one is there already.

    Args:
      options: with `out`, `only`, `force` and perhaps `quick`.
      described: by `benchmarks.machine`.
      kind: what tells its name from those of other benchmarks in the folder.
    """
    stem = f"{described['time'][:10]}-{described['commit']}{kind}"
    stem += "-quick" * getattr(options, "quick", False)
    stem += "".join(f"-{o}" for o in options.only or ())
    path = options.out / f"{stem}.json"
    if path.exists() and not options.force:
        sys.exit(f"{path} exists: give --force to replace it, or another --out")
    return path


def write(path: pathlib.Path, report: dict) -> None:
    """Replaces the file in one step, so that a stopped run leaves whole cases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(report, indent=1))
    os.replace(beside, path)

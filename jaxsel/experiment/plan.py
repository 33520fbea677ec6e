"""The plan: every run of the study, and which runs share a compiled call.

A replicate's numbers can depend, in the last bits, on the shape of the call it is
computed in. So the chunks are fixed when a run is first planned, recorded in
`plan.json`, and kept: a study that was killed and resumed makes the same calls as one
that was not.
"""

import pathlib
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any, NamedTuple

from jaxsel.files import read_json, write_json


class Run(NamedTuple):
    """One training: a framework on what a method picked."""

    framework: str
    method: str
    budget: int
    seed: int


class Chunk(NamedTuple):
    """Runs that one call of one compiled program trains.

    Attributes:
      framework: of all its runs.
      width: number of replicates in the call; runs beyond the last are padding.
      runs: at most `width` of them.
    """

    framework: str
    width: int
    runs: tuple[Run, ...]


def all_runs(
    frameworks: Iterable[str],
    methods: Iterable[str],
    budgets: Iterable[int],
    seeds: Iterable[int],
) -> list[Run]:
    """The study's grid, seeds outermost, so that a part of it is already a comparison.

    Example:
      >>> len(all_runs(["linear_probe"], ["random", "norm"], [10, 20], [0, 1, 2]))
      12
    """
    return [
        Run(framework, method, budget, seed)
        for framework, seed, budget, method in product(
            frameworks, seeds, sorted(budgets), methods
        )
    ]


def extend_plan(
    recorded: list[Chunk],
    runs: list[Run],
    group: Callable[[Run], Any],
    width: Callable[[str], int],
) -> list[Chunk]:
    """Keeps the recorded chunks and packs new runs into new ones.

    Args:
      recorded: the chunks so far.
      runs: all runs of the study, in order.
      group: runs may share a chunk when this is equal (framework, static shapes).
      width: replicates in a call, by framework.

    Returns:
      The chunks, recorded ones first and unchanged.
    """
    planned = {run for chunk in recorded for run in chunk.runs}
    groups: dict[Any, list[Run]] = {}
    for run in runs:
        if run not in planned:
            groups.setdefault((run.framework, group(run)), []).append(run)
    fresh = [
        Chunk(framework, width(framework), tuple(part))
        for (framework, _), members in groups.items()
        for part in _slices(members, width(framework))
    ]
    return [*recorded, *fresh]


def read_plan(path: pathlib.Path) -> list[Chunk]:
    """The recorded chunks; none when the file is not there yet."""
    if not path.exists():
        return []
    return [
        Chunk(c["framework"], c["width"], tuple(Run(*run) for run in c["runs"]))
        for c in read_json(path)["chunks"]
    ]


def write_plan(path: pathlib.Path, chunks: list[Chunk]) -> None:
    """Records the chunks, whole or not at all."""
    write_json(path, {"chunks": [chunk._asdict() for chunk in chunks]})


def _slices(runs: list[Run], size: int) -> list[list[Run]]:
    return [runs[start : start + size] for start in range(0, len(runs), size)]

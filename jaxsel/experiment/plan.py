"""The plan: every run of the study, and which runs share a compiled call.

A replicate's numbers can depend, in the last bits, on the shape of the call it is
computed in. So the chunks are fixed when a run is first planned, recorded in
`plan.json`, and kept: a study that was killed and resumed makes the same calls as one
that was not.
"""

import pathlib
from collections.abc import Callable, Collection, Iterable, Sequence
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
    width: Callable[[str, int, int], int],
) -> list[Chunk]:
    """Keeps the recorded chunks and packs new runs into new ones.

    Args:
      recorded: the chunks so far.
      runs: all runs of the study, in order.
      group: runs may share a chunk when this is equal (framework, static shapes).
      width: replicates in a call, by framework, budget, and how many runs there are
        to pack.

    Returns:
      The chunks, recorded ones first and unchanged.
    """
    planned = {run for chunk in recorded for run in chunk.runs}
    groups: dict[Any, list[Run]] = {}
    for run in runs:
        if run not in planned:
            groups.setdefault((run.framework, group(run)), []).append(run)
    fresh: list[Chunk] = []
    for (framework, _), members in groups.items():
        wide = width(framework, members[0].budget, len(members))
        fresh += [Chunk(framework, wide, part) for part in _slices(members, wide)]
    return [*recorded, *fresh]


def halve(chunks: list[Chunk], failed: Chunk, finished: Collection[Run]) -> list[Chunk]:
    """The plan once a chunk has proved too wide for the device's memory.

    Its framework's unfinished chunks of its width, or wider, are cut into parts of
    half of it.

    Args:
      chunks: the plan.
      failed: one of them, of width 2 or more.
      finished: runs that have their rows.

    Returns:
      The plan, with as many chunks or more, in the same order of runs.
    """
    wide = failed.width // 2
    cut: list[Chunk] = []
    for chunk in chunks:
        kept = chunk.framework != failed.framework or chunk.width < failed.width
        if kept or all(run in finished for run in chunk.runs):
            cut.append(chunk)
        else:
            cut += [Chunk(chunk.framework, wide, p) for p in _slices(chunk.runs, wide)]
    return cut


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


def _slices(runs: Sequence[Run], size: int) -> list[tuple[Run, ...]]:
    return [tuple(runs[start : start + size]) for start in range(0, len(runs), size)]

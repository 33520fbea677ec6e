"""The plan: every run of the study, and which runs share a compiled call.

A replicate's numbers can depend, in the last bits, on the shape of the call it is
computed in. So the chunks are fixed when a run is first planned, recorded in
`plan.json` with their shapes, and kept: a study that was killed and resumed makes the
same calls as one that was not.
"""

import pathlib
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from jaxsel.experiment.grid import Run
from jaxsel.files import read_json, write_json


class Chunk(NamedTuple):
    """Runs that one call of one compiled program trains.

    Attributes:
      framework: of all its runs.
      width: number of replicates in the call; runs beyond the last are padding.
      together: how many of them go side by side: 1 for one after the other, `width`
        for all at once.
      runs: at most `width` of them.
    """

    framework: str
    width: int
    together: int
    runs: tuple[Run, ...]


def extend_plan(
    recorded: list[Chunk],
    runs: list[Run],
    group: Callable[[Run], Any],
    shape: Callable[[str, int, int], tuple[int, int]],
) -> list[Chunk]:
    """Keeps the recorded chunks and packs new runs into new ones.

    Args:
      recorded: the chunks so far.
      runs: all runs of the study, in order.
      group: runs may share a chunk when this is equal (framework, static shapes).
      shape: a call's width, and how many of its runs go side by side, by framework,
        budget, and how many runs there are to pack.

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
        width, together = shape(framework, members[0].budget, len(members))
        for start in range(0, len(members), width):
            part = tuple(members[start : start + width])
            fresh.append(Chunk(framework, width, together, part))
    return [*recorded, *fresh]


def halve(chunks: list[Chunk], failed: Chunk, finished: Collection[Run]) -> list[Chunk]:
    """The plan once a call has proved too large for the device's memory.

    Its framework's unfinished chunks with as many runs side by side, or more, get half
    as many. The calls hold the same runs as before.

    Args:
      chunks: the plan.
      failed: one of them, with 2 or more runs side by side.
      finished: runs that have their rows.

    Returns:
      The plan.
    """

    def cut(chunk: Chunk) -> Chunk:
        if (
            chunk.framework != failed.framework
            or chunk.together < failed.together
            or all(run in finished for run in chunk.runs)
        ):
            return chunk
        return chunk._replace(together=failed.together // 2)

    return [cut(chunk) for chunk in chunks]


def read_plan(path: pathlib.Path) -> list[Chunk]:
    """The recorded chunks; none when the file is not there yet."""
    if not path.exists():
        return []
    return [
        Chunk(
            c["framework"],
            c["width"],
            # Plans of before had all runs of a call side by side.
            c.get("together", c["width"]),
            tuple(Run(*run) for run in c["runs"]),
        )
        for c in read_json(path)["chunks"]
    ]


def write_plan(path: pathlib.Path, chunks: list[Chunk]) -> None:
    """Records the chunks, whole or not at all."""
    write_json(path, {"chunks": [chunk._asdict() for chunk in chunks]})

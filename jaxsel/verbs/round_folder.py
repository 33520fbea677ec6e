"""A round's folder: picks, the round, where it comes from; nothing lost in it."""

import io
import os
import pathlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxsel.annotation.picks import Pick, read_picks, write_picks
from jaxsel.annotation.rounds import Round, name_of, read_round, write_round
from jaxsel.errors import UserError
from jaxsel.files import replacing, write_json, write_text
from jaxsel.verbs.assignments import write_assignments
from jaxsel.verbs.explaining import Story, coverage_csv
from jaxsel.verbs.new_folder import (
    ASSIGNMENTS,
    COVERAGE,
    INDICES,
    MANIFEST,
    OURS,
    PICKS,
    REPORT,
    ROUND,
    check_new,
)

if TYPE_CHECKING:
    from jaxsel.verbs.growing import Growth

__all__ = [
    "ASSIGNMENTS", "COVERAGE", "INDICES", "MANIFEST", "OURS", "PICKS", "REPORT",
    "ROUND", "Earlier", "check_new", "next_folder", "picks_file", "read_folder",
    "write_folder",
]  # fmt: skip


class Earlier(NamedTuple):
    """A round that was written before.

    Attributes:
      round: what it was.
      picks: by rank, unusable ones among them.
      labelled: rows that had labels when it was made, besides picks.
      unusable: rows never to be picked, picks among them.
      folder: where it was read from.
      name: `name_of` the round as it was written.
      growth: how the pool has changed since, where rows were renumbered.
    """

    round: Round
    picks: tuple[Pick, ...]
    labelled: frozenset[int]
    unusable: frozenset[int]
    folder: pathlib.Path | None = None
    name: str = ""
    growth: "Growth | None" = None


def write_folder(
    folder: pathlib.Path,
    story: Story,
    one: Round,
    manifest: dict[str, Any],
    ids: np.ndarray,
    report: str,
    content: np.ndarray,
) -> None:
    """Writes a round; each file whole or not at all, the round itself last.

    Args:
      folder: as `check_new` left it.
      story: of the picks.
      one: the round.
      manifest: what else is known; the round and its name are added.
      ids: str `[n]`, of the pool.
      report: the page.
      content: str `[n]`, a hash of each row of the pool.
    """
    # Without a round the folder is not one, should this be stopped half-way.
    (folder / ROUND).unlink(missing_ok=True)
    write_picks(folder / PICKS, story.picks)
    buffer = io.BytesIO()
    np.save(buffer, np.array([pick.index for pick in story.picks], np.int64))
    with replacing(folder / INDICES) as part:
        part.write_bytes(buffer.getvalue())
    with replacing(folder / ASSIGNMENTS) as part:
        write_assignments(part, ids, story.usable, story.seen, content)
    write_text(folder / COVERAGE, coverage_csv(story.coverage))
    write_text(folder / REPORT, report)
    told = {"name": name_of(one), "round": one._asdict()}
    write_json(folder / MANIFEST, {**manifest, **told})
    write_round(folder / ROUND, one)


def read_folder(folder: pathlib.Path) -> Earlier:
    """Reads what `write_folder` wrote.

    Raises:
      UserError: files are missing or damaged.
    """
    if not (folder / ROUND).is_file():
        found = f"none in {folder}" if folder.is_dir() else f"no folder at {folder}"
        raise UserError(
            f"expected the folder of an earlier round, with {ROUND}, found {found}: "
            "give the folder that jaxsel select wrote"
        )
    picks_file(folder)
    one = read_round(folder / ROUND)
    try:
        labelled = frozenset(map(int, one.options["labelled"]))
        unusable = frozenset(map(int, one.options["unusable"]))
        one.options["encoder"]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / ROUND}: expected a round of jaxsel select, found its options "
            f"without {error}; restore the file"
        ) from error
    picks = tuple(read_picks(folder / PICKS))
    return Earlier(one, picks, labelled, unusable, folder, name_of(one))


def picks_file(place: str | os.PathLike[str]) -> pathlib.Path:
    """The picks.csv that a round's folder, or a path to the file itself, stands for.

    Raises:
      UserError: nothing is there, or a folder without picks.
    """
    path = pathlib.Path(place)
    file = path / PICKS if path.is_dir() else path
    if not file.exists():
        found = f"no {PICKS} in it" if path.is_dir() else "nothing there"
        raise UserError(
            f"expected a round's folder or its {PICKS} at {path}, found {found}: give "
            "the folder that jaxsel select wrote"
        )
    return file


def next_folder(folder: pathlib.Path) -> pathlib.Path:
    """The first of FOLDER-2, FOLDER-3, … that is not there."""
    number = 2
    while (found := folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    return found

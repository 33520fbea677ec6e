"""`picks.csv`: what to annotate, in the order of the choice, and how much each says."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jaxsel.annotation.tables import (
    MaybeEmpty,
    parse_table,
    refuse_repeats,
    table_text,
    text_of,
)
from jaxsel.errors import UserError, quoted
from jaxsel.files import write_text


class Pick(NamedTuple):
    """One row of the pool that was chosen.

    Attributes:
      rank: 1 for the first pick.
      id: its name in the pool, unique.
      path: where its image lies, as the pool gave it; empty where there is none.
      index: its row of the pool, from 0.
      gain: what it added when it was picked, in the method's own measure; `None` where
        the method has none.
      represents: the rows of the pool that it stands for, itself among them.
    """

    rank: int
    id: str
    path: MaybeEmpty
    index: int  # type: ignore[assignment]  # hides tuple.index
    gain: float | None
    represents: int


class PlacedPick(NamedTuple):
    """A pick of a pool of files, with where it lies: the last two columns of the file.

    Attributes:
      rank, id, path, index, gain, represents: as of `Pick`.
      file: the file that holds the row.
      row: its place in that file, from 0.
    """

    rank: int
    id: str
    path: MaybeEmpty
    index: int  # type: ignore[assignment]  # hides tuple.index
    gain: float | None
    represents: int
    file: str
    row: int


COLUMNS: tuple[str, ...] = Pick._fields
UNIQUE = ("rank", "id", "index")


def check_picks(lines: Sequence[tuple[int, Pick]], source: str) -> None:
    """Picks are within their ranges and no two share a rank, an id or an index.

    Args:
      lines: a line number and a pick each.
      source: what to call them in a message.

    Raises:
      UserError: the first that is not, by its line.
    """
    for line, pick in lines:
        checks = (
            ("rank", pick.rank >= 1, "at least 1"),
            ("id", bool(pick.id), "text"),
            ("index", pick.index >= 0, "at least 0"),
            ("gain", math.isfinite(pick.gain or 0.0), "a finite number or nothing"),
            ("represents", pick.represents >= 0, "at least 0"),
        )
        for column, holds, wanted in checks:
            if not holds:
                raise UserError(
                    f"{source}, line {line}: expected {column} {wanted}, found "
                    f"{quoted(getattr(pick, column))}; mend or delete the line"
                )
    refuse_repeats(lines, UNIQUE, source)


def picks_text(picks: Sequence[Pick]) -> str:
    r"""Picks as the text of `picks.csv`.

    Args:
      picks: in any order; written by rank.

    Raises:
      UserError: as `check_picks`.

    Example:
      >>> print(picks_text([Pick(1, "=a,b", "in/=a,b", 7, 0.5, 12)]), end="")
      rank,id,path,index,gain,represents
      1,"'=a,b","in/=a,b",7,0.5,12
    """
    ordered = sorted(picks, key=lambda pick: pick.rank)
    check_picks(list(enumerate(ordered, start=2)), "picks")
    return table_text(Pick, ordered)


def parse_picks(text: str, source: str) -> list[Pick]:
    """Picks out of the text of `picks.csv`, by rank; a file and a row are left aside.

    Args:
      text: as `picks_text` writes it.
      source: what to call the file in a message.

    Raises:
      UserError: a header, a line or a cell that is wrong, or a rank, an id or an index
        that stands there twice; the file and the line are named.
    """
    header = text.partition("\n")[0].strip().replace('"', "")
    placed = header == ",".join(PlacedPick._fields)
    lines = parse_table(text, PlacedPick if placed else Pick, source)
    lines = [(line, Pick(*pick[: len(COLUMNS)])) for line, pick in lines]
    check_picks(lines, source)
    return sorted((pick for _, pick in lines), key=lambda pick: pick.rank)


def read_picks(path: Path) -> list[Pick]:
    """Reads `picks.csv`.

    Raises:
      UserError: the file cannot be read, or as `parse_picks`.
    """
    return parse_picks(text_of(path, "picks"), str(path))


def write_picks(path: Path, picks: Sequence[Pick]) -> None:
    """Replaces `picks.csv`, whole or not at all.

    Raises:
      UserError: as `check_picks`.
    """
    write_text(path, picks_text(picks))


def write_placed(
    path: Path, picks: Sequence[Pick], places: Sequence[tuple[str, int]]
) -> None:
    """Replaces `picks.csv` by one that names the file and the row of each pick.

    Args:
      path: the file to write.
      picks: as for `picks_text`.
      places: the file of each pick and its row there.

    Raises:
      UserError: as `check_picks`.
    """
    check_picks(list(enumerate(picks, start=2)), "picks")
    rows = [PlacedPick(*one, *place) for one, place in zip(picks, places, strict=True)]
    write_text(path, table_text(PlacedPick, sorted(rows)))


def extended(picks: Sequence[Pick], more: Sequence[Pick]) -> list[Pick]:
    """Picks with others behind them: ranks go on where the first ones end.

    Args:
      picks: what was picked earlier; kept as it is.
      more: what was picked after that; ranked anew, in their own order.

    Raises:
      UserError: an id or an index of `more` was picked earlier.

    Example:
      >>> first, second = Pick(1, "a", "", 3, None, 9), Pick(1, "b", "", 5, None, 4)
      >>> [pick.rank for pick in extended([first], [second])]
      [1, 2]
    """
    last = max((pick.rank for pick in picks), default=0)
    order = sorted(more, key=lambda pick: pick.rank)
    behind = [pick._replace(rank=last + k) for k, pick in enumerate(order, start=1)]
    together = sorted(picks, key=lambda pick: pick.rank) + behind
    check_picks(list(enumerate(together, start=2)), "picks")
    return together

"""CSV: a table with a column to fill in; any table with ids and labels read back."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jaxsel.annotation.labels import Label, label_of
from jaxsel.annotation.names import matched
from jaxsel.annotation.options import ExportOptions, ImportOptions
from jaxsel.annotation.picks import Pick, check_picks
from jaxsel.annotation.tables import MaybeEmpty, records, table_text, text_of
from jaxsel.errors import UserError

FILE = "to-label.csv"


class Sheet(NamedTuple):
    """A pick and its label, which is empty until somebody writes it."""

    rank: int
    id: str
    path: MaybeEmpty
    index: int  # type: ignore[assignment]  # hides tuple.index
    gain: float | None
    represents: int
    label: MaybeEmpty


def export_csv(picks: Sequence[Pick], options: ExportOptions) -> dict[str, str]:
    """`to-label.csv`: the columns of `picks.csv` and an empty one, `label`.

    Args:
      picks: with or without paths.
      options: none is used.

    Returns:
      The text of each file by its name.

    Example:
      >>> files = export_csv([Pick(1, "a", "", 7, 0.5, 9)], ExportOptions())
      >>> print(files[FILE], end="")
      rank,id,path,index,gain,represents,label
      1,a,,7,0.5,9,
    """
    del options
    ordered = sorted(picks, key=lambda pick: pick.rank)
    check_picks(list(enumerate(ordered, start=2)), "picks")
    return {FILE: table_text(Sheet, [Sheet(*pick, "") for pick in ordered])}


def import_csv(
    path: Path, picks: Sequence[Pick], options: ImportOptions
) -> dict[str, Label]:
    """Labels out of a table with the columns `id` and `label`; others are not read.

    A row without a label is still open; one whose label is in `options.unusable` is
    unusable. Cells may be separated by commas, semicolons or tabs. An apostrophe before
    an id is the guard of the export (`cells.to_cell`); labels are taken as they stand.

    Args:
      path: the file; the export filled in, or a table of one's own.
      picks: what was exported.
      options: `unusable` is used.

    Returns:
      Labels by id of the pick.

    Raises:
      UserError: no such columns, a line of another length, ids that are no picks, or
        two labels for one that differ.
    """
    text = text_of(path, "labels")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    found = records(text, str(path), delimiter)
    header = found[0][1] if found else []
    if header.count("id") != 1 or header.count("label") != 1:
        raise UserError(
            f"{path}, line 1: expected the columns id and label once each, found "
            f"{', '.join(header) or 'nothing'}; name them in the first line"
        )
    at_id, at_label = header.index("id"), header.index("label")
    pairs = []
    for line, record in found[1:]:
        where = f"{path}, line {line}"
        if len(record) != len(header):
            raise UserError(
                f"{where}: expected {len(header)} cells, found {len(record)}; mend the "
                "line"
            )
        label = label_of([record[at_label].strip()], where, options.unusable)
        if label is not None:
            pairs.append((record[at_id].removeprefix("'"), label))
    return matched(pairs, picks, str(path))

"""CSV: a table with a column to fill in; any table with ids and labels read back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from jaxsel.annotation.answers import Answer, Answers
from jaxsel.annotation.options import ExportOptions, ImportOptions
from jaxsel.annotation.picks import Pick, check_picks
from jaxsel.annotation.tables import MaybeEmpty, table_of, table_text
from jaxsel.annotation.texts import text_of
from jaxsel.errors import UserError, listed

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


def read_csv(path: Path, options: ImportOptions) -> Answers:
    """What a table says: ids in a column, labels in another; others are not read.

    The ids stand in `jaxsel_id`, or else in `id`; the labels in `label`, or in the
    columns that `options.control` names. Capitals and blanks around a column's name do
    not matter. A row without a label is still open; one whose label is in
    `options.unusable` is unusable. Cells may be separated by commas, semicolons or
    tabs. An apostrophe before an id is the guard of the export (`cells.to_cell`);
    labels are taken as they stand.

    Args:
      path: the file; the export filled in, or a table of one's own.
      options: `control` is used.

    Returns:
      An answer for each row.

    Raises:
      UserError: no such columns, or a line of another length.
    """
    rows = table_of(text_of(path, "labels"), str(path))
    labels = options.controls or ("label",)
    return table_answers(rows, str(path), ("jaxsel_id", "id"), labels)


def table_answers(
    rows: Sequence[tuple[str, Mapping[str, str]]],
    source: str,
    ids: Sequence[str],
    labels: Sequence[str],
) -> Answers:
    """The answers that stand in columns of a table.

    Args:
      rows: as `tables.table_of` returns them.
      source: what to call the file in a message.
      ids: columns that may name the items; the first that is there does.
      labels: the columns with labels, all of which have to be there.

    Returns:
      An answer for each row.

    Raises:
      UserError: a column is missing.
    """
    if not rows:
        return Answers([], Counter())
    columns = {name.casefold(): name for name in rows[0][1]}
    at_id = next((columns[name] for name in ids if name in columns), None)
    at_labels = [
        name if name in rows[0][1] else columns.get(name.casefold()) for name in labels
    ]
    if at_id is None or None in at_labels:
        raise UserError(
            f"{source}, line 1: expected the columns {' or '.join(ids)} and "
            f"{', '.join(labels)} once each, found {listed(rows[0][1], most=20)}; name "
            "them in the first line, or give the column of the labels with --control"
        )
    given = [
        Answer(
            row[at_id].removeprefix("'"),
            tuple(row[name] for name in at_labels if name is not None),
            f"{source}, {where}",
        )
        for where, row in rows
    ]
    return Answers(given, Counter())

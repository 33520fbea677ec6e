"""CSV files of NamedTuples, written safely for spreadsheets and read strictly.

The columns are the fields of the row's type, in order. A `str` is written by
`cells.to_cell`, an `int` in digits, a `float` with every digit, `None` as nothing.
Text may not be empty where the type says `str`; where it says `MaybeEmpty` it may.
"""

import csv
import io
import math
import operator
import re
import types
import typing
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from jaxsel.annotation.cells import from_cell, to_cell
from jaxsel.annotation.texts import text_of
from jaxsel.errors import UserError, listed, quoted, shortened

__all__ = [
    "MaybeEmpty",
    "parse_table",
    "records",
    "refuse_repeats",
    "table_of",
    "table_text",
    "text_of",
]

MaybeEmpty = Annotated[str, "may be empty"]
_INTEGER = re.compile(r"-?[0-9]+")
_WANTED = {int: "an integer", float: "a finite number", str: "text"}


def table_text(row_type: Any, rows: Iterable[Any]) -> str:
    """Rows as CSV, the header first.

    Args:
      row_type: a NamedTuple class whose fields are `str`, `MaybeEmpty`, `int` or
        `float`, the latter two with or without `None`.
      rows: its instances.

    Returns:
      One line a row, each ended by a newline.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(row_type._fields)
    writer.writerows([_cell_of(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return to_cell(value)
    # Numbers of arrays are written like Python's own.
    if hasattr(value, "__index__"):
        return str(operator.index(value))
    return repr(float(value))


def records(text: str, source: str, delimiter: str = ",") -> list[tuple[int, list]]:
    """The records of a CSV text and the line that each ends on; blank lines are none.

    Raises:
      UserError: the text is no CSV; the line is named.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        return [(reader.line_num, record) for record in reader if record]
    except csv.Error as error:
        raise UserError(
            f"{source}, line {reader.line_num}: expected CSV, found {error}; "
            "mend or delete the line"
        ) from error


def table_of(text: str, source: str) -> list[tuple[str, dict[str, str]]]:
    r"""The rows of a CSV text of another program, by the names of its columns.

    Cells may be separated by commas, semicolons or tabs, as the first line has them; a
    line `sep=;` before it, which Excel writes, says so itself. Lines whose cells are
    all empty are none.

    Args:
      text: the file's text.
      source: what to call the file in a message.

    Returns:
      For every row, "line 7" and its cells.

    Raises:
      UserError: no column, two of one name, or a line of another length; the line is
        named.

    Example:
      >>> table_of("id;label\n7;cat\n", "f")
      [('line 2', {'id': '7', 'label': 'cat'})]
    """
    first, _, rest = text.partition("\n")
    delimiter = max(",;\t", key=first.count)
    skipped = 0
    if said := re.fullmatch(r'"?sep=(.)"?\s*', first, re.IGNORECASE):
        text, delimiter, skipped = rest, said[1], 1
    found = records(text, source, delimiter)
    header = [name.strip() for name in found[0][1]] if found else []
    twice = [name for name, count in Counter(header).items() if name and count > 1]
    if not any(header) or twice:
        raise UserError(
            f"{source}, line {1 + skipped}: expected columns of different names, found "
            f"{listed(twice) + ' twice' if twice else 'nothing'}; name each column once"
        )
    rows = []
    for line, record in found[1:]:
        if not any(cell.strip() for cell in record):
            continue
        where = f"line {line + skipped}"
        if len(record) != len(header):
            raise UserError(
                f"{source}, {where}: expected {len(header)} cells, found "
                f"{len(record)}; mend the line"
            )
        rows.append((where, dict(zip(header, record, strict=True))))
    return rows


def parse_table(text: str, row_type: Any, source: str) -> list[tuple[int, Any]]:
    """Rows of a CSV text as `table_text` writes it.

    Args:
      text: the file's text.
      row_type: as for `table_text`.
      source: what to call the file in a message.

    Returns:
      For every row, the line it stands on and the row.

    Raises:
      UserError: a wrong header, a wrong number of cells, or a cell that is not what its
        column holds; the file and the line are named.

    Example:
      >>> from typing import NamedTuple
      >>> Row = NamedTuple("Row", [("id", str), ("gain", float | None)])
      >>> parse_table(table_text(Row, [Row("=a", 0.5)]), Row, "f")
      [(2, Row(id='=a', gain=0.5))]
    """
    found = records(text, source)
    columns = list(row_type._fields)
    header = found[0][1] if found else []
    if header != columns:
        raise UserError(
            f"{source}, line 1: expected the header {','.join(columns)}, found "
            f"{shortened(','.join(header)) or 'nothing'}; is this another file?"
        )
    kinds = typing.get_type_hints(row_type, include_extras=True)
    rows = []
    for line, record in found[1:]:
        where = f"{source}, line {line}"
        if len(record) != len(columns):
            raise UserError(
                f"{where}: expected {len(columns)} cells, found {len(record)}; mend or "
                "delete the line"
            )
        cells = [
            _value_of(cell, kinds[name], f"{where}, column {name}")
            for name, cell in zip(columns, record, strict=True)
        ]
        rows.append((line, row_type(*cells)))
    return rows


def _value_of(cell: str, kind: Any, where: str) -> Any:
    """One cell as its type; Python's own leniency (" 7", "1_000") is refused."""
    if isinstance(kind, types.UnionType):
        if not cell:
            return None
        kind = typing.get_args(kind)[0]
    try:
        if kind is int and _INTEGER.fullmatch(cell):
            return int(cell)
        if kind is float and not set(cell) & set(" _") and math.isfinite(float(cell)):
            return float(cell)
        if kind == MaybeEmpty or (kind is str and cell):
            return from_cell(cell)
        problem = ""
    except ValueError as error:
        problem = "" if kind is float else f" ({error})"
    raise UserError(
        f"{where}: expected {_WANTED.get(kind, 'text')}, found "
        f"{quoted(cell)}{problem}; mend "
        "or delete the line"
    )


def refuse_repeats(
    rows: Sequence[tuple[int, Any]], columns: Iterable[str], source: str
) -> None:
    """Every row has its own value in each of these columns.

    Args:
      rows: lines and rows, as `parse_table` returns them.
      columns: names of fields.
      source: what to call the file in a message.

    Raises:
      UserError: two rows share a value; it and both lines are named.
    """
    for column in columns:
        seen: dict[Any, int] = {}
        for line, row in rows:
            value = getattr(row, column)
            first = seen.setdefault(value, line)
            if first != line:
                raise UserError(
                    f"{source}, line {line}: expected each {column} once, found "
                    f"{quoted(value)} on line {first} too; delete one of the two lines"
                )

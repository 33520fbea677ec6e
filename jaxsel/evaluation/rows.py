"""One finished run a row: the columns of `results.csv`, read strictly and written.

The file grows by one whole line as each run ends, so a killed job can leave a
last line without its newline; that line is not a result and is ignored. Every
other line must be right, or reading stops and names it.
"""

import csv
import io
import math
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from jaxsel.errors import UserError


class ResultRow(NamedTuple):
    """The outcome of one run: who chose how many labels, and how well it went."""

    dataset: str
    features: str  # what the selector saw
    framework: str  # how the labels were used
    method: str
    budget: int  # labels bought, at least 1
    seed: int
    accuracy: float  # a fraction of the test set, in [0, 1]
    distinct_classes: int  # classes with at least one label
    select_seconds: float
    train_seconds: float

    @property
    def key(self) -> tuple[str, str, str, str, int, int]:
        """What tells this run from every other (all but its outcomes)."""
        return self[:6]


COLUMNS: tuple[str, ...] = ResultRow._fields


def parse_rows(lines: Sequence[str], row_type: Any, source: str) -> list:
    """Parse complete CSV lines into NamedTuples of `row_type`, checking each.

    The columns are the fields of `row_type`, in order, and the types its
    annotations: `int`, `float` (finite) or `str` (not empty).

    Args:
      lines: complete lines, the header first, without their newlines.
      row_type: a NamedTuple class annotated with `int`, `float` and `str`.
      source: what to call the file in an error.

    Returns:
      One `row_type` a line below the header.

    Raises:
      UserError: a wrong header, a wrong number of cells, or a cell that does
        not parse; the line is named.

    >>> parse_rows(["x,y", "1,2.5"], NamedTuple("P", [("x", int), ("y", float)]), "f")
    [P(x=1, y=2.5)]
    """
    columns = row_type._fields
    types = row_type.__annotations__
    records = csv.reader(lines, strict=True)
    rows = []
    try:
        for record in records:
            where = f"{source}, line {records.line_num}"
            if records.line_num == 1:
                if tuple(record) != columns:
                    raise UserError(
                        f"{where}: expected the header {','.join(columns)}, found "
                        f"{','.join(record)}; was another version's file left here?"
                    )
                continue
            if len(record) != len(columns):
                raise UserError(
                    f"{where}: expected {len(columns)} cells, found {len(record)}; "
                    "mend or delete the line"
                )
            cells = [
                _parse_cell(text, types[name], f"{where}, column {name}")
                for name, text in zip(columns, record, strict=True)
            ]
            rows.append(row_type(*cells))
    except csv.Error as error:
        raise UserError(
            f"{source}, line {records.line_num}: expected CSV, found {error}; "
            "mend or delete the line"
        ) from error
    return rows


def _parse_cell(text: str, kind: type, where: str) -> int | float | str:
    """One cell as its type; empty text, NaN and infinity are errors."""
    try:
        value = kind(text)
    except ValueError:
        value = None
    # Python's own leniency (" 7", "1_000") is not what a job writes.
    unusable = value in (None, "") or (kind is not str and set(text) & set(" _"))
    if unusable or (isinstance(value, float) and not math.isfinite(value)):
        wanted = {int: "an integer", float: "a finite number", str: "text"}[kind]
        raise UserError(
            f"{where}: expected {wanted}, found {text!r}; mend or delete the line"
        )
    return value


def complete_lines(path: str | PathLike[str]) -> list[str]:
    """The lines of a file that end in a newline, without it.

    Raises:
      UserError: the file is missing or is not UTF-8 text.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: expected a readable UTF-8 CSV file, found {error}; "
            "give the workdir of a run"
        ) from error
    # Not `splitlines`: it would also split at separators inside a cell.
    return [line.removesuffix("\r") for line in text.split("\n")[:-1]]


def read_results(path: str | PathLike[str]) -> list[ResultRow]:
    """Read `results.csv`: every complete line, checked; no run may appear twice.

    Args:
      path: the file.

    Returns:
      The rows in file order; none when not even the header is complete.

    Raises:
      UserError: the file cannot be read, or a complete line is wrong.
    """
    rows = parse_rows(complete_lines(path), ResultRow, str(path))
    seen: set[tuple] = set()
    for number, row in enumerate(rows, start=2):
        _check_row(row, f"{path}, row {number}")
        if row.key in seen:
            raise UserError(
                f"{path}, row {number}: expected each run once, found {row.key} "
                "again; delete one of the two lines"
            )
        seen.add(row.key)
    return rows


def _check_row(row: ResultRow, where: str) -> None:
    """The ranges that the statistics rely on."""
    checks = (
        ("budget", row.budget >= 1, "at least 1"),
        ("seed", row.seed >= 0, "at least 0"),
        ("accuracy", 0.0 <= row.accuracy <= 1.0, "a fraction between 0 and 1"),
        ("distinct_classes", row.distinct_classes >= 0, "at least 0"),
        ("select_seconds", row.select_seconds >= 0, "at least 0"),
        ("train_seconds", row.train_seconds >= 0, "at least 0"),
    )
    for column, holds, wanted in checks:
        if not holds:
            raise UserError(
                f"{where}: expected {column} {wanted}, found {getattr(row, column)}; "
                "mend or delete the line"
            )


def csv_line(cells: Sequence[object]) -> str:
    r"""One CSV line with its newline; floats keep every digit.

    >>> csv_line(["a,b", 3, 0.1])
    '"a,b",3,0.1\n'
    """
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()

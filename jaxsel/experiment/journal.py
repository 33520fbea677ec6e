"""Journals: files of finished work that survive a kill between any two instructions.

`picks.jsonl` and `runs.jsonl` are the truth, one JSON object a line, appended whole.
`selections.csv` and `results.csv` are the same facts for people and other programs.
"""

import json
import pathlib
from collections.abc import Iterable
from typing import Any

from jaxsel.errors import UserError
from jaxsel.evaluation.rows import (
    COLUMNS,
    ResultRow,
    complete_lines,
    csv_line,
    read_results,
)
from jaxsel.files import append_lines, write_text

SELECTION_COLUMNS = ("method", "budget", "seed", "rank", "index", "id", "label")


def append(path: pathlib.Path, entries: Iterable[dict[str, Any]]) -> None:
    """Appends entries to a journal with one write."""
    append_lines(path, "".join(json.dumps(entry) + "\n" for entry in entries))


def read(path: pathlib.Path) -> list[dict[str, Any]]:
    """Reads a journal, without a last line that was never finished.

    Raises:
      UserError: a whole line does not parse: the file was changed by other hands.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(json.loads(line))
        except ValueError as error:
            raise UserError(
                f"expected a JSON object in line {number} of {path}, found damage "
                f"({error}): restore the file, or start in a new --workdir"
            ) from error
    return entries


def result_row(entry: dict[str, Any]) -> ResultRow:
    """The columns of `results.csv` out of a run's entry."""
    return ResultRow(**{name: entry[name] for name in COLUMNS})


def catch_up_results(path: pathlib.Path, runs: list[dict[str, Any]]) -> None:
    """Appends to `results.csv` the rows of finished runs that it does not hold yet.

    A kill can fall between the two appends of a run; the journal is ahead then, and the
    row is written from it instead of running again.

    Args:
      path: `results.csv`.
      runs: the entries of `runs.jsonl`, in order.

    Raises:
      UserError: the table holds a row that the journal does not.
    """
    if not path.exists() or not complete_lines(path):
        append_lines(path, csv_line(COLUMNS))
    known = {row.key for row in read_results(path)}
    rows = [result_row(entry) for entry in runs]
    strangers = known - {row.key for row in rows}
    if strangers:
        raise UserError(
            f"expected every row of {path} to stand in runs.jsonl beside it, found "
            f"{min(strangers)} only in the table: restore runs.jsonl, or start in a "
            "new --workdir"
        )
    missing = [row for row in rows if row.key not in known]
    if missing:
        append_lines(path, rows_text(missing))


def rows_text(rows: Iterable[ResultRow]) -> str:
    """Rows as CSV lines; accuracies to a millionth, times to a millisecond."""
    digits = {"accuracy": 6, "select_seconds": 3, "train_seconds": 3}
    return "".join(
        csv_line(
            [
                f"{cell:.{digits[name]}f}" if name in digits else cell
                for name, cell in row._asdict().items()
            ]
        )
        for row in rows
    )


def write_selections(
    path: pathlib.Path, picks: list[dict[str, Any]], ids: Any, labels: Any
) -> None:
    """Rewrites `selections.csv` from the picks.

    An initial labelled pool stands before the picks with ranks -p … -1.

    Args:
      path: the table.
      picks: entries of `picks.jsonl`, in plan order.
      ids: str `[n]`, ids of the whole training set.
      labels: int `[n]`, labels of the whole training set.
    """
    lines = [csv_line(SELECTION_COLUMNS)]
    for entry in picks:
        pool = entry["initial"]
        for place, index in enumerate([*pool, *entry["indices"]]):
            what = (entry["method"], entry["budget"], entry["seed"])
            rank = place - len(pool)
            lines.append(csv_line([*what, rank, index, ids[index], labels[index]]))
    write_text(path, "".join(lines))

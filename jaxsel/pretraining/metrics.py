"""What a training measured: one JSON object a line, none twice."""

import json
import pathlib
from typing import Any

from jaxsel.files import append_lines, write_text


def append_metrics(path: pathlib.Path, row: dict[str, Any]) -> None:
    """Adds a line and waits until the disk has it."""
    append_lines(path, json.dumps(row) + "\n")


def read_metrics(path: pathlib.Path) -> list[dict[str, Any]]:
    """The lines that were written whole, oldest first; none without a file."""
    if not path.exists():
        return []
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def drop_after(path: pathlib.Path, step: int) -> None:
    """Forgets lines beyond a step, which will be measured again."""
    rows = read_metrics(path)
    kept = [row for row in rows if row["step"] <= step]
    if len(kept) < len(rows):
        write_text(path, "".join(json.dumps(row) + "\n" for row in kept))

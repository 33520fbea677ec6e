"""Tasks of Label Studio in small, as its exports have them."""

import json
import pathlib
from typing import Any

BOX = {"x": 1.0, "y": 2.0, "width": 30.0, "height": 20.0, "rotation": 0}
SPAN = {"start": 0, "end": 3, "text": "the"}


def answer(kind: str, control: str = "c", **value: Any) -> dict[str, Any]:
    """One result of an annotation."""
    return {"id": "q", "type": kind, "from_name": control, "value": value}


def task(name: str, *annotations: list | None) -> dict[str, Any]:
    """A task with an annotation for each list of results; `None` was skipped."""
    return {
        "data": {"image": "x.png", "jaxsel_id": name},
        "annotations": [
            {"was_cancelled": results is None, "result": results or []}
            for results in annotations
        ],
        "predictions": [],
    }


def export_to(path: pathlib.Path, *tasks: dict[str, Any]) -> pathlib.Path:
    """A project's export as JSON."""
    path.write_text(json.dumps(tasks))
    return path

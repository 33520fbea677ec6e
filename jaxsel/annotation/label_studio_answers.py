"""Label Studio's exports read back: JSON, JSON-MIN, CSV and TSV.

What becomes a class, by the kind of result:

- `choices`: the choice. `taxonomy`: the path with slashes, `animal/cat`; so is a nested
  choice.
- `rating`, `number`: the number in digits, 4 and 4.0 alike. `pairwise`: left or right.
- `rectanglelabels`, `labels`, `timelinelabels` and everything else that ends so, for
  boxes, polygons, key points, brushes, spans of text or sound, frames of a video: the
  class of each region; `videorectangle`: the class of the track.
- `textarea`, `datetime`: the text, where no control gives classes or `control` asks.

What does not, and is counted: rankings, relations, outlines without a class, kinds that
are not known here, drafts, predictions of a model.

JSON-MIN, CSV and TSV have a row for each annotation and no kinds, and leave out what
was skipped. A column that the task came with looks like an answer there, so `control`
may be needed.

Sources: "Export annotations" and "Tags" (labelstud.io), and `converter/converter.py`,
`converter/utils.py` (`prettify_result`) and `converter/exports/csv2.py` of
label-studio-sdk 2.1.2, whose exports the tests have in small.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jaxsel.annotation.answers import Answers
from jaxsel.annotation.controls import Holds, Item, Result, answers_to, holding_label
from jaxsel.annotation.options import ImportOptions
from jaxsel.annotation.tables import table_of
from jaxsel.annotation.texts import parse_json, text_or_member
from jaxsel.annotation.values import name_of, text_of
from jaxsel.errors import UserError, listed, quoted

_WHAT = "tasks exported from Label Studio"
_KEY = {"textarea": "text", "pairwise": "selected", "videorectangle": "labels"}
_CLASSES = {"choices", "taxonomy", "rating", "number", "pairwise", "videorectangle"}
_TEXTS = {"textarea", "datetime"}
_REGIONS = {
    "rectangle", "polygon", "keypoint", "brush", "ellipse", "vector", "bitmask",
    "timeseries", "audio", "video", "magicwand",
}  # fmt: skip
# What a row of JSON-MIN or CSV has besides answers.
_OWN = {
    "id", "image", "annotator", "annotation_id", "created_at", "updated_at",
    "lead_time", "agreement", "history",
}  # fmt: skip


def read_label_studio(path: Path, options: ImportOptions) -> Answers:
    """What a project's export says.

    An item is unusable where its label is one of `options.unusable`, or where it was
    skipped and nobody labelled it. A task without an annotation, or with an empty one,
    is still open.

    Args:
      path: the export.
      options: `control` is used, a `name` of the labelling interface.

    Returns:
      An answer for each annotation.

    Raises:
      UserError: another format, no task with a `jaxsel_id`, a control that no task has,
        or several controls and none named.
    """
    text = text_or_member(path, _WHAT, (".json", ".csv", ".tsv"))
    if text.lstrip()[:1] not in ("[", "{"):
        return _flat(table_of(text, str(path)), path, options)
    tasks = parse_json(text, path, _WHAT)
    if not isinstance(tasks, list) or not all(isinstance(one, dict) for one in tasks):
        raise UserError(
            f"{path}: expected a list of tasks, found {quoted(tasks)}; export as JSON"
        )
    if tasks and not any("data" in one for one in tasks):
        rows = [(f"task {number}", one) for number, one in enumerate(tasks, start=1)]
        return _flat(rows, path, options)
    items: list[Item] = []
    left_out: Counter[str] = Counter()
    named = 0
    for number, task in enumerate(tasks, start=1):
        where = f"{path}, task {number}"
        data = task.get("data")
        name = name_of(data.get("jaxsel_id")) if isinstance(data, dict) else None
        if name is None:
            left_out["task without data.jaxsel_id"] += 1
            continue
        named += 1
        left_out["prediction of a model"] += _length(task.get("predictions"))
        left_out["draft that was not submitted"] += _length(task.get("drafts"))
        items += _annotations(task, name, where)
    if tasks and not named:
        raise _nameless(path)
    given, more = answers_to(items, options, str(path))
    return Answers(given, left_out + more)


def _nameless(path: Path) -> UserError:
    return UserError(
        f"{path}: expected tasks with a jaxsel_id, found none; export as JSON a "
        "project made from label-studio.json"
    )


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _annotations(task: dict[str, Any], name: str, where: str) -> Iterable[Item]:
    found = task.get("annotations", task.get("completions"))
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UserError(
            f"{where}: expected data.jaxsel_id and a list of annotations, found "
            f"{quoted(found)}; export as JSON a project made from label-studio.json"
        )
    for one in found:
        results = one.get("result") or []
        if not isinstance(results, list):
            raise UserError(
                f"{where}: expected a list of results, found {quoted(results)}; export "
                "it again"
            )
        skipped = bool(one.get("was_cancelled") or one.get("skipped"))
        # What stood there when the item was skipped is no answer.
        read = () if skipped else tuple(_results(results))
        yield Item(name, read, where, skipped)


def _results(results: list[Any]) -> Iterable[Result]:
    """Results of one annotation; an outline goes with the class of the same region."""
    classed = {
        one.get("id")
        for one in results
        if isinstance(one, dict) and str(one.get("type")).endswith("labels")
    } - {None}
    for one in results:
        if not isinstance(one, dict):
            yield Result("", "damaged result", Holds.NOTHING, ())
            continue
        kind = str(one.get("type") or "result without a type")
        if kind in _REGIONS and one.get("id") in classed:
            continue
        control = one.get("from_name")
        yield _result(str(control or ""), kind, one.get("value"))


def _result(control: str, kind: str, value: Any) -> Result:
    if kind in _CLASSES or kind.endswith("labels"):
        holds = Holds.CLASS
    elif kind in _TEXTS:
        holds = Holds.TEXT
    else:
        return Result(control, kind, Holds.NOTHING, ())
    found = value if isinstance(value, dict) else {}
    content = found.get(kind, found.get(_KEY.get(kind, kind)))
    if content is None and kind.endswith("labels"):
        content = next((found[key] for key in found if key.endswith("labels")), None)
    texts = [_text_of(one) for one in _each(content)]
    classes = tuple(text for text in texts if text)
    return Result(control, kind, holds, classes, max(1, len(texts)) - len(classes))


def _each(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [content]


def _text_of(one: Any) -> str | None:
    """A name, or a path of names with slashes between."""
    if not isinstance(one, list):
        return text_of(one)
    parts = [text_of(part) for part in one]
    return "/".join(filter(None, parts)) if parts and all(parts) else None


def _flat(
    rows: Sequence[tuple[str, dict[str, Any]]], path: Path, options: ImportOptions
) -> Answers:
    """Rows of JSON-MIN, CSV or TSV: columns of a task with its answers among them."""
    left_out: Counter[str] = Counter()
    # What stands in a row that nobody annotated came with the task.
    given_with = {
        column
        for _, row in rows
        if "annotation_id" in row and row["annotation_id"] in (None, "")
        for column, value in row.items()
        if value not in (None, "")
    }
    items = []
    for place, row in rows:
        name = name_of(row.get("jaxsel_id"))
        if name is None:
            left_out["row without jaxsel_id"] += 1
            continue
        answers = {
            column: value
            for column, value in row.items()
            if column not in _OWN | given_with
            and not column.startswith(("jaxsel_", "_data_"))
            and value not in (None, "")
        }
        results = [
            one for column in answers for one in _flat_results(column, answers[column])
        ]
        items.append(Item(name, tuple(results), f"{path}, {place}"))
    if rows and not items:
        raise _nameless(path)
    given, more = answers_to(items, options, str(path))
    results = [one for item in items for one in item.results]
    read = sorted(holding_label(results, options.controls, str(path)))
    note = (
        f"Labels are those of {listed(read) or 'no column'}; JSON-MIN and CSV do not "
        "say what was skipped, the JSON export does."
    )
    return Answers(given, left_out + more, notes=(note,))


def _flat_results(column: str, value: Any) -> Iterable[Result]:
    """Answers in a cell: a text as it stands, or results without their kinds."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            pass  # a text that begins so
    for one in _each(value):
        if isinstance(one, dict):
            yield _result(column, _kind_of(one), one)
        else:
            text = _text_of(one)
            yield Result(
                column, "answer", Holds.CLASS, (text,) if text else (), not text
            )


def _kind_of(value: dict[str, Any]) -> str:
    """What kind of result has a value like this."""
    for key in value:
        if key.endswith("labels") or key in _CLASSES | _TEXTS:
            return "videorectangle" if "sequence" in value else key
    if "selected" in value:
        return "pairwise"
    if "text" in value and not {"start", "end"} & set(value):
        return "textarea"
    if "ranker" in value:
        return "ranker"
    return "region" if "x" in value or "points" in value else "result"

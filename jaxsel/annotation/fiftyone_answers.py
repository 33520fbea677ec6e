"""FiftyOne's exports read back: its data set, its classification formats, CSV, COCO.

- `FiftyOneDataset`: `samples.json`. Label fields are those whose value has a `_cls`:
  the `label` of a classification, of detections, polylines, key points; the number of a
  regression. Where there are several, `control` names one; it may also name a field of
  plain text. A sample's tag that means unusable counts before them.
- `FiftyOneImageClassificationDataset` and the detection format of that kind:
  `labels.json`, where an image goes by its name without extension.
- `CSVDataset`: a table with `jaxsel_id`, `id` or `filepath`, and `label` or one column
  `FIELD.label`.
- COCO.

A folder is read by the first of `samples.json`, `labels.json`, `labels.csv` in it.
Masks, heat maps and other tags are counted as left out.

Sources: `fiftyone.utils.data.exporters` of fiftyone 1.22.1 and "Exporting FiftyOne
datasets" (docs.voxel51.com).
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxsel.annotation.answers import Answer, Answers
from jaxsel.annotation.coco import answers_of as coco_answers
from jaxsel.annotation.controls import Holds, Item, Result, answers_to
from jaxsel.annotation.labels import UNUSABLE
from jaxsel.annotation.options import ImportOptions
from jaxsel.annotation.spreadsheet import table_answers
from jaxsel.annotation.tables import table_of
from jaxsel.annotation.texts import parse_json, text_or_member
from jaxsel.annotation.values import name_of, text_of
from jaxsel.errors import UserError, listed, quoted

_FILES = ("samples.json", "labels.json", "labels.csv")
_WHAT = "an export of FiftyOne"
_OBJECT_ID = re.compile("[0-9a-f]{24}")
_LISTS = {
    "Classifications": "classifications",
    "Detections": "detections",
    "Polylines": "polylines",
    "Keypoints": "keypoints",
    "TemporalDetections": "detections",
}
_SINGLE = {"Classification", "Detection", "Polyline", "Keypoint", "TemporalDetection"}


def read_fiftyone(path: Path, options: ImportOptions) -> Answers:
    """What an export says.

    Args:
      path: the folder, or the file of it that holds the labels, or an archive.
      options: `unusable` and `control` are used; the latter names a field or a column.

    Returns:
      An answer for each sample.

    Raises:
      UserError: another format, or several fields with labels and none named.
    """
    if path.is_dir():
        there = [path / name for name in _FILES if (path / name).is_file()]
        if not there:
            raise UserError(
                f"{path}: expected one of {', '.join(_FILES)} in the folder, found "
                "none; give the file with the labels"
            )
        path = there[0]
    text = text_or_member(path, _WHAT, (*_FILES, ".json", ".csv"))
    if text.lstrip()[:1] not in ("{", "["):
        return _table(text, path, options)
    found = parse_json(text, path, _WHAT)
    if isinstance(found, dict):
        if isinstance(found.get("samples"), list):
            return _samples(found["samples"], path, options)
        if isinstance(found.get("labels"), dict):
            return _targets(found["labels"], found.get("classes"), path)
        if "images" in found:
            return coco_answers(found, path)
    raise UserError(
        f"{path}: expected samples, labels or COCO's images in {_WHAT}, found "
        f"{listed(found) if isinstance(found, dict) else quoted(found)}; export as "
        "FiftyOneDataset, FiftyOneImageClassificationDataset, CSVDataset or COCO"
    )


def _table(text: str, path: Path, options: ImportOptions) -> Answers:
    rows = table_of(text, str(path))
    columns = list(rows[0][1]) if rows else []
    names = ["jaxsel_id", "id", "filepath"]
    if "filepath" in columns and all(
        _OBJECT_ID.fullmatch(row.get("id", "")) for _, row in rows
    ):
        names.remove("id")  # FiftyOne's own
    labels = [name for name in columns if name.endswith(".label")]
    asked = [
        f"{name}.label" if name not in columns and f"{name}.label" in columns else name
        for name in options.controls
    ]
    if not asked and "label" not in columns and len(labels) == 1:
        asked = labels
    return table_answers(rows, str(path), names, asked or ["label"])


def _samples(samples: list[Any], path: Path, options: ImportOptions) -> Answers:
    unusable = {word.casefold() for word in (*options.unusable, UNUSABLE.value)}
    items, bad = [], []
    left_out: Counter[str] = Counter()
    for number, sample in enumerate(samples, start=1):
        where = f"{path}, sample {number}"
        if not isinstance(sample, dict):
            raise UserError(f"{where}: expected a sample, found {quoted(sample)}")
        name = name_of(sample.get("jaxsel_id")) or name_of(sample.get("filepath"))
        if name is None:
            left_out["sample without jaxsel_id or filepath"] += 1
            continue
        found = sample.get("tags")
        tags = [text_of(tag) for tag in found] if isinstance(found, list) else []
        marked = [tag for tag in tags if tag and tag.casefold() in unusable]
        left_out["tag of a sample"] += sum(
            tag not in (None, "jaxsel", *marked) for tag in tags
        )
        results = tuple(_fields(sample, options.controls))
        items.append(Item(name, results, where))
        bad.append(tuple(marked))
    given, more = answers_to(items, options, str(path))
    given = [
        one._replace(classes=marked) if marked else one
        for one, marked in zip(given, bad, strict=True)
    ]
    return Answers(given, left_out + more)


def _fields(sample: dict[str, Any], asked: Sequence[str]) -> list[Result]:
    found = []
    for field, value in sample.items():
        if field in asked and not isinstance(value, dict):
            text = text_of(value)
            if text:
                found.append(Result(field, "plain field", Holds.CLASS, (text,)))
            continue
        if not isinstance(value, dict) or field.startswith("_"):
            continue
        kind = str(value.get("_cls", ""))
        if not kind or kind.endswith("Metadata"):
            continue
        found.append(_label(field, kind, value))
    return found


def _label(field: str, kind: str, value: dict[str, Any]) -> Result:
    """A label field of a sample as an answer."""
    if kind in _LISTS:
        content = value.get(_LISTS[kind])
        parts = content if isinstance(content, list) else []
    elif kind in _SINGLE:
        parts = [value]
    elif kind == "Regression":
        parts = [{"label": value.get("value")}]
    else:
        return Result(field, kind, Holds.NOTHING, ())
    texts = [
        text_of(one.get("label")) if isinstance(one, dict) else None for one in parts
    ]
    classes = tuple(text for text in texts if text)
    return Result(field, kind, Holds.CLASS, classes, len(texts) - len(classes))


def _targets(labels: dict[str, Any], classes: Any, path: Path) -> Answers:
    """`labels.json`: for each image a class, its number, an object, or several."""
    names = classes if isinstance(classes, list) else None
    left_out: Counter[str] = Counter()
    given = []
    for name, value in labels.items():
        targets = value if isinstance(value, list) else [value]
        found = []
        for target in targets:
            if target is None:
                continue
            if text := _target(target, names):
                found.append(text)
            else:
                left_out["label that is none of the classes"] += 1
        given.append(Answer(name, tuple(found), f"{path}, image {quoted(name)}"))
    return Answers(given, left_out, stems=True)


def _target(target: Any, names: list[Any] | None) -> str | None:
    label = target.get("label") if isinstance(target, dict) else target
    if names is None or isinstance(label, str):
        return text_of(label)
    if isinstance(label, bool) or not isinstance(label, int):
        return None
    return text_of(names[label]) if 0 <= label < len(names) else None

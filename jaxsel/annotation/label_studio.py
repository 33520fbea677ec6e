"""Label Studio: tasks in pick order, and its JSON export read back.

Sources: "Get data into Label Studio", "Label Studio task format" (labelstud.io/guide):
a task is `{"data": {...}}`, `data.image` is what `value="$image"` of the labelling
interface shows, and the other columns of `data` can be sorted by in the data manager.
Sequential sampling goes by task id, which follows the order of the file. Images served
by Label Studio itself are `/data/local-files/?d=PATH`, with PATH below the folder
`LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`. An annotation that was skipped has
`was_cancelled`.

Checked against label-studio-sdk 2.1.2: its `LabelInterface` validates the tasks, its
reader of `?d=` finds the files, and its converter takes the same annotations of an
export for labels.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jaxsel.annotation.labels import UNUSABLE, Label, label_of, word_of
from jaxsel.annotation.names import columns_of, matched
from jaxsel.annotation.options import ExportOptions, ImportOptions, json_of, with_paths
from jaxsel.annotation.picks import Pick
from jaxsel.errors import UserError

FILE = "label-studio.json"
_WHAT = "tasks exported from Label Studio"


def tasks(picks: Sequence[Pick], prefix: str = "") -> list[dict[str, Any]]:
    """One task a pick, in pick order.

    Args:
      picks: each with a path.
      prefix: as in `ExportOptions`.

    Returns:
      Tasks as Label Studio imports them; `data` holds `image` and `jaxsel_*`.

    Raises:
      UserError: a pick has no path.

    Example:
      >>> tasks([Pick(1, "a", "in/a b.png", 7, None, 9)], "https://host/")[0]["data"]
      ... # doctest: +NORMALIZE_WHITESPACE
      {'image': 'https://host/in/a%20b.png', 'jaxsel_rank': 1, 'jaxsel_id': 'a',
       'jaxsel_gain': None, 'jaxsel_represents': 9}
    """
    return [
        {"data": {"image": _link(pick.path, prefix), **columns_of(pick)}}
        for pick in with_paths(picks, "Label Studio")
    ]


def _link(path: str, prefix: str) -> str:
    return prefix + quote(path, errors="surrogateescape") if prefix else path


def export_label_studio(
    picks: Sequence[Pick], options: ExportOptions
) -> dict[str, str]:
    """`label-studio.json`: give it to "Import" of a project whose image is `$image`.

    Args:
      picks: each with a path.
      options: `prefix` is used.

    Returns:
      The text of each file by its name.
    """
    return {FILE: json.dumps(tasks(picks, options.prefix), indent=1) + "\n"}


def import_label_studio(
    path: Path, picks: Sequence[Pick], options: ImportOptions
) -> dict[str, Label]:
    """Labels out of a project's export in the format "JSON" (not "JSON-MIN").

    An item's label is its choice, its rating, or the class of its regions. It is
    unusable where the label is one of `options.unusable`, or where the item was skipped
    and nobody else labelled it. A task without an annotation, or with an empty one, is
    still open.

    Args:
      path: the export.
      picks: what was exported to Label Studio.
      options: all are used; `control` is a `name` of the labelling interface.

    Returns:
      Labels by id of the pick; open items are not there.

    Raises:
      UserError: another format, a task without `jaxsel_id`, ids that are no picks,
        several labels for an item, or several controls and none named.
    """
    found = json_of(path, _WHAT)
    if not isinstance(found, list):
        raise UserError(f"{path}: expected a list of tasks; export as JSON")
    pairs = []
    for number, task in enumerate(found, start=1):
        where = f"{path}, task {number}"
        try:
            name, annotations = task["data"]["jaxsel_id"], task["annotations"]
            label = _label_of_task(annotations, where, options)
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{where}: expected data.jaxsel_id and annotations, found neither or "
                f"damage ({error!r}); export as JSON (not JSON-MIN) a project made "
                f"from {FILE}"
            ) from error
        if label is not None:
            pairs.append((str(name), label))
    return matched(pairs, picks, str(path))


def _label_of_task(
    annotations: list[dict[str, Any]], where: str, options: ImportOptions
) -> Label | None:
    """The label on which all annotations of a task that were not skipped agree."""
    given = [one for one in annotations if not one.get("was_cancelled")]
    answers = {
        label_of(
            _names(one.get("result") or [], where, options.control),
            where,
            options.unusable,
            options.separator,
        )
        for one in given
    } - {None}
    if len(answers) > 1:
        words = ", ".join(sorted(word_of(answer) for answer in answers if answer))
        raise UserError(
            f"{where}: expected annotators to agree, found {words}; keep one annotation"
        )
    if answers:
        return answers.pop()
    return UNUSABLE if len(given) < len(annotations) else None


def _names(results: list[dict[str, Any]], where: str, control: str | None) -> list[str]:
    """The classes that the results of one annotation name."""
    labelling = [one for one in results if _holds_label(one["type"])]
    controls = sorted({one["from_name"] for one in labelling})
    if control is None and len(controls) > 1:
        raise UserError(
            f"{where}: expected one control with labels, found {', '.join(controls)}; "
            "say which one holds the label"
        )
    names: list[str] = []
    for one in labelling:
        if control in (None, one["from_name"]):
            value = one["value"][one["type"]]
            names += value if isinstance(value, list) else [str(value)]
    return names


def _holds_label(kind: str) -> bool:
    """Choices, ratings, and regions with a class (`rectanglelabels` and others)."""
    return kind in ("choices", "rating") or kind.endswith("labels")

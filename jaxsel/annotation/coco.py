"""COCO: images in pick order with nothing on them yet, and annotations read back.

Sources: "Data format" (cocodataset.org), and the readers named below. Ids count from 1
in pick order, since readers go through images by id. Keys that the format does not know
(`jaxsel_*`) are kept by some readers and ignored by the others.

An image is unusable where a category of that name is on it: COCO has no other word for
it. It has none either for "looked at and nothing found", so an image without
annotations is still open.

Checked against pycocotools 2.0.11 and FiftyOne 1.22.1, which keep the order, and
datumaro 1.13.12, which keeps the ids; the latter refuses the whole file where a file
name is no UTF-8, since JSON can only hold it as a lone surrogate.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jaxsel.annotation.answers import Answer, Answers
from jaxsel.annotation.names import columns_of
from jaxsel.annotation.options import ExportOptions, ImportOptions, with_paths
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.texts import json_of
from jaxsel.annotation.values import name_of, text_of
from jaxsel.errors import UserError, quoted, shortened

FILE = "coco.json"
_WHAT = "a COCO data set"


def dataset(
    picks: Sequence[Pick],
    classes: Sequence[str] = (),
    sizes: Any = None,
) -> dict[str, list[dict[str, Any]]]:
    """The picks as a COCO data set without annotations.

    Args:
      picks: each with a path.
      classes: names of the categories, from id 1 on.
      sizes: width and height in pixels by id of the pick, where known.

    Raises:
      UserError: a pick has no path, or a class stands there twice.

    Example:
      >>> dataset([Pick(1, "a", "a.png", 7, None, 9)], ["cat"])["categories"]
      [{'id': 1, 'name': 'cat', 'supercategory': ''}]
    """
    if len(set(classes)) < len(classes):
        raise UserError(
            f"expected each class once, found {shortened(', '.join(classes))}"
        )
    images = []
    for number, pick in enumerate(with_paths(picks, "COCO"), start=1):
        size = (sizes or {}).get(pick.id)
        known = {} if size is None else {"width": int(size[0]), "height": int(size[1])}
        image = {"id": number, "file_name": pick.path, **known, **columns_of(pick)}
        images.append(image)
    categories = [
        {"id": number, "name": name, "supercategory": ""}
        for number, name in enumerate(classes, start=1)
    ]
    return {"images": images, "annotations": [], "categories": categories}


def export_coco(picks: Sequence[Pick], options: ExportOptions) -> dict[str, str]:
    """`coco.json`.

    Args:
      picks: each with a path.
      options: `classes` and `sizes` are used.

    Returns:
      The text of each file by its name.
    """
    whole = dataset(picks, options.classes, options.sizes)
    return {FILE: json.dumps(whole, indent=1) + "\n"}


def read_coco(path: Path, options: ImportOptions) -> Answers:
    """What a COCO file says: the categories of the annotations of each image.

    Args:
      path: the JSON, or a zip archive with one.
      options: not used.

    Returns:
      An answer for each image. Annotations without a category, or of a category or an
      image that the file does not define, are counted as left out.

    Raises:
      UserError: another format; or two images, or two categories, that differ and have
        one id, since annotations name them by their ids alone.
    """
    del options
    return answers_of(json_of(path, _WHAT), path)


def answers_of(found: Any, path: Path) -> Answers:
    """The same of what was parsed already."""
    images, annotations, kinds = (
        _entries(found, key, path) for key in ("images", "annotations", "categories")
    )
    names = _by_id(path, "image", images, _name_of)
    categories = _by_id(path, "category", kinds, _class_of)
    left_out: Counter[str] = Counter()
    classes: dict[Any, list[str]] = {number: [] for number in names}
    for one in annotations:
        image, category = _id_of(one.get("image_id")), _id_of(one.get("category_id"))
        if image not in names:
            left_out["annotation of an image that the file does not list"] += 1
        elif category is None:
            left_out["annotation without a category"] += 1
        elif not categories.get(category):
            left_out["annotation of a category that the file does not name"] += 1
        else:
            classes[image].append(categories[category])
    given = [
        Answer(name, tuple(classes[number]), f"{path}, image {quoted(name)}")
        for number, name in names.items()
    ]
    return Answers(given, left_out)


def _by_id(
    path: Path,
    what: str,
    entries: Sequence[dict[str, Any]],
    value_of: Callable[[dict[str, Any]], str | None],
) -> dict[Any, str]:
    """What each id stands for; an id that stands for two things means neither."""
    found: dict[Any, str] = {}
    for one in entries:
        number, value = _id_of(one.get("id")), value_of(one)
        if number is None or (value is None and what == "image"):
            raise _damaged(path, f"{_article(what)} without one, {quoted(one)}")
        if found.setdefault(number, value or "") != (value or ""):
            raise UserError(
                f"{path}: expected each {what} to have its own id, found "
                f"{quoted(number)} for {quoted(found[number])} and {quoted(value)}: "
                "which of them an annotation means is not known; give each its own id"
            )
    return found


def _entries(found: Any, key: str, path: Path) -> list[dict[str, Any]]:
    entries = found.get(key) if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise _damaged(path, f"no list of {key}")
    for one in entries:
        if not isinstance(one, dict):
            raise _damaged(path, f"{quoted(one)} among the {key}")
    return entries


def _class_of(category: dict[str, Any]) -> str | None:
    return text_of(category.get("name"))


def _article(what: str) -> str:
    return f"{'an' if what[0] in 'aeiou' else 'a'} {what}"


def _name_of(image: dict[str, Any]) -> str | None:
    """How an image is called; the id that was exported comes first."""
    return name_of(image.get("jaxsel_id")) or name_of(image.get("file_name"))


def _id_of(value: Any) -> int | str | None:
    """A number or a text that names something; `True` and 1.5 name nothing."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return value


def _damaged(path: Path, found: str) -> UserError:
    return UserError(
        f"{path}: expected COCO's images, annotations and categories with an id and a "
        f"name each, found damage ({found}); export it again"
    )

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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxsel.annotation.labels import Label, label_of
from jaxsel.annotation.names import columns_of, matched
from jaxsel.annotation.options import ExportOptions, ImportOptions, json_of, with_paths
from jaxsel.annotation.picks import Pick
from jaxsel.errors import UserError

FILE = "coco.json"


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
        raise UserError(f"expected each class once, found {', '.join(classes)}")
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


def import_coco(
    path: Path, picks: Sequence[Pick], options: ImportOptions
) -> dict[str, Label]:
    """Labels out of a COCO file: the category that an image's annotations have.

    Args:
      path: the JSON, or a zip archive with one.
      picks: what was exported.
      options: `unusable` and `separator` are used.

    Returns:
      Labels by id of the pick; images without annotations are not there.

    Raises:
      UserError: another format, names that are no picks, or several categories on an
        image and no separator.
    """
    found = json_of(path, "a COCO data set")
    try:
        category = {one["id"]: str(one["name"]) for one in found["categories"]}
        names: dict[Any, list[str]] = {one["id"]: [] for one in found["images"]}
        for one in found["annotations"]:
            names[one["image_id"]].append(category[one["category_id"]])
        images = [
            (one["id"], str(one.get("jaxsel_id", one["file_name"])))
            for one in found["images"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path}: expected COCO's images, annotations and categories that refer to "
            f"each other, found damage ({error!r}); export it again"
        ) from error
    pairs = []
    for number, name in images:
        where = f"{path}, image {name!r}"
        label = label_of(names[number], where, options.unusable, options.separator)
        if label is not None:
            pairs.append((name, label))
    return matched(pairs, picks, str(path))

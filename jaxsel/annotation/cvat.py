"""CVAT: files named by rank with a manifest that fixes their order, and labels back.

CVAT sorts the images of a task by name unless it is told `predefined`; then the order
is that of `manifest.jsonl`, or of the list of files. It knows an image by its file name
alone, so each pick gets a link whose name begins with its rank: the names are unique,
whatever folders the images lie in, and sort in pick order by themselves. Links are hard
links or copies, never symbolic: CVAT's own uploader sends a symbolic link under its
target's name.

    cvat-cli task create NAME --labels labels.json \
        --sorting-method predefined local images/*

Sources: "Dataset manifest" and "XML annotation format" (docs.cvat.ai),
cvat-ai/cvat#7701 (order of uploads), `cvat_sdk.core.uploading` 2.80.0 (names of
uploads). Export for `import_cvat` as "CVAT for images 1.1", the one format with tags;
"COCO 1.0" has the classes of shapes only.

Checked against the XML that datumaro 1.13.12 writes for CVAT. The manifest was compared
with the source of CVAT's reader (`utils/dataset_manifest/core.py`), not run through it.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from jaxsel.annotation.coco import import_coco
from jaxsel.annotation.labels import Label, label_of
from jaxsel.annotation.names import link_names, matched
from jaxsel.annotation.options import (
    ExportOptions,
    ImportOptions,
    text_or_member,
    with_paths,
)
from jaxsel.annotation.picks import Pick
from jaxsel.errors import UserError

MANIFEST = "manifest.jsonl"
FILES = "files.txt"


def manifest(
    picks: Sequence[Pick], sizes: Mapping[str, tuple[int, int]] | None = None
) -> str:
    r"""The text of `manifest.jsonl` for the links of these picks, in pick order.

    Args:
      picks: each with a path.
      sizes: width and height in pixels by id, where known; CVAT wants them for images
        in a cloud storage.

    Example:
      >>> print(manifest([Pick(1, "a", "in/a.png", 7, None, 9)], {"a": (4, 3)}), end="")
      {"version":"1.1"}
      {"type":"images"}
      {"name":"000001_a","extension":".png","width":4,"height":3}
    """
    ordered = with_paths(picks, "CVAT")
    lines: list[dict[str, object]] = [{"version": "1.1"}, {"type": "images"}]
    for pick, link in zip(ordered, link_names(ordered), strict=True):
        name, extension = os.path.splitext(link)
        size = (sizes or {}).get(pick.id)
        known = {} if size is None else {"width": int(size[0]), "height": int(size[1])}
        lines.append({"name": name, "extension": extension, **known})
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def export_cvat(picks: Sequence[Pick], options: ExportOptions) -> dict[str, str]:
    """`manifest.jsonl` and `files.txt`, the names of the links one a line.

    Args:
      picks: each with a path.
      options: `sizes` is used.

    Returns:
      The text of each file by its name; the images are `write_links`'s.
    """
    names = link_names(with_paths(picks, "CVAT"))
    return {
        MANIFEST: manifest(picks, options.sizes),
        FILES: "".join(name + "\n" for name in names),
    }


def write_links(folder: Path, picks: Sequence[Pick], root: Path) -> list[Path]:
    """Puts the picked images into a folder under the names of the manifest.

    Args:
      folder: new or empty.
      picks: each with a path.
      root: where relative paths start.

    Returns:
      The files, in pick order: hard links, or copies where the file system has none.
      A program that writes into a hard link writes into the image.

    Raises:
      UserError: the folder holds files, or an image is not there; nothing was written.
    """
    ordered = with_paths(picks, "CVAT")
    if folder.exists() and any(folder.iterdir()):
        raise UserError(
            f"expected a new or empty folder for links, found files in {folder}; give "
            "another folder"
        )
    sources = [root / pick.path for pick in ordered]
    missing = [str(source) for source in sources if not source.is_file()]
    if missing:
        raise UserError(
            f"expected {len(sources)} images below {root}, found {len(missing)} "
            f"missing ({', '.join(map(repr, missing[:5]))}); give the folder that they "
            "were picked from"
        )
    folder.mkdir(parents=True, exist_ok=True)
    targets = [folder / name for name in link_names(ordered)]
    for source, target in zip(sources, targets, strict=True):
        try:
            # A link to what a symbolic link means, not to the symbolic link itself.
            os.link(source.resolve(), target)
        except OSError:
            shutil.copyfile(source, target)
    return targets


def import_cvat(
    path: Path, picks: Sequence[Pick], options: ImportOptions
) -> dict[str, Label]:
    """Labels out of "CVAT for images 1.1" or "COCO 1.0", as CVAT exports them.

    An item's label is its tag, or the class of its shapes. It is unusable where that
    is one of `options.unusable`: make a tag of that name. An image without either is
    still open, and so is one that was removed in CVAT: its exports say nothing of that.

    Args:
      path: `annotations.xml`, a COCO `.json`, or the zip archive that CVAT made.
      picks: what was exported to CVAT.
      options: `unusable` and `separator` are used.

    Returns:
      Labels by id of the pick.

    Raises:
      UserError: another format, names that are no picks, or several labels for an image
        and no separator.
    """
    if path.suffix.lower() == ".json":
        return import_coco(path, picks, options)
    pairs = []
    for image in _images(path):
        name = image.get("name", "")
        names = [child.get("label", "") for child in image]
        where = f"{path}, image {name!r}"
        label = label_of(names, where, options.unusable, options.separator)
        if label is not None:
            pairs.append((name, label))
    return matched(pairs, picks, str(path))


def _images(path: Path) -> list[ElementTree.Element]:
    """The `image` elements of an annotation file."""
    text = text_or_member(path, "annotations exported from CVAT", ".xml")
    try:
        # Entities of its own are how a small file fills the memory; CVAT writes none.
        if "<!DOCTYPE" in text:
            raise ElementTree.ParseError("a document type")
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise UserError(
            f"{path}: expected CVAT's XML, found {error}; export it again"
        ) from error
    images = root.findall("image")
    if root.tag != "annotations" or root.find("track") is not None or not images:
        raise UserError(
            f"{path}: expected images in CVAT's XML, found "
            f"{'tracks' if root.find('track') is not None else 'none'}; export as CVAT "
            "for images 1.1"
        )
    return images

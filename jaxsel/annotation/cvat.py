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
uploads). Export for `read_cvat` as "CVAT for images 1.1", the one format with tags;
"COCO 1.0" has the classes of shapes only.

Checked against the XML that datumaro 1.13.12 writes for CVAT. The manifest was compared
with the source of CVAT's reader (`utils/dataset_manifest/core.py`), not run through it.
"""

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from jaxsel.annotation.answers import Answer, Answers
from jaxsel.annotation.coco import answers_of
from jaxsel.annotation.names import link_names
from jaxsel.annotation.options import ExportOptions, ImportOptions, with_paths
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.places import refuse_outside
from jaxsel.annotation.texts import parse_json, text_or_member
from jaxsel.errors import UserError, listed, quoted, shortened

MANIFEST = "manifest.jsonl"
FILES = "files.txt"
_LINK = re.compile(r"[0-9]{6,}_[A-Za-z0-9._-]*")


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


def write_links(
    folder: Path, picks: Sequence[Pick], root: Path, *, force: bool = False
) -> list[Path]:
    """Puts the picked images into a folder under the names of the manifest.

    Args:
      folder: new or empty.
      picks: each with a path.
      root: where relative paths start; a path that leads out of it is refused.
      force: whether the links of an earlier export in the folder are replaced; files
        with other names stay.

    Returns:
      The files, in pick order: hard links, or copies where the file system has none.
      A program that writes into a hard link writes into the image.

    Raises:
      UserError: the folder holds files, or an image is not there or lies outside of
        `root`; nothing was written.
    """
    ordered = with_paths(picks, "CVAT")
    refuse_outside(ordered)
    sources = [root / pick.path for pick in ordered]
    missing = [str(source) for source in sources if not source.is_file()]
    if missing:
        raise UserError(
            f"expected {len(sources)} images below {root}, found {len(missing)} "
            f"missing ({listed(missing)}); give the folder that they were picked from"
        )
    check_links(folder, force=force)
    folder.mkdir(parents=True, exist_ok=True)
    for old in _links_in(folder):
        old.unlink()
    targets = [folder / name for name in link_names(ordered)]
    for source, target in zip(sources, targets, strict=True):
        try:
            # A link to what a symbolic link means, not to the symbolic link itself.
            os.link(source.resolve(), target)
        except OSError:
            shutil.copyfile(source, target)
    return targets


def check_links(folder: Path, *, force: bool = False) -> None:
    """Refuses a folder that holds files which links would stand beside or replace.

    Raises:
      UserError: it is a file, or holds files: any, or with `force` others than the
        links of an earlier export.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"expected a folder for links, found a file: {folder}")
    there = set(folder.iterdir())
    if force:
        there -= set(_links_in(folder))
    if there:
        raise UserError(
            f"expected a new or empty folder for links, found files in {folder} "
            f"({listed(sorted(path.name for path in there))}); give another folder"
            f"{' or remove them' if force else ', or --force to replace earlier links'}"
        )


def _links_in(folder: Path) -> list[Path]:
    """Files whose names are those of links."""
    return [
        path
        for path in folder.iterdir()
        if _LINK.fullmatch(path.name) and (path.is_file() or path.is_symlink())
    ]


def read_cvat(path: Path, options: ImportOptions) -> Answers:
    """What "CVAT for images 1.1" or "COCO 1.0" says, as CVAT exports them.

    An item's label is its tag, or the class of its shapes. It is unusable where that
    is one of `options.unusable`: make a tag of that name. An image without either is
    still open, and so is one that was removed in CVAT: its exports say nothing of that.
    Attributes of tags and shapes are counted as left out.

    Args:
      path: `annotations.xml`, a COCO `.json`, or the zip archive that CVAT made.
      options: not used.

    Returns:
      An answer for each image.

    Raises:
      UserError: another format, or an image without a name.
    """
    del options
    text = text_or_member(path, "annotations exported from CVAT", (".xml", ".json"))
    if text.lstrip()[:1] in ("{", "["):
        return answers_of(parse_json(text, path, "a COCO data set"), path)
    given = []
    left_out: Counter[str] = Counter()
    for image in _images(text, path):
        name = image.get("name")
        if not name:
            raise UserError(
                f"{path}: expected a name for each image, found image "
                f"{quoted(image.get('id', ''))} without one; export it again"
            )
        classes = []
        for child in image:
            if label := (child.get("label") or "").strip():
                classes.append(label)
            else:
                left_out[f"{shortened(str(child.tag))} without a label"] += 1
            left_out["attribute of a tag or a shape"] += len(child.findall("attribute"))
        given.append(Answer(name, tuple(classes), f"{path}, image {quoted(name)}"))
    return Answers(given, left_out)


def _images(text: str, path: Path) -> list[ElementTree.Element]:
    """The `image` elements of an annotation file."""
    try:
        # Entities of its own are how a small file fills the memory; CVAT writes none.
        if "<!DOCTYPE" in text:
            raise ElementTree.ParseError("a document type")
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
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

"""What exporters and importers of every tool may be told, and what they may ask for."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxsel.annotation.labels import UNUSABLE
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.tables import text_of
from jaxsel.errors import UserError

LOCAL_FILES = "/data/local-files/?d="


class ExportOptions(NamedTuple):
    """How picks are written for a tool.

    Attributes:
      prefix: put before each path, which is quoted as a URL then: `https://host/folder/`,
        or `LOCAL_FILES` for Label Studio's own server of files. Without it, paths stay.
      root: the folder that paths start at, for tools that want whole paths.
      classes: the labels to choose from, in order, for formats that list them.
      sizes: width and height in pixels by id, where known.
    """

    prefix: str = ""
    root: Path | None = None
    classes: Sequence[str] = ()
    sizes: Mapping[str, tuple[int, int]] = {}


class ImportOptions(NamedTuple):
    """How a tool's labels are read.

    Attributes:
      unusable: the labels that mean that an item can not be used.
      separator: put between several different labels of an item; `None` refuses them.
      control: the name of the one control that holds the label, for tools with several.
    """

    unusable: Sequence[str] = (UNUSABLE.value,)
    separator: str | None = None
    control: str | None = None


def with_paths(picks: Sequence[Pick], tool: str) -> list[Pick]:
    """Picks in order, each with an image that a tool can show.

    Raises:
      UserError: there are no picks, or one has no path.
    """
    ordered = sorted(picks, key=lambda pick: pick.rank)
    bare = [pick.id for pick in ordered if not pick.path]
    if bare or not ordered:
        raise UserError(
            f"expected picks with a path for {tool}, found {len(bare)} of "
            f"{len(ordered)} without (first: {bare[:1] or 'no picks'}); select from an "
            "image folder, or export to csv"
        )
    return ordered


def json_of(path: Path, what: str, member: str = ".json") -> Any:
    """The JSON in a file, or in the one file of an archive whose name ends so.

    Raises:
      UserError: it cannot be read or does not parse, or the archive holds none or
        several.
    """
    text = text_or_member(path, what, member)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: expected {what} as JSON, found text that does not parse "
            f"({error}); export it again"
        ) from error


def text_or_member(path: Path, what: str, member: str) -> str:
    """A file's text, or that of the one file in a zip archive whose name ends so.

    Raises:
      UserError: as `json_of`.
    """
    if not zipfile.is_zipfile(path):
        return text_of(path, what)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(member)]
        if len(names) != 1:
            raise UserError(
                f"{path}: expected one file *{member} in the archive, found "
                f"{len(names)}; unpack it and give the file"
            )
        try:
            return archive.read(names[0]).decode("utf-8-sig")
        except (zipfile.BadZipFile, UnicodeDecodeError, RuntimeError) as error:
            raise UserError(
                f"{path}: expected a whole archive with UTF-8 text, found {error} in "
                f"{names[0]}; export it again"
            ) from error

"""What exporters and importers of every tool may be told, and what they may ask for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from jaxsel.annotation.labels import UNUSABLE
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.texts import json_of, text_or_member
from jaxsel.errors import UserError, listed

__all__ = [
    "DISAGREE",
    "LOCAL_FILES",
    "ExportOptions",
    "ImportOptions",
    "json_of",
    "text_or_member",
    "with_paths",
]

LOCAL_FILES = "/data/local-files/?d="
DISAGREE = ("majority", "first", "skip")


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
      control: what holds the label where there are several: a control of Label Studio,
        a field of FiftyOne, a column of a table; one name or several.
      disagree: which label counts where annotators disagree on a pick: that of the
        `majority` (none at a tie), the `first` in the file, or none (`skip`); `None`
        refuses the file.
    """

    unusable: Sequence[str] = (UNUSABLE.value,)
    separator: str | None = None
    control: str | Sequence[str] | None = None
    disagree: str | None = None

    @property
    def controls(self) -> tuple[str, ...]:
        """`control` as names; none where nothing was asked for."""
        if self.control is None:
            return ()
        return (self.control,) if isinstance(self.control, str) else (*self.control,)


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
            f"{len(ordered)} without (first: {listed(bare[:1]) or 'no picks'}); select "
            "from an image folder, or export to csv"
        )
    return ordered

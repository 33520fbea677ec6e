"""Paths of picks stay within the pool: a table of picks may come from anybody."""

import pathlib
from collections.abc import Collection, Sequence

from jaxsel.annotation.picks import Pick
from jaxsel.errors import UserError, listed


def refuse_outside(picks: Sequence[Pick]) -> None:
    """Every path is one below the pool's folder, as `jaxsel select` writes it.

    Args:
      picks: those without a path are passed over.

    Raises:
      UserError: a path is absolute, has a part `..`, or holds a character that no path
        can; the first few are named.

    Example:
      >>> refuse_outside([Pick(1, "a", "scans/a.png", 3, None, 9)])
    """
    _refuse([pick.path for pick in picks if pick.path and _leads_out(pick.path)])


def _leads_out(path: str) -> bool:
    parts = pathlib.PurePosixPath(path)
    return parts.is_absolute() or ".." in parts.parts or "\0" in path


def refuse_strange_links(
    picks: Sequence[Pick], root: pathlib.Path, opened: Collection[str]
) -> None:
    """A link of the pool that leads out of its folder is followed to an image alone.

    `jaxsel select` follows the links in a folder, so an image may well lie elsewhere.
    Another file behind one was never picked.

    Args:
      picks: as `refuse_outside` left them.
      root: where their paths start.
      opened: ids of the picks that opened as images (`sizes.image_sizes`).

    Raises:
      UserError: a path leads to a file outside of `root` that is no image.
    """
    inside = root.resolve()
    _refuse(
        [
            pick.path
            for pick in picks
            if pick.path
            and pick.id not in opened
            and not (whole := (root / pick.path).resolve()).is_relative_to(inside)
            and not _is_dicom(whole)
        ]
    )


def _is_dicom(path: pathlib.Path) -> bool:
    """Whether a file begins as DICOM does, which Pillow cannot open."""
    if not path.is_file():  # a pipe would be waited for
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _refuse(outside: list[str]) -> None:
    if outside:
        raise UserError(
            f"expected paths of images below the pool's folder, found {len(outside)} "
            f"in the picks that lead out of it ({listed(outside)}): nothing was "
            "exported; give the picks.csv that jaxsel select wrote"
        )

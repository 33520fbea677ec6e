"""Where the pool of a round lies now: as recorded, beside the round, or elsewhere."""

import os
import pathlib

from jaxsel.annotation.rounds import Round
from jaxsel.errors import UserError

BESIDE = "beside"  # the round's option with the way from its folder to the pool


def way_to(source: pathlib.Path, folder: pathlib.Path) -> str:
    """The way from a round's folder to its pool; nothing where there is none."""
    try:
        return os.path.relpath(source.resolve(), folder.resolve())
    except ValueError:  # another drive
        return ""


def place_of(one: Round, folder: pathlib.Path) -> pathlib.Path | None:
    """Where a round's pool lies: where it lay, or as far from the round as it did.

    A project that was moved as a whole, round and pool together, is found so.

    Args:
      one: the round.
      folder: where it was read from.

    Returns:
      The path, or `None` where nothing is there.
    """
    recorded = pathlib.Path(one.source)
    if recorded.exists():
        return recorded
    way = one.options.get(BESIDE)
    if isinstance(way, str) and way:
        moved = pathlib.Path(os.path.normpath(folder.resolve() / way))
        if moved.exists():
            return moved
    return None


def pool_place(
    one: Round, folder: pathlib.Path, given: str | os.PathLike[str] | None
) -> str:
    """Where to open a round's pool: as given, or else as `place_of` finds it.

    Raises:
      UserError: nothing was given and it has moved.
    """
    found = given or place_of(one, folder)
    if found is None:
        raise UserError(
            f"expected the pool of the round in {folder} where it lay, found nothing "
            f"at {one.source}: it was moved or renamed; give its new place with "
            "--source"
        )
    return os.fspath(found)

"""What people should know of how their images were read, in sentences and as values."""

from typing import Any

from jaxsel.doctor.finding import counted
from jaxsel.sources.reading import Reading
from jaxsel.sources.source import Skipped
from jaxsel.verbs.command import shown

_NAMED = 3


def reading_sentences(reading: Reading) -> list[str]:
    """Sentences on pages that are not seen and on numbers of more than 8 bits.

    Args:
      reading: of a source; plain for features and for ordinary images.

    Example:
      >>> reading_sentences(Reading(several=("a.tif", "b.gif")))
      ['Of 2 images with several pages or frames only the first is seen: a.tif, b.gif']
    """
    said = []
    if reading.several:
        said.append(
            f"Of {counted(len(reading.several), 'image')} with several pages or frames "
            f"only the first is seen: {_listed(reading.several)}"
        )
    if reading.deep:
        lines = ", ".join(
            f"{kind} from {ends.low:g} to {ends.high:g}"
            for kind, ends in reading.levels.items()
        )
        has = "has" if reading.deep == 1 else "have"
        said.append(
            f"{counted(reading.deep, 'image')} {has} more than 8 bits; black to white "
            f"is, for all of them: {lines}"
        )
    if reading.flat:
        keeps = "keeps" if len(reading.flat) == 1 else "keep"
        said.append(
            f"{counted(len(reading.flat), 'image')} of them {keeps} few of the 256 "
            "levels, as others reach much further; select from pictures of one kind: "
            f"{_listed(reading.flat)}"
        )
    return said


def reading_json(reading: Reading) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "several": list(reading.several),
        "deep": reading.deep,
        "levels": {kind: list(ends) for kind, ends in reading.levels.items()},
        "flat": list(reading.flat),
    }


def skipped_sentence(skipped: Skipped) -> str:
    """What of a folder was passed over; nothing where nothing was.

    Example:
      >>> skipped_sentence(Skipped(hidden=1, other=2))
      'Passed over: 2 files that are no images by their names, 1 hidden file or folder'
    """
    parts = []
    if skipped.other:
        are = "is no image by its name" if skipped.other == 1 else (
            "are no images by their names"
        )  # fmt: skip
        parts.append(f"{counted(skipped.other, 'file')} that {are}")
    if skipped.hidden:
        many = "hidden files and folders"
        parts.append(counted(skipped.hidden, "hidden file or folder", many))
    if skipped.repeated:
        parts.append(
            f"{counted(skipped.repeated, 'folder')} met again over a link, read once"
        )
    return f"Passed over: {', '.join(parts)}" if parts else ""


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _NAMED
    listed = ", ".join(shown(name) for name in names[:_NAMED])
    return listed + (f" and {more:,} more" if more > 0 else "")

"""What a survey of a folder found, kept for the next call.

Images of more than 8 bits are decoded to find their range, so that a second call on an
unchanged folder of them would decode all of them once more.
"""

import pathlib
from typing import Any

from jaxsel.files import hash_of, read_json, writable_folder, write_json
from jaxsel.sources.levels import Span
from jaxsel.sources.reading import Reading
from jaxsel.sources.stat import Stat, stat_of
from jaxsel.sources.survey import Look, looks_at, reading_of
from jaxsel.sources.walk import Found

_VERSION = 1


def surveyed_before(folder: pathlib.Path, found: Found, root: pathlib.Path) -> Reading:
    """As `survey.surveyed`; files that are as they were are not opened.

    Args:
      folder: of images.
      found: what is in it.
      root: the folder of features, beside which surveys are kept.

    Returns:
      How the images are read.
    """
    file = _file(folder, root)
    writable_folder(file.parent)
    before = _read(file)
    now, looks = _as_they_were(found, before)
    missing = [(name, path) for name, path in found.images if name not in looks]
    fresh = looks_at([path for _, path in missing])
    looks |= {name: look for (name, _), look in zip(missing, fresh, strict=True)}
    if missing or before.keys() != now.keys():
        known = {name: before[name][0] for name in before if name in looks}
        stats = now | {k: s for k, s in known.items() if k in now and s.same(now[k])}
        write_json(file, {"version": _VERSION, "files": _as_json(stats, looks)})
    return reading_of([name for name, _ in found.images], looks)


def kept_reading(folder: pathlib.Path, found: Found, root: pathlib.Path) -> Reading:
    """How images are read by what is kept of them: none is opened, nothing written."""
    _, looks = _as_they_were(found, _read(_file(folder, root)))
    return reading_of([name for name, _ in found.images if name in looks], looks)


def _file(folder: pathlib.Path, root: pathlib.Path) -> pathlib.Path:
    beside = root.with_name(f"{root.name}-surveys")
    return beside / f"{hash_of(str(folder.resolve()))}.json"


def _as_they_were(
    found: Found, before: dict[str, tuple[Stat, Look]]
) -> tuple[dict[str, Stat], dict[str, Look]]:
    """What files are like now, and the looks of those that are as they were."""
    looks: dict[str, Look] = {}
    now: dict[str, Stat] = {}
    for name, path in found.images:
        try:
            now[name] = stat_of(path)
        except OSError:  # the reader of the file says so
            continue
        if name in before and before[name][0].same(now[name]):
            looks[name] = before[name][1]
    return now, looks


def _as_json(stats: dict[str, Stat], looks: dict[str, Look]) -> dict[str, Any]:
    return {
        name: [list(stat), looks[name].span, looks[name].first_of_several]
        for name, stat in stats.items()
    }


def _read(file: pathlib.Path) -> dict[str, tuple[Stat, Look]]:
    """What was kept; nothing where there is none, or none that can be read."""
    try:
        told = read_json(file)
        if told["version"] != _VERSION:
            return {}
        return {
            name: (Stat(*stat), Look(None if span is None else Span(*span), several))
            for name, (stat, span, several) in told["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}

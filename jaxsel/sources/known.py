"""Which images of a folder are encoded already, asked without changing anything.

Files are asked for their size and times, and journals for their lines. No image is
opened, no row of features is read, and nothing is written: a program that encodes the
folder meanwhile is not disturbed.
"""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

from jaxsel.sources.journal import JOURNAL, VERSION, File, files_of_line
from jaxsel.sources.looks import kept_reading
from jaxsel.sources.stat import stat_of
from jaxsel.sources.walk import Found


def known_before(
    folder: pathlib.Path,
    found: Found,
    made_by: Mapping[str, Any],
    about: Any,
    root: pathlib.Path,
) -> frozenset[str]:
    """The ids of the images that `encoded.encode_folder` would not have to read.

    Images that were only renamed are not among them: their content tells, and it is not
    read. Where images of more than 8 bits have come, the others of more than 8 bits are
    encoded again, and that is not foreseen.

    Args:
      folder: of images.
      found: what is in it.
      made_by: what the identity of the encoder has to say, or that part of it which is
        known without the weights; with "encoder", its name.
      about: what the frame is, as `encode_folder` has it.
      root: the folder of all journals.

    Returns:
      Ids; none where there is no journal.
    """
    reading = kept_reading(folder, found, root)
    wanted = {**made_by, "folder": str(folder.resolve()), "frame": about}
    wanted["levels"] = reading.fingerprint if reading.levels else None
    wanted = json.loads(json.dumps(wanted))
    files: dict[str, File] = {}
    for place in root.glob(f"{made_by['encoder']}-*"):
        files |= _files(place / JOURNAL, wanted)
    known = set()
    for name, path in found.images:
        file = files.get(name)
        try:
            if file is not None and file.stat.same(stat_of(path)):
                known.add(name)
        except OSError:  # gone meanwhile
            continue
    return frozenset(known)


def _files(journal: pathlib.Path, wanted: Mapping[str, Any]) -> dict[str, File]:
    """Files of a journal whose first line says what is wanted; none of another."""
    files: dict[str, File] = {}
    try:
        with journal.open(encoding="utf-8") as lines:
            header = json.loads(next(lines, "null"))
            about = header["about"]
            if header["version"] != VERSION or about["encoder"] != wanted["encoder"]:
                return {}
            if any(about.get(name) != value for name, value in wanted.items()):
                return {}
            for line in lines:
                files |= files_of_line(line)
    except (OSError, ValueError, LookupError, TypeError):
        # Cut off or damaged: what stands before that counts.
        return files
    return files

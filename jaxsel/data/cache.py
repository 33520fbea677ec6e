"""Arrays kept on disk between starts, checked when read and never served stale.

A folder holds one `.npy` file an array and a `manifest.json`, which is written last.
What was read from where is the manifest's identity: with another identity goes
another content. Every block of every file has its CRC-32 in the manifest, which is
checked at each start (about three gigabytes a second and core), so damage is found
before it does any.
"""

import concurrent.futures
import io
import os
import pathlib
import zlib
from typing import Any, Literal, NamedTuple

import numpy as np
from absl import logging

from jaxsel import files
from jaxsel.errors import UserError

_FORMAT = 1
_BLOCK = 1 << 24
# No header of an array without fields comes near this.
_HEADER = 1 << 12


class Cached(NamedTuple):
    """What a cache folder holds.

    Attributes:
      arrays: by name, read-only.
      notes: small JSON values stored beside them.
    """

    arrays: dict[str, np.ndarray]
    notes: dict[str, Any]


def store(
    folder: pathlib.Path,
    identity: dict[str, Any],
    arrays: dict[str, np.ndarray],
    notes: dict[str, Any],
) -> None:
    """Writes arrays so that `fetch` with the same identity returns them.

    A process that is killed on the way leaves files that do not match the manifest,
    which `fetch` refuses; it never leaves a part that looks whole.

    Args:
      folder: made when it is missing.
      identity: JSON values that determine the content.
      arrays: any shapes; dtypes without Python objects.
      notes: JSON values to keep beside the arrays.

    Raises:
      UserError: the folder cannot be written.
    """
    described = {}
    try:
        for name, array in arrays.items():
            path = folder / f"{name}.npy"
            with files.replacing(path) as part, part.open("wb") as stream:
                np.save(stream, array, allow_pickle=False)
            data = _read(path)
            described[name] = {"bytes": len(data), "crc32": _blocks(data)}
        files.write_json(
            folder / "manifest.json",
            {
                "format": _FORMAT,
                "identity": identity,
                "arrays": described,
                "notes": notes,
            },
        )
    except OSError as error:
        raise UserError(
            f"expected a cache folder that can be written at {folder}, found: "
            f"{error.strerror or error}; free some space, or choose another with "
            "JAXSEL_CACHE"
        ) from error


def fetch(folder: pathlib.Path, identity: dict[str, Any]) -> Cached | None:
    """Reads what `store` wrote, if it is there, of this identity and undamaged.

    A damaged cache is reported by a warning and answered with None, as is, without a
    warning, one that is missing or was made from something else.

    Args:
      folder: the cache's folder.
      identity: what the content must have been made from.

    Returns:
      The arrays and notes, or None when the caller has to make them.
    """
    if not (folder / "manifest.json").exists():
        return None
    try:
        manifest = files.read_json(folder / "manifest.json")
        if manifest["format"] != _FORMAT or manifest["identity"] != identity:
            logging.info("%s was made from other data and is made anew", folder)
            return None
        arrays = {
            name: _checked(folder / f"{name}.npy", described)
            for name, described in manifest["arrays"].items()
        }
        return Cached(arrays, manifest["notes"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        logging.warning("The cache %s is damaged (%s) and is rebuilt", folder, reason)
        return None


def _checked(path: pathlib.Path, described: dict[str, Any]) -> np.ndarray:
    """The array in a file; a ValueError when the file is not the one described.

    What is checked is what is used: the file is read once, into memory, since a mapped
    file that someone shortens kills the process.
    """
    data = _read(path)
    if len(data) != described["bytes"]:
        raise ValueError(f"{path.name} has {len(data)} bytes, not {described['bytes']}")
    if _blocks(data) != described["crc32"]:
        raise ValueError(f"{path.name} has another checksum")
    header = io.BytesIO(data[:_HEADER].tobytes())
    if np.lib.format.read_magic(header) != (1, 0):
        raise ValueError(f"{path.name} has another version of the format")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(header)
    order: Literal["C", "F"] = "F" if fortran else "C"
    array = data[header.tell() :].view(dtype).reshape(shape, order=order)
    array.flags.writeable = False
    return array


def _read(path: pathlib.Path) -> np.ndarray:
    """A file's bytes as uint8 `[size]`, its blocks read side by side."""
    data = np.empty(path.stat().st_size, np.uint8)

    def block(start: int) -> int:
        with path.open("rb") as stream:
            stream.seek(start)
            return stream.readinto(data[start : start + _BLOCK].data)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        if sum(pool.map(block, range(0, len(data), _BLOCK))) != len(data):
            raise ValueError(f"{path.name} changed while it was read")
    return data


def _blocks(data: np.ndarray) -> list[int]:
    """CRC-32 of each 16 MiB; zlib lets the threads run side by side."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        starts = range(0, len(data), _BLOCK)
        return list(
            pool.map(lambda at: zlib.crc32(data[at : at + _BLOCK].data), starts)
        )

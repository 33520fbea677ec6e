"""Arrays kept on disk between starts, mapped into memory and never served stale.

A folder holds one `.npy` file an array and a `manifest.json`, which is written last.
What was read from where is the manifest's identity: with another identity goes
another content. Every block of every file has its CRC-32 in the manifest, which is
checked at each start (about three gigabytes a second and core), so damage is found
before it does any.
"""

import concurrent.futures
import os
import pathlib
import zlib
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from jaxsel import files
from jaxsel.errors import UserError

_FORMAT = 1
_BLOCK = 1 << 24


class Cached(NamedTuple):
    """What a cache folder holds.

    Attributes:
      arrays: by name, read-only and mapped from their files.
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
            described[name] = {"bytes": path.stat().st_size, "crc32": _blocks(path)}
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
        for name, described in manifest["arrays"].items():
            _check(folder / f"{name}.npy", described)
        arrays = {
            name: np.asarray(
                np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            )
            for name in manifest["arrays"]
        }
        return Cached(arrays, manifest["notes"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        logging.warning("The cache %s is damaged (%s) and is rebuilt", folder, reason)
        return None


def _check(path: pathlib.Path, described: dict[str, Any]) -> None:
    """Raises a ValueError when a file is not the one that was described."""
    size = path.stat().st_size
    if size != described["bytes"]:
        raise ValueError(f"{path.name} has {size} bytes, not {described['bytes']}")
    if _blocks(path) != described["crc32"]:
        raise ValueError(f"{path.name} has another checksum")


def _blocks(path: pathlib.Path) -> list[int]:
    """CRC-32 of each 16 MiB of a file; zlib lets the threads run side by side."""
    starts = range(0, path.stat().st_size, _BLOCK)

    def block(start: int) -> int:
        with path.open("rb") as stream:
            stream.seek(start)
            return zlib.crc32(stream.read(_BLOCK))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(block, starts))

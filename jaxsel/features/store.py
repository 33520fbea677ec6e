"""The feature store: a folder an encoder, data set and split, checked when read.

A folder holds `features.npy` (raw rows in float32, float16, or bfloat16 as the bits of
uint16; it can be memory-mapped), `ids.npy`, and `manifest.json`: the identity (encoder,
its weights' hash, its seed, the data set's fingerprint), shape, dtype, SHA-256 of rows
and files, and quantiles of the norms. Rows are never normalised here: their norms are
what is sampled by, and unit rows follow from them.
"""

import hashlib
import pathlib
import shutil
import tempfile
import time
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from jaxsel.errors import UserError
from jaxsel.features.dtypes import pack, unpack
from jaxsel.files import hash_of, read_json, sha256_of_file, write_json
from jaxsel.full_disk import named_if_full
from jaxsel.npy_header import load_npy

VERSION = 1
QUANTILES = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)


class Features(NamedTuple):
    """Feature rows and what they belong to.

    Attributes:
      rows: float32 `[n, d]`, raw (not normalised), in the order of `ids`.
      ids: str `[n]`.
      sha256: of the rows' bytes.
      identity: what determines the rows.
    """

    rows: np.ndarray
    ids: np.ndarray
    sha256: str
    identity: dict[str, Any]


class Stored(NamedTuple):
    """A folder's content, checked.

    Attributes:
      rows: `[n, d]` in the stored dtype, memory-mapped and read-only.
      ids: str `[n]`.
      manifest: as in `manifest.json`.
    """

    rows: np.ndarray
    ids: np.ndarray
    manifest: dict[str, Any]

    def in_float32(self) -> Features:
        """The features in memory, as selection takes them."""
        rows = np.array(self.rows, np.float32)
        return Features(rows, self.ids, sha256_of_rows(rows), self.manifest["identity"])


def sha256_of_rows(rows: np.ndarray) -> str:
    """SHA-256 of an array's bytes in C order, as hexadecimal text."""
    return hashlib.sha256(np.ascontiguousarray(rows).data).hexdigest()


def with_dtype(identity: dict[str, Any], dtype: str) -> dict[str, Any]:
    """The identity of rows that were rounded to a format: float32 is not a rounding."""
    return identity if dtype == "float32" else {**identity, "stored_as": dtype}


def folder_of(root: pathlib.Path, identity: dict[str, Any]) -> pathlib.Path:
    """Where the features with this identity live.

    The name is for people, the hash for the program: `cifar10-train-rgb-0f3a…`.
    """
    words = [identity["dataset"], identity["split"], identity["encoder"]]
    return root / "-".join([*words, hash_of({"store": VERSION, **identity})])


def save(root: pathlib.Path, features: Features) -> pathlib.Path:
    """Writes features, whole or not at all.

    Args:
      root: the folder of all features.
      features: what to keep; `identity["stored_as"]` is the format, float32 without it.

    Returns:
      The folder that was written.

    Raises:
      UserError: a number does not fit the format, or there is no room on the disk.
    """
    folder = folder_of(root, features.identity)
    with named_if_full(folder):
        _save(folder, features)
    return folder


def _save(folder: pathlib.Path, features: Features) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = pathlib.Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        dtype = features.identity.get("stored_as", "float32")
        np.save(part / "features.npy", pack(features.rows, dtype))
        np.save(part / "ids.npy", features.ids)
        write_json(part / "manifest.json", _manifest(features, dtype, part))
        part.chmod(0o755)  # mkdtemp makes private folders
        if folder.exists():
            shutil.rmtree(folder)
        try:
            part.replace(folder)
        except OSError:
            # Another process stored the same features in between: its are as good.
            if not (folder / "manifest.json").exists():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _manifest(features: Features, dtype: str, part: pathlib.Path) -> dict[str, Any]:
    norms = np.linalg.norm(features.rows, axis=1)
    return {
        "version": VERSION,
        "identity": features.identity,
        "shape": list(features.rows.shape),
        "dtype": dtype,
        "sha256": features.sha256,
        "files": {
            name: sha256_of_file(part / name) for name in ("features.npy", "ids.npy")
        },
        "norm_quantiles": {str(q): float(np.quantile(norms, q)) for q in QUANTILES},
        "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def open_folder(folder: pathlib.Path) -> Stored:
    """Opens a stored folder and checks it against its manifest.

    Args:
      folder: as `save` writes it.

    Returns:
      Its content; the rows stay on disk.

    Raises:
      UserError: the folder is no store, or not what its manifest says.

    Example:
      >>> rows, ids = np.eye(2, 3, dtype=np.float32), np.array(["a", "b"])
      >>> about = {"dataset": "toy", "split": "train", "encoder": "mine"}
      >>> about = with_dtype(about, "bfloat16")
      >>> folder = save(
      ...     pathlib.Path(tempfile.mkdtemp()),
      ...     Features(rows, ids, sha256_of_rows(rows), about),
      ... )
      >>> stored = open_folder(folder)
      >>> stored.rows.dtype, stored.manifest["norm_quantiles"]["0.5"]
      (dtype(bfloat16), 1.0)
    """
    try:
        manifest = read_json(folder / "manifest.json")
        for name in ("features.npy", "ids.npy"):
            if sha256_of_file(folder / name) != manifest["files"][name]:
                raise ValueError(f"{name} has not the SHA-256 of its manifest")
        packed = load_npy(folder / "features.npy", mapped=True)
        rows, ids = unpack(packed, manifest["dtype"]), load_npy(folder / "ids.npy")
        shape = tuple(manifest["shape"])
        if rows.shape != shape or ids.shape != shape[:1]:
            raise ValueError(f"rows {rows.shape} and ids {ids.shape} for {shape}")
        manifest["identity"]["encoder"]  # what every identity has
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"expected stored features in {folder}, found them missing or damaged "
            f"({error}): make them again with jaxsel features"
        ) from error
    return Stored(rows, ids, manifest)


def load(
    root: pathlib.Path, identity: dict[str, Any], ids: np.ndarray
) -> Features | None:
    """Reads features if they are there and are what they say they are.

    Args:
      root: the folder of all features.
      identity: what determines the rows.
      ids: str `[n]`, the ids that the rows must have.

    Returns:
      The features, or `None` where they must be computed: nothing stored, or a damaged
      store, which is named in a warning. (Nothing is lost: an encoder makes them again.
      A folder that a person points to is refused instead, by `from_file`.)
    """
    folder = folder_of(root, identity)
    if not folder.exists():
        return None
    try:
        stored = open_folder(folder)
    except UserError as error:
        logging.warning("feature store damaged, computed anew: %s", error)
        return None
    if stored.manifest["identity"] != identity or not np.array_equal(stored.ids, ids):
        logging.warning(
            "feature store %s has another identity or other ids: computed anew", folder
        )
        return None
    features = stored.in_float32()
    if features.sha256 != stored.manifest["sha256"]:
        logging.warning("feature store damaged, computed anew: rows of %s", folder)
        return None
    return features

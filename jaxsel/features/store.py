"""The feature store: a folder an encoder, data set and split, checked when read."""

import hashlib
import pathlib
import shutil
import tempfile
import time
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from jaxsel.errors import UserError
from jaxsel.files import hash_of, read_json, sha256_of_file, write_json

VERSION = 1


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


def sha256_of_rows(rows: np.ndarray) -> str:
    """SHA-256 of an array's bytes in C order, as hexadecimal text."""
    return hashlib.sha256(np.ascontiguousarray(rows).data).hexdigest()


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
      features: what to keep.

    Returns:
      The folder that was written.
    """
    folder = folder_of(root, features.identity)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = pathlib.Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        np.save(part / "features.npy", features.rows)
        np.save(part / "ids.npy", features.ids)
        norms = np.linalg.norm(features.rows, axis=1)
        write_json(
            part / "manifest.json",
            {
                "version": VERSION,
                "identity": features.identity,
                "shape": list(features.rows.shape),
                "dtype": str(features.rows.dtype),
                "sha256": features.sha256,
                "files": {
                    name: sha256_of_file(part / name)
                    for name in ("features.npy", "ids.npy")
                },
                "norm_quantiles": {
                    str(q): float(np.quantile(norms, q))
                    for q in (0, 0.25, 0.5, 0.75, 1)
                },
                "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            },
        )
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
    return folder


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
      store, which is named in a warning.
    """
    folder = folder_of(root, identity)
    if not folder.exists():
        return None
    try:
        manifest = read_json(folder / "manifest.json")
        for name, expected in manifest["files"].items():
            if sha256_of_file(folder / name) != expected:
                raise UserError(f"{name} does not have the sha-256 of its manifest")
        rows = np.load(folder / "features.npy")
        kept = np.load(folder / "ids.npy")
    except (OSError, KeyError, TypeError, ValueError) as error:
        logging.warning(
            "feature store %s is damaged (%s): computed anew", folder, error
        )
        return None
    if not np.array_equal(kept, ids):
        logging.warning("feature store %s has other ids: made anew", folder)
        return None
    return Features(rows, kept, manifest["sha256"], identity)

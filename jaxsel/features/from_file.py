"""Bring your own features: a file or a stored folder, joined to the images by id."""

import pathlib
import zipfile
from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.features.parquet import read_parquet
from jaxsel.features.store import Features, open_folder, sha256_of_rows
from jaxsel.npy_header import load_member, load_npy


def read_features(path: str, ids: np.ndarray, identity: dict[str, Any]) -> Features:
    """Reads a matrix of features for the images with the given ids.

    Args:
      path: an `.npz` with `features` `[m, d]` and `ids` `[m]`, in any order and with
        rows to spare; a `.parquet` file with such columns (`jaxsel.features.parquet`);
        an `.npy` `[n, d]` whose rows follow the data set's own order (sorted by id); or
        a folder that `jaxsel features` wrote, of these very images.
      ids: str `[n]`, the images' ids.
      identity: data set, split and encoder, for the record.

    Returns:
      The rows of the images, float32, in the order of `ids`.

    Raises:
      UserError: the file is missing or truncated, has the wrong rank, misses an id,
        holds one twice, or holds NaN or inf; the folder is damaged or of other images.

    Example:
      >>> import tempfile
      >>> path = pathlib.Path(tempfile.mkdtemp()) / "rows.npz"
      >>> np.savez(path, features=np.eye(3), ids=np.array(["c", "a", "b"]))
      >>> read_features(str(path), np.array(["a", "c"]), {}).rows.tolist()
      [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    file = pathlib.Path(path).expanduser()
    if not path or not file.exists():
        raise UserError(
            "expected a feature file (.npy, .npz or .parquet) or a stored folder at "
            f"{path or '(no path)'}, found none: set config.features.path (and "
            "config.features.test_path)"
        )
    own_ids: np.ndarray | None
    if file.is_dir():
        rows, own_ids = _read_folder(file, identity)
    elif file.suffix == ".parquet":
        rows, own_ids = read_parquet(file)
    else:
        rows, own_ids = _read_arrays(file)
    if rows.dtype.kind not in "fiu" and rows.dtype.name != "bfloat16":
        raise UserError(
            f"expected features that are real numbers in {file}, found {rows.dtype}: "
            "write them as float32"
        )
    if rows.ndim != 2:
        raise UserError(
            f"expected features of shape [n, d] in {file}, found {list(rows.shape)}"
        )
    if own_ids is None:
        if len(rows) != len(ids):
            raise UserError(
                f"expected {len(ids)} rows in {file}, one an image, found {len(rows)}: "
                "store an .npz with `features` and `ids` to join them by id"
            )
    else:
        rows = rows[_positions(file, own_ids, ids)]
    with np.errstate(over="ignore"):  # too large for float32 is inf, refused below
        rows = np.asarray(rows, np.float32)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        bad = int(np.flatnonzero(~finite)[0])
        raise UserError(
            f"expected finite features in {file}, found NaN or inf in "
            f"{int((~finite).sum())} rows, the first for id {ids[bad]}: "
            "recompute or remove them"
        )
    sha256 = sha256_of_rows(rows)
    return Features(rows, ids, sha256, {**identity, "sha256": sha256})


def _read_folder(
    folder: pathlib.Path, asked: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and ids of a stored folder; one that was made of other images is refused."""
    stored = open_folder(folder)
    made_of = stored.manifest["identity"]
    for field in ("dataset", "split", "fingerprint"):
        if made_of.get(field) != asked[field]:
            raise UserError(
                f"expected features of {field} {asked[field]} in {folder}, found "
                f"{made_of.get(field)}: give the folder made of these images, or make "
                "it with jaxsel features"
            )
    return stored.rows.astype(np.float32), stored.ids


def _read_arrays(file: pathlib.Path) -> tuple[np.ndarray, np.ndarray | None]:
    try:
        with file.open("rb") as stream:
            if not zipfile.is_zipfile(stream):
                return load_npy(file), None
            stream.seek(0)
            loaded = np.load(stream)
            names = sorted(loaded.files)
            if not {"features", "ids"} <= set(names):
                raise UserError(
                    f"expected arrays named features and ids in {file}, found "
                    f"{', '.join(names)}"
                )
            own_ids = load_member(loaded, "ids").astype(str)
            rows = load_member(loaded, "features")
        if own_ids.shape != rows.shape[:1]:
            raise UserError(
                f"expected one id a row in {file}, found {own_ids.shape} ids for "
                f"features {list(rows.shape)}"
            )
        return rows, own_ids
    except UserError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy each raise their own kinds.
        raise UserError(
            f"expected a readable .npy or .npz file, found {file} damaged or "
            f"truncated ({error}): write it again"
        ) from error


def _positions(file: pathlib.Path, own_ids: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Row of each wanted id."""
    unique, counts = np.unique(own_ids, return_counts=True)
    repeated = np.flatnonzero(counts > 1)
    if repeated.size:
        raise UserError(
            f"expected distinct ids in {file}, found {str(unique[repeated[0]])!r} "
            f"{counts[repeated[0]]} times: keep one row of each"
        )
    row_of = {name: row for row, name in enumerate(own_ids.tolist())}
    missing = [name for name in ids.tolist() if name not in row_of]
    if missing:
        raise UserError(
            f"expected a row for every image in {file}, found none for {len(missing)} "
            f"of {len(ids)} ids, the first {missing[0]!r} (the file has ids like "
            f"{', '.join(own_ids[:1].tolist()) or 'none at all'}): write ids as the "
            "data set names them"
        )
    return np.array([row_of[name] for name in ids.tolist()], np.int64)

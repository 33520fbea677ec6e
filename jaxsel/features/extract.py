"""The feature stage: from the store when it is there, else encoded and stored."""

import pathlib
import shutil
import zipfile
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
from absl import logging

from jaxsel.errors import UserError
from jaxsel.features import store
from jaxsel.features.dtypes import rounded
from jaxsel.features.encoder import Encoder, encode_stream
from jaxsel.features.encoders import make_encoder
from jaxsel.features.from_file import read_features
from jaxsel.files import replacing
from jaxsel.npy_header import load_member

SHARD_ROWS = 1024

Read = Callable[[np.ndarray | None, int], Iterable[np.ndarray]]


class Meter(Protocol):
    """Told of progress, in images."""

    def start_at(self, amount: int) -> None:
        """So many were encoded by an earlier, interrupted extraction."""

    def advance(self, amount: int) -> None:
        """So many more are encoded."""


def features_of(
    settings: dict[str, Any],
    split: str,
    dataset: str,
    fingerprint: str,
    ids: np.ndarray,
    read: Read,
    root: pathlib.Path,
    meter: Meter,
) -> store.Features:
    """Features of a split, from the store, a file or an encoder.

    Args:
      settings: a config's `features` section.
      split: "train" or "test".
      dataset: its name.
      fingerprint: of the split's images; part of what the features are.
      ids: str `[n]`.
      read: `(rows or None, batch size)` to uint8 `[b, h, w, c]`, the given rows (all
        for `None`) in the order of `ids`.
      root: the folder of all features.
      meter: told how many images are done, after each batch.

    Returns:
      The features, float32 `[n, d]`.

    Raises:
      UserError: an unknown encoder, weights or a feature file that do not fit, or
        features that are not finite in the stored format.
    """
    about = {"dataset": dataset, "split": split, "fingerprint": fingerprint}
    if settings["encoder"] == "file":
        path = settings["path" if split == "train" else "test_path"]
        return read_features(path, ids, {**about, "encoder": "file"})
    encoder = make_encoder(settings)
    dtype = settings["dtype"]
    identity = store.with_dtype({**about, **encoder.identity}, dtype)
    features = store.load(root, identity, ids)
    if features is None:
        folder = store.folder_of(root, identity)
        parts = folder.with_name(f".{folder.name}.shards")
        rows = extract(
            encoder, read, len(ids), settings["batch_size"], dtype, parts, meter
        )
        features = store.Features(rows, ids, store.sha256_of_rows(rows), identity)
        folder = store.save(root, features)
        shutil.rmtree(parts, ignore_errors=True)
        logging.info("features %s of %s stored in %s", split, dataset, folder)
    return features


def extract(
    encoder: Encoder,
    read: Read,
    total: int,
    batch_size: int,
    dtype: str,
    parts: pathlib.Path,
    meter: Meter,
    shard_rows: int = SHARD_ROWS,
) -> np.ndarray:
    """Encodes images and keeps every finished shard on disk until all are done.

    Killed and called again, it goes on behind the last whole shard. Shards end where
    batches end, so every image meets the same program beside the same others, and the
    rows are those of an uninterrupted extraction bit for bit.

    Args:
      encoder: the encoder.
      read: as for `features_of`.
      total: how many images there are in all.
      batch_size: images of a batch.
      dtype: the format the rows are rounded to; see `jaxsel.features.dtypes`.
      parts: the folder of shards; of this encoder, these images and this format alone.
      meter: told how many images are done, after each batch.
      shard_rows: about how many images a shard has.

    Returns:
      float32 `[total, d]`, rounded to `dtype`.

    Raises:
      UserError: there was another number of images, or a feature is not finite.
    """
    step = max(1, shard_rows // batch_size) * batch_size
    shards = _earlier_shards(parts, step, total)
    done = kept = sum(map(len, shards))
    if done:
        meter.start_at(done)
        logging.info("%d of %d images were encoded before", done, total)
    batches: Iterable[np.ndarray] = []
    if done < total:
        batches = read(np.arange(done, total) if done else None, batch_size)
    waiting: list[np.ndarray] = []
    for out in encode_stream(encoder, batches, batch_size, done):
        waiting.append(rounded(out, dtype, done))
        done += len(out)
        meter.advance(len(out))
        if done - kept >= step or done == total:
            shards.append(np.concatenate(waiting))
            _write_shard(_shard(parts, kept), shards[-1])
            kept, waiting = done, []
    if done != total:
        raise UserError(
            f"expected {total} images to encode, found {done}: the data set changed "
            "while it was read; start again"
        )
    return np.concatenate(shards)


def _shard(parts: pathlib.Path, first: int) -> pathlib.Path:
    return parts / f"{first:09d}.npz"


def _write_shard(path: pathlib.Path, rows: np.ndarray) -> None:
    with replacing(path) as part, part.open("wb") as stream:
        np.savez(stream, rows=rows)  # a zip archive: it carries a checksum


def _earlier_shards(parts: pathlib.Path, step: int, total: int) -> list[np.ndarray]:
    """The whole shards from the first on, as an interrupted extraction left them."""
    shards: list[np.ndarray] = []
    for first in range(0, total, step):
        path = _shard(parts, first)
        if not path.is_file():
            break
        try:
            with path.open("rb") as stream:
                rows = load_member(np.load(stream), "rows")
            if rows.dtype != np.float32 or len(rows) != min(step, total - first):
                raise ValueError(f"{rows.dtype} {rows.shape}")
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            logging.warning("shard %s is of no use (%s): computed anew", path, error)
            break
        shards.append(rows)
    return shards

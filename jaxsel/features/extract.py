"""The feature stage: from the store when it is there, else encoded and stored."""

import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from absl import logging

from jaxsel.features import store
from jaxsel.features.encoders import encode_batches, make_encoder
from jaxsel.features.from_file import read_features


def features_of(
    settings: dict[str, Any],
    split: str,
    dataset: str,
    fingerprint: str,
    ids: np.ndarray,
    batches: Callable[[int], Iterable[np.ndarray]],
    root: pathlib.Path,
    advance: Callable[[int], None],
) -> store.Features:
    """Features of a split, from the store, a file or an encoder.

    Args:
      settings: a config's `features` section.
      split: "train" or "test".
      dataset: its name.
      fingerprint: of the split's images; part of what the features are.
      ids: str `[n]`.
      batches: given a batch size, yields uint8 `[b, h, w, c]` in the order of `ids`.
      root: the folder of all features.
      advance: called with the number of images encoded, after each batch.

    Returns:
      The features, float32 `[n, d]`.

    Raises:
      UserError: an unknown encoder, or a feature file that does not fit.
    """
    about = {"dataset": dataset, "split": split, "fingerprint": fingerprint}
    if settings["encoder"] == "file":
        path = settings["path" if split == "train" else "test_path"]
        return read_features(path, ids, {**about, "encoder": "file"})
    encoder = make_encoder(settings)
    identity = {**about, **encoder.identity}
    features = store.load(root, identity, ids)
    if features is None:
        rows = encode_batches(
            encoder,
            batches(settings["batch_size"]),
            len(ids),
            settings["batch_size"],
            advance,
        )
        features = store.Features(rows, ids, store.sha256_of_rows(rows), identity)
        folder = store.save(root, features)
        logging.info("features %s of %s stored in %s", split, dataset, folder)
    return features

"""Inputs of a study: both splits, their features, and the tasks that training reads."""

import pathlib
from collections.abc import Iterable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxsel.data.images import ImageSet
from jaxsel.data.load import load_fingerprinted
from jaxsel.experiment.pools import check_budgets
from jaxsel.experiment.progress import Progress
from jaxsel.experiment.settings import Settings
from jaxsel.features.extract import features_of
from jaxsel.features.store import Features
from jaxsel.files import hash_of
from jaxsel.training.frameworks import FRAMEWORKS
from jaxsel.training.task import Task


class Inputs(NamedTuple):
    """What a study reads.

    Attributes:
      train, test: the images of both splits.
      fingerprint: of both.
      train_features: what selection sees.
      test_features: for frameworks that learn from features, else `None`.
    """

    train: ImageSet
    test: ImageSet
    fingerprint: str
    train_features: Features
    test_features: Features | None

    @property
    def n_classes(self) -> int:
        return len(self.train.class_names)

    @property
    def input_norms(self) -> np.ndarray:
        """float32 `[n]`: Euclidean norms of the training images in [0, 1]."""
        flat = self.train.images.reshape(len(self.train.images), -1)
        norms = np.empty(len(flat), np.float32)
        for start in range(0, len(flat), 4096):
            block = flat[start : start + 4096].astype(np.float32) / 255.0
            norms[start : start + 4096] = np.linalg.norm(block, axis=1)
        return norms

    def tasks(self, settings: Settings) -> dict[str, Task]:
        """The training tasks that the study's frameworks need, by kind of input."""
        kinds = {FRAMEWORKS[name].inputs for name in settings.frameworks}
        labels = (self.train.labels, self.test.labels)
        tasks = {}
        if "images" in kinds:
            images = (self.train.images, self.test.images)
            tasks["images"] = _task(images, labels)
        if "features" in kinds and self.test_features is not None:
            rows = (self.train_features.rows, self.test_features.rows)
            tasks["features"] = _task(rows, labels)
        return tasks


def read_inputs(settings: Settings, cache: pathlib.Path) -> Inputs:
    """Reads images and makes features, or reads those that were made before.

    Args:
      settings: the checked config.
      cache: the folder of everything that can be made again.

    Returns:
      The inputs.

    Raises:
      UserError: data or features are missing, damaged or do not fit, or a budget is
        larger than the pool.
    """
    data = settings.resolved["data"]
    folder = data["dir"] or None
    train, train_print = load_fingerprinted(data["name"], "train", data_dir=folder)
    check_budgets(settings.budgets, len(train.ids), data["holdout"])
    test, test_print = load_fingerprinted(data["name"], "test", data_dir=folder)
    needs_test = any(
        FRAMEWORKS[name].inputs == "features" for name in settings.frameworks
    )
    train_features = _features(settings, "train", train, train_print, cache)
    test_features = None
    if needs_test:
        test_features = _features(settings, "test", test, test_print, cache)
    return Inputs(
        train,
        test,
        hash_of([train_print, test_print]),
        train_features,
        test_features,
    )


def _task(
    examples: tuple[np.ndarray, np.ndarray], labels: tuple[np.ndarray, np.ndarray]
) -> Task:
    """Arrays of both splits on the device, once for the whole study."""
    return Task(
        jnp.asarray(examples[0]),
        jnp.asarray(labels[0]),
        jnp.asarray(examples[1]),
        jnp.asarray(labels[1]),
    )


def _features(
    settings: Settings,
    split: str,
    images: ImageSet,
    fingerprint: str,
    cache: pathlib.Path,
) -> Features:
    def batches(size: int) -> Iterable[np.ndarray]:
        for start in range(0, len(images.images), size):
            yield images.images[start : start + size]

    with Progress(f"features, {split}", len(images.ids), "image") as progress:
        return features_of(
            settings.resolved["features"],
            split,
            settings.resolved["data"]["name"],
            fingerprint,
            images.ids,
            batches,
            cache / "features",
            progress.advance,
        )

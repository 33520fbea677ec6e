"""Inputs of a study: both splits and their features."""

import pathlib
from typing import NamedTuple

from jaxsel.data.catalog import DATASETS
from jaxsel.experiment.pools import check_budgets
from jaxsel.experiment.pretraining import with_encoder
from jaxsel.experiment.progress import Progress
from jaxsel.experiment.settings import Settings
from jaxsel.experiment.splits import Split, read_split
from jaxsel.features.extract import features_of
from jaxsel.features.store import Features
from jaxsel.files import hash_of
from jaxsel.training.frameworks import FRAMEWORKS


class Inputs(NamedTuple):
    """What a study reads.

    Attributes:
      train, test: the examples of both splits.
      train_features: what selection sees.
      test_features: for frameworks that learn from features, else `None`.
    """

    train: Split
    test: Split
    train_features: Features
    test_features: Features | None

    @property
    def n_classes(self) -> int:
        return len(self.train.class_names)

    @property
    def fingerprint(self) -> str:
        """Of the examples of both splits."""
        return hash_of([self.train.fingerprint, self.test.fingerprint])


def read_inputs(settings: Settings, cache: pathlib.Path) -> Inputs:
    """Reads examples and makes features, or reads those that were made before.

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
    # By the catalogue's size first: a set is not fetched for a budget it cannot serve.
    largest = max(DATASETS[data["name"]].train.sizes)
    check_budgets(settings.budgets, largest, data["holdout"])
    train = read_split(data, "train")
    check_budgets(settings.budgets, len(train.ids), data["holdout"])
    test = read_split(data, "test")
    both = needs_test_features(settings)
    encoded = with_encoder(settings, train, test, cache)
    return Inputs(
        train,
        test,
        split_features(encoded, train, cache),
        split_features(encoded, test, cache) if both else None,
    )


def needs_test_features(settings: Settings) -> bool:
    """Whether a framework learns from features, and so is tested on them."""
    return any(FRAMEWORKS[name].inputs == "features" for name in settings.frameworks)


def split_features(settings: Settings, split: Split, cache: pathlib.Path) -> Features:
    """A split's features, from the store, a file or the encoder of the config."""
    with Progress(f"features, {split.name}", len(split.ids), "image") as progress:
        return features_of(
            settings.resolved["features"],
            split.name,
            settings.resolved["data"]["name"],
            split.fingerprint,
            split.ids,
            split.read,
            cache / "features",
            progress,
        )

"""The feature stage alone: what `jaxsel features` does."""

import numpy as np
from ml_collections import ConfigDict

from jaxsel.data.folders import cache_root
from jaxsel.experiment.inputs import needs_test_features, split_features
from jaxsel.experiment.pretraining import with_encoder
from jaxsel.experiment.settings import check
from jaxsel.experiment.splits import read_split
from jaxsel.features.store import folder_of


def make_features(config: ConfigDict) -> str:
    """Makes a config's features of both splits, where they are not stored yet.

    A study with the same config finds them. Features of one's own are only checked
    against the data set, those of the test images where a framework needs them.

    Args:
      config: of the form that `configs/common.py` makes.

    Returns:
      Two lines a split: what the features are and how long the rows are, and where.

    Raises:
      UserError: a mistake in the config, the data, the weights or a feature file.
    """
    settings = check(config)
    chosen, cache = settings.resolved["features"], cache_root(None)
    own = chosen["encoder"] == "file"
    both = not own or needs_test_features(settings)
    names = ("train", "test") if both else ("train",)
    splits = {name: read_split(settings.resolved["data"], name) for name in names}
    encoded = settings
    if both:
        encoded = with_encoder(settings, splits["train"], splits["test"], cache)
    lines = []
    for name, split in splits.items():
        features = split_features(encoded, split, cache)
        n, d = features.rows.shape
        low, median, high = np.quantile(
            np.linalg.norm(features.rows, axis=1), (0.01, 0.5, 0.99)
        )
        place = (
            chosen["path" if name == "train" else "test_path"]
            if own
            else folder_of(cache / "features", features.identity)
        )
        lines += [
            f"{name}: {n:,} rows of {d} by {chosen['encoder']}; norms {low:.4g} to "
            f"{high:.4g} (1 % to 99 %), median {median:.4g}",
            f"  {place}",
        ]
    return "\n".join(lines)

"""The stage before the features: training the encoder that makes them."""

import pathlib

import numpy as np
from absl import logging

from jaxsel.experiment.progress import Progress
from jaxsel.experiment.settings import Settings
from jaxsel.experiment.splits import Split
from jaxsel.files import replacing
from jaxsel.pretraining.metrics import read_metrics
from jaxsel.pretraining.pretrain import pretrain
from jaxsel.pretraining.settings import simclr_settings, watch_settings
from jaxsel.pretraining.watch import Monitor
from jaxsel.report.drawing import png_bytes
from jaxsel.report.pretraining import pretraining_figure


def with_encoder(
    settings: Settings, train: Split, test: Split, cache: pathlib.Path
) -> Settings:
    """Trains the encoder of a config, or goes on with it, or finds it finished.

    It sees every training image, the hold-out's too, and no label. The accuracy of
    its nearest neighbours on test images is logged now and then and chooses nothing.

    Args:
      settings: the checked config.
      train: images to train on.
      test: images to measure features on.
      cache: the folder of everything that can be made again.

    Returns:
      The settings, with the encoder's folder as `features.weights`; as they are for
      encoders that are not trained here.

    Raises:
      UserError: a training that failed.
    """
    features = settings.resolved["features"]
    if features["encoder"] != "simclr":
        return settings
    assert train.images is not None, "settings.check refuses streamed data sets"
    section = settings.resolved["simclr"]
    chosen = simclr_settings(features, section)
    monitor = Monitor(
        chosen,
        _first(train, section["knn_bank"]),
        _first(test, section["knn_queries"]),
        len(train.class_names),
    )
    folder = pretrain(
        train.images,
        chosen,
        dataset=settings.resolved["data"]["name"],
        fingerprint=train.fingerprint,
        root=cache / "encoders",
        watch=watch_settings(section),
        monitor=monitor,
        begin=_progress,
    )
    curve = folder / "curve.png"
    if not curve.exists() and (rows := read_metrics(folder / "metrics.jsonl")):
        with replacing(curve) as part:
            part.write_bytes(png_bytes(pretraining_figure(rows)))
    logging.info("encoder and its curve in %s", folder)
    resolved = {**settings.resolved, "features": {**features, "weights": str(folder)}}
    return settings._replace(resolved=resolved)


def _progress(total: int, done: int) -> Progress:
    progress = Progress("SimCLR", total, "step")
    progress.start_at(done)
    return progress


def _first(split: Split, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Some images and labels, spread over the whole split; all of them for 0."""
    assert split.images is not None
    n = len(split.images)
    if count == 0 or count >= n:
        return split.images, split.labels
    rows = np.linspace(0, n - 1, count).astype(int)
    return split.images[rows], split.labels[rows]

"""A training of seconds: 24 images of 8×8, a network of width 2."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from jaxsel.pretraining.pretrain import pretrain
from jaxsel.pretraining.simclr import SimCLR
from jaxsel.pretraining.watch import Watch

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (24, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(24) % 3
SETTINGS = SimCLR(
    width=2, epochs=3, batch_size=4, learning_rate=0.1, projection=8, seed=5
)
EVERY_STEP = Watch(log_steps=2, save_seconds=0, knn_epochs=0)


class Count:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int]] = []
        self.done = 0

    @contextlib.contextmanager
    def begin(self, total: int, done: int) -> Iterator["Count"]:
        self.begun.append((total, done))
        self.done = done
        yield self

    def advance(self, amount: int, note: str = "") -> None:
        self.done += amount


def train(root: pathlib.Path, settings: SimCLR = SETTINGS, **others: Any) -> Any:
    arguments = {"monitor": None, "watch": EVERY_STEP, "begin": Count().begin, **others}
    return pretrain(
        IMAGES, settings, dataset="tiny", fingerprint="f", root=root, **arguments
    )

"""What is looked at during a training: how often, and the features' k-NN accuracy."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxsel.pretraining.embed import make_embed
from jaxsel.pretraining.knn import knn_accuracy
from jaxsel.pretraining.simclr import SimCLR
from jaxsel.pretraining.weights import Weights


class Watch(NamedTuple):
    """How often to look; none of it changes the weights.

    Attributes:
      log_steps: most steps a line of metrics is the mean of; an epoch's end is one.
      save_seconds: least time between two checkpoints.
      knn_epochs: epochs from one k-NN accuracy to the next; 0 is never.
    """

    log_steps: int = 100
    save_seconds: float = 60.0
    knn_epochs: int = 20

    def is_due(self, step: int, per_epoch: int, total: int) -> bool:
        """Whether features are measured after `step` steps: also after the last."""
        if not self.knn_epochs:
            return False
        return step == total or step % (per_epoch * self.knn_epochs) == 0


class Monitor:
    """The k-NN accuracy of an encoder's features on images held out of training.

    Labels are for this number alone, and the number is for people: nothing is chosen
    or stopped by it. Differs from SCAN's check, which measures the head's output.

    Args:
      settings: of the network.
      bank: uint8 `[n, h, w, c]` and int `[n]`: images whose labels vote.
      held_out: uint8 `[m, h, w, c]` and int `[m]`: images that are asked for.
      n_classes: labels are below it.
      k: neighbours.
      batch_size: images in a call of the network.
    """

    def __init__(
        self,
        settings: SimCLR,
        bank: tuple[np.ndarray, np.ndarray],
        held_out: tuple[np.ndarray, np.ndarray],
        n_classes: int,
        *,
        k: int = 100,
        batch_size: int = 256,
    ) -> None:
        self._embed = make_embed(settings)
        self._bank, self._held_out, self._classes = bank, held_out, n_classes
        self._k, self._batch_size = min(k, len(bank[0])), batch_size

    def accuracy(self, weights: Weights) -> float:
        """Accuracy on the held-out images, 0 … 1."""
        return knn_accuracy(
            self._features(weights, self._bank[0]),
            self._bank[1],
            self._features(weights, self._held_out[0]),
            self._held_out[1],
            n_classes=self._classes,
            k=self._k,
        )

    def _features(self, weights: Weights, images: np.ndarray) -> np.ndarray:
        rows = []
        for first in range(0, len(images), self._batch_size):
            batch = images[first : first + self._batch_size]
            padding = self._batch_size - len(batch)
            padded = np.pad(batch, ((0, padding), (0, 0), (0, 0), (0, 0)))
            rows.append(self._embed(weights, jnp.asarray(padded))[: len(batch)])
        return np.concatenate([np.asarray(row) for row in rows])

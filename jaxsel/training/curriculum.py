"""FlexMatch's curriculum: a threshold for each class that rises as it is learned."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxsel.training.consistency import consistency_loss, labelled_loss
from jaxsel.training.slots import last_writer, write


class Curriculum(NamedTuple):
    """What FlexMatch remembers of the pool.

    Attributes:
      labels: int32 `[n]`, the class last predicted with confidence for each example;
        −1 if there was none yet.
      learned: float32 `[k]`, how well each class is learned, 0 … 1.
    """

    labels: Array
    learned: Array


class FlexMatchLosses(NamedTuple):
    """The parts of FlexMatch's loss.

    Attributes:
      labelled: scalar, in nats.
      consistency: scalar, in nats.
      thresholds: `[k]`, of the classes in this step.
      mask: bool `[m]`, the unlabelled examples whose pseudo-label is trusted.
      pseudo: int32 `[m]`, their pseudo-labels.
    """

    labelled: Array
    consistency: Array
    thresholds: Array
    mask: Array
    pseudo: Array


def begin_curriculum(n: int, n_classes: int) -> Curriculum:
    """Nothing predicted and nothing learned, for a pool of `n`."""
    return Curriculum(jnp.full(n, -1, jnp.int32), jnp.zeros(n_classes))


def class_thresholds(learned: Array, cutoff: float) -> Array:
    """`cutoff · β / (2 − β)`: 0 for a class not learned, `cutoff` for the best one.

    Args:
      learned: `[k]`, the `β`, 0 … 1.
      cutoff: the threshold of a class that is fully learned.

    Returns:
      `[k]`.

    Example:
      >>> class_thresholds(jnp.array([0.0, 1.0]), 0.95).tolist()
      [0.0, 0.949999988079071]

    Source: Zhang et al. (2021), Eq. 7 and 10, the convex mapping.
    """
    return cutoff * learned / (2 - learned)


def advance_curriculum(
    curriculum: Curriculum,
    rows: Array,
    pseudo: Array,
    confident: Array,
    *,
    warm_up: bool,
) -> Curriculum:
    """Remembers the confident predictions and weighs the classes anew.

    With `N_c` examples remembered as class `c` and `N_−1` not remembered,
    `β_c = N_c / max(N_0 … N_{k−1})`; during the warm-up the maximum includes `N_−1`.
    While one value holds the whole memory, `β` stays as it is.

    Args:
      curriculum: so far.
      rows: int32 `[m]`, examples of the pool; of one that is named twice the last
        confident prediction counts.
      pseudo: int32 `[m]`, predicted classes.
      confident: bool `[m]`, whether to remember them.
      warm_up: whether examples not yet remembered hold the thresholds down.

    Returns:
      The curriculum after this step.

    Source: Zhang et al. (2021), Eq. 5, 6 and 11.
    """
    n, k = curriculum.labels.shape[0], curriculum.learned.shape[0]
    labels = write(curriculum.labels, pseudo, last_writer(rows, confident, n))
    counts = (labels[:, None] == jnp.arange(-1, k)).sum(0)
    largest = (counts if warm_up else counts[1:]).max()
    learned = counts[1:] / jnp.maximum(largest, 1)
    return Curriculum(labels, jnp.where(counts.max() < n, learned, curriculum.learned))


def flexmatch_losses(
    curriculum: Curriculum,
    labelled: Array,
    weak: Array,
    strong: Array,
    labels: Array,
    rows: Array,
    *,
    cutoff: float,
    warm_up: bool,
) -> tuple[FlexMatchLosses, Curriculum]:
    """One step of FlexMatch, given the network's outputs.

    The pseudo-label is the most probable class of the weak view, trusted if its
    probability reaches the class's threshold; the thresholds are those that the step
    began with. A probability of `cutoff` or more is remembered.

    Args:
      curriculum: so far.
      labelled: logits `[b, k]` of the labelled examples.
      weak: logits `[m, k]` of the weak views; they get no gradient.
      strong: logits `[m, k]` of the strong views.
      labels: int32 `[b]`.
      rows: int32 `[m]`, which examples of the pool these are.
      cutoff: see `class_thresholds`.
      warm_up: see `advance_curriculum`.

    Returns:
      The parts of the loss, and the curriculum after the step.

    Source: Zhang et al. (2021), Algorithm 1.
    """
    probabilities = jax.nn.softmax(jax.lax.stop_gradient(weak))
    largest, pseudo = probabilities.max(-1), probabilities.argmax(-1)
    thresholds = class_thresholds(curriculum.learned, cutoff)
    mask = largest >= thresholds[pseudo]
    targets = jax.nn.one_hot(pseudo, weak.shape[-1], dtype=strong.dtype)
    losses = FlexMatchLosses(
        labelled_loss(labelled, labels),
        consistency_loss(strong, targets, mask),
        thresholds,
        mask,
        pseudo,
    )
    after = advance_curriculum(
        curriculum, rows, pseudo, largest >= cutoff, warm_up=warm_up
    )
    return losses, after

"""SimMatch's memory of labelled examples, and the labels that it gives to others."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxsel.training.consistency import consistency_loss, labelled_loss
from jaxsel.training.slots import last_writer, write

BANK_NORMS = ("vector", "batch")

_EPSILON = 1e-6
_SHORTEST = 1e-12


class Bank(NamedTuple):
    """What SimMatch remembers.

    Attributes:
      vectors: float32 `[l, d]`, a projection for each labelled example.
      labels: int32 `[l]`, its class; 0 before the example was first seen.
      recent: float32 `[q, k]`, mean class probabilities of recent batches.
      next: int32 scalar, the row of `recent` that is written next.
    """

    vectors: Array
    labels: Array
    recent: Array
    next: Array


class SimMatchLosses(NamedTuple):
    """The parts of SimMatch's loss.

    Attributes:
      labelled: scalar, in nats.
      consistency: scalar, in nats.
      similarity: scalar, in nats; 0 in the first steps.
      pseudo: `[m, k]`, the class probabilities that serve as targets.
      mask: bool `[m]`, the unlabelled examples that are trusted.
    """

    labelled: Array
    consistency: Array
    similarity: Array
    pseudo: Array
    mask: Array


class SimMatchOptions(NamedTuple):
    """Numbers of the method.

    Attributes:
      cutoff: smallest probability that is trusted.
      temperature: of the similarities.
      smoothing: share of a pseudo-label that is the network's own.
      momentum: share of a remembered vector that is kept.
      first_steps: steps without the similarity's loss and share.
      bank_norm: `"vector"`: remembered vectors have length 1. `"batch"`: each of the
        `d` coordinates has length 1 across the batch that is written, which is what
        USB's code does, so that lengths depend on the batch size.
    """

    cutoff: float = 0.95
    temperature: float = 0.1
    smoothing: float = 0.9
    momentum: float = 0.7
    first_steps: int = 1024
    bank_norm: str = "vector"


def begin_bank(key: Array, slots: int, dim: int, queue: int, n_classes: int) -> Bank:
    """Random unit vectors of class 0, and no recent batch."""
    vectors = _unit(jax.random.normal(key, (slots, dim)), axis=1)
    labels = jnp.zeros(slots, jnp.int32)
    return Bank(vectors, labels, jnp.zeros((queue, n_classes)), jnp.int32(0))


def align(probabilities: Array, bank: Bank) -> tuple[Array, Bank]:
    """Class probabilities made to agree with a uniform distribution over classes.

    The batch's mean is written to the queue first; then every row is multiplied by
    `(1/k + ε) / (mean of the queue + ε)`, `ε = 1e−6`, and normalised. The mean is over
    the whole queue, rows not yet written counting as 0.

    Args:
      probabilities: `[m, k]`.
      bank: so far.

    Returns:
      `[m, k]`, and the bank with its queue moved on.

    Source: Zheng et al. (2022), section 3.2, after Berthelot et al. (2020); the queue
    is USB's (Wang et al., 2022).
    """
    recent = bank.recent.at[bank.next].set(probabilities.mean(0))
    following = (bank.next + 1) % bank.recent.shape[0]
    wanted = 1 / probabilities.shape[-1] + _EPSILON
    scaled = probabilities * (wanted / (recent.mean(0) + _EPSILON))
    aligned = scaled / scaled.sum(-1, keepdims=True)
    return aligned, bank._replace(recent=recent, next=following)


def propagate(
    aligned: Array, similarity: Array, labels: Array, smoothing: float
) -> tuple[Array, Array]:
    """Classes and similarities inform each other.

    A similarity `q_i` to a labelled example of class `c(i)` becomes
    `q_i · p_c(i) / Σ_j q_j · p_c(j)`; a class probability becomes
    `smoothing · p_c + (1 − smoothing) · Σ_{i: c(i) = c} q_i`.

    Args:
      aligned: `[m, k]`, the `p`.
      similarity: `[m, l]`, the `q`, rows of sum 1.
      labels: int32 `[l]`, the `c(i)`.
      smoothing: 0 … 1.

    Returns:
      `(similarities [m, l], class probabilities [m, k])`.

    Source: Zheng et al. (2022), Eq. 8 to 11.
    """
    weighed = similarity * aligned[:, labels]
    members = jax.nn.one_hot(labels, aligned.shape[-1], dtype=similarity.dtype)
    gathered = jnp.matmul(similarity, members, precision="highest")
    # A row of zeros, all its classes impossible, stays one and is no target.
    total = jnp.maximum(weighed.sum(-1, keepdims=True), jnp.finfo(weighed.dtype).tiny)
    return (
        weighed / total,
        smoothing * aligned + (1 - smoothing) * gathered,
    )


def remember(
    bank: Bank, slots: Array, vectors: Array, labels: Array, options: SimMatchOptions
) -> Bank:
    """Moves the named slots towards new vectors.

    `normalise(momentum · old + (1 − momentum) · new)`, where `old` is what the bank
    held before the step; of a slot that is named twice the last element counts.

    Args:
      bank: so far.
      slots: int32 `[b]`.
      vectors: `[b, d]`; they get no gradient.
      labels: int32 `[b]`.
      options: momentum and normalisation.

    Returns:
      The bank.
    """
    kept, new = bank.vectors[slots], jax.lax.stop_gradient(vectors)
    mixed = options.momentum * kept + (1 - options.momentum) * new
    mixed = _unit(mixed, axis=0 if options.bank_norm == "batch" else 1)
    everyone = jnp.ones(slots.shape, bool)
    writer = last_writer(slots, everyone, bank.labels.shape[0])
    return bank._replace(
        vectors=write(bank.vectors, mixed, writer),
        labels=write(bank.labels, labels, writer),
    )


def simmatch_losses(
    bank: Bank,
    logits: tuple[Array, Array, Array],
    vectors: tuple[Array, Array, Array],
    labels: Array,
    slots: Array,
    step: Array,
    options: SimMatchOptions,
) -> tuple[SimMatchLosses, Bank]:
    """One step of SimMatch, given the network's outputs.

    Args:
      bank: so far.
      logits: of labelled `[b, k]`, weak `[m, k]` and strong `[m, k]` views; the weak
        ones get no gradient.
      vectors: unit projections of the same, `[b, d]`, `[m, d]`, `[m, d]`; the strong
        ones alone get a gradient.
      labels: int32 `[b]`.
      slots: int32 `[b]`, which labelled examples these are.
      step: int32 scalar, from 0.
      options: numbers of the method.

    Returns:
      The parts of the loss, and the bank after the step.

    Source: Zheng et al. (2022), Algorithm 1, in the form of USB (Wang et al., 2022)
    for small images: no momentum teacher.
    """
    weak = jax.lax.stop_gradient((logits[1], vectors[1]))
    aligned, moved = align(jax.nn.softmax(weak[0]), bank)

    def against_bank(projections: Array) -> Array:
        products = jnp.matmul(projections, bank.vectors.T, precision="highest")
        return products / options.temperature

    teacher = jax.nn.softmax(against_bank(weak[1]))
    target, mixed = propagate(aligned, teacher, bank.labels, options.smoothing)
    student = jax.nn.log_softmax(against_bank(vectors[2]))
    first = step < options.first_steps
    pseudo = jnp.where(first, aligned, mixed)
    mask = pseudo.max(-1) >= options.cutoff
    losses = SimMatchLosses(
        labelled_loss(logits[0], labels),
        consistency_loss(logits[2], pseudo, mask),
        jnp.where(first, 0.0, -(target * student).sum(-1).mean()),
        pseudo,
        mask,
    )
    return losses, remember(moved, slots, vectors[0], labels, options)


def _unit(x: Array, axis: int) -> Array:
    lengths = jnp.sqrt(jnp.square(x).sum(axis, keepdims=True))
    return x / jnp.maximum(lengths, _SHORTEST)

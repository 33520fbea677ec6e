"""Framework (iii), SimMatch: classes and similarities to labelled images agree."""

from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax import Array

from jaxsel.errors import UserError
from jaxsel.models.initialise import deal_parameters
from jaxsel.models.projection import ProjectionHead
from jaxsel.models.wide_resnet import WideResNet
from jaxsel.training.semi_step import Batch, SemiLearner
from jaxsel.training.semi_supervised import check_loop
from jaxsel.training.similarity import (
    BANK_NORMS,
    SimMatchOptions,
    begin_bank,
    simmatch_losses,
)


class SimMatch(NamedTuple):
    """Settings of SimMatch; the defaults are the paper's for CIFAR-10.

    Attributes:
      depth: and the following ones that `FlexMatch` has too mean what they mean there.
      unlabelled_weight: of the loss of the strong views' classes.
      similarity_weight: of the loss of the strong views' similarities.
      temperature: of the similarities.
      smoothing: share of a pseudo-label that is the network's own.
      bank_momentum: share of a remembered vector that is kept.
      bank_norm: `"vector"` or `"batch"`; see `SimMatchOptions`.
      queue: batches whose mean class probabilities are remembered.
      projection: numbers of a projection.
      first_steps: steps without the similarities' loss and share.

    Source: Bar & Giryes, arXiv 2406.01086, training details; Zheng et al. (2022) in
    the form of USB (Wang et al., 2022).
    """

    depth: int = 28
    widen: int = 10
    iterations: int = 1_000_000
    eval_every: int = 5000
    labelled_batch: int = 64
    unlabelled_ratio: int = 7
    learning_rate: float = 0.03
    momentum: float = 0.9
    weight_decay: float = 5e-4
    average_decay: float = 0.999
    cutoff: float = 0.95
    unlabelled_weight: float = 1.0
    similarity_weight: float = 1.0
    temperature: float = 0.1
    smoothing: float = 0.9
    bank_momentum: float = 0.7
    bank_norm: str = "vector"
    queue: int = 32
    projection: int = 128
    first_steps: int = 1024
    operations: int = 3
    pad: int = 4
    flip: bool = True
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    eval_batch: int = 250
    dtype: str = "float32"
    lowering: str = "auto"


def check_simmatch(settings: SimMatch) -> None:
    """Refuses settings that cannot be trained with.

    Raises:
      UserError: naming the first field that is wrong.
    """
    check_loop("simmatch", settings)
    if settings.bank_norm not in BANK_NORMS:
        raise UserError(
            f"simmatch.bank_norm: expected one of {', '.join(BANK_NORMS)}, "
            f"found {settings.bank_norm!r}"
        )
    for field in ("queue", "projection"):
        found = getattr(settings, field)
        if found < 1:
            raise UserError(f"simmatch.{field}: expected at least 1, found {found}")
    if settings.temperature <= 0:
        raise UserError(
            "simmatch.temperature: expected a positive number, "
            f"found {settings.temperature}"
        )
    for field in ("smoothing", "bank_momentum"):
        found = getattr(settings, field)
        if not 0 <= found <= 1:
            raise UserError(f"simmatch.{field}: expected 0 … 1, found {found}")


def simmatch_learner(settings: SimMatch, n_classes: int) -> SemiLearner:
    """A wide residual network and a projection head with SimMatch's loss.

    `L = CE(labelled) + unlabelled_weight · mean(mask · CE(strong, soft pseudo-label))
    + similarity_weight · CE(similarities of strong, propagated ones of weak)`.

    Args:
      settings: of SimMatch.
      n_classes: outputs of the network.

    Returns:
      The learner.

    Raises:
      UserError: settings that cannot be trained with.

    Source: Zheng et al. (2022), Algorithm 1.
    """
    check_simmatch(settings)
    network = WideResNet(n_classes, settings.depth, settings.widen, settings.lowering)
    head = ProjectionHead(settings.projection)
    options = SimMatchOptions(
        settings.cutoff,
        settings.temperature,
        settings.smoothing,
        settings.bank_momentum,
        settings.first_steps,
        settings.bank_norm,
    )

    def start(key: Array, x: Array) -> tuple[Any, Any]:
        key_network, key_head = jax.random.split(key)
        params, state = network.start(key_network, x)
        embedded = jnp.zeros((1, 64 * settings.widen))
        shapes = jax.eval_shape(lambda: head.init(jax.random.key(0), embedded))
        projection = deal_parameters(key_head, shapes["params"])
        return {"network": params, "head": projection}, state

    def forward(params: Any, state: Any, x: Array) -> tuple[tuple[Array, Array], Any]:
        (logits, embedded), state = network.forward(params["network"], state, x)
        projected = head.apply({"params": params["head"]}, embedded)
        return (logits, cast(Array, projected)), state

    def predict(params: Any, state: Any, x: Array) -> Array:
        return network.predict(params["network"], state, x)

    def begin(key: Array, n_pool: int, n_labelled: int) -> Any:
        del n_pool
        return begin_bank(
            key, n_labelled, settings.projection, settings.queue, n_classes
        )

    def loss(
        memory: Any, labelled: Any, weak: Any, strong: Any, batch: Batch
    ) -> tuple[Array, Any]:
        logits, vectors = zip(labelled, weak, strong, strict=True)
        parts, memory = simmatch_losses(
            memory, logits, vectors, batch.labels, batch.slots, batch.step, options
        )
        total = (
            parts.labelled
            + settings.unlabelled_weight * parts.consistency
            + settings.similarity_weight * parts.similarity
        )
        return total, jax.lax.stop_gradient(memory)

    return SemiLearner(start, forward, predict, begin, loss)

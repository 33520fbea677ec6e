"""Framework (iii), FlexMatch: pseudo-labels trusted by the class's own threshold."""

from typing import Any, NamedTuple

import jax
from jax import Array

from jaxsel.models.wide_resnet import WideResNet
from jaxsel.training.curriculum import begin_curriculum, flexmatch_losses
from jaxsel.training.semi_step import Batch, SemiLearner
from jaxsel.training.semi_supervised import check_loop


class FlexMatch(NamedTuple):
    """Settings of FlexMatch; the defaults are the paper's for CIFAR-10.

    Attributes:
      depth: of the wide residual network.
      widen: its width; 10 is the paper's, 2 the usual one for CIFAR-10.
      iterations: steps.
      eval_every: steps between two evaluations; divides `iterations`.
      labelled_batch: labelled images a step; the labels are repeated as needed.
      unlabelled_ratio: unlabelled images for each labelled one.
      learning_rate: of the first step; then 7/16 of a cosine.
      momentum: Nesterov's.
      weight_decay: on matrices and convolutions.
      average_decay: of the moving average of the weights.
      cutoff: threshold of a class that is learned.
      warm_up: whether thresholds rise slowly while most of the pool has no confident
        prediction yet.
      unlabelled_weight: of the loss of the strong views.
      operations: RandAugment's, an image.
      pad: largest shift in pixels of a weak view.
      flip: mirror half the views; not for digits, whose mirror images are no digits.
      mean: of the training pixels in 0 … 1, one number a channel.
      std: likewise.
      eval_batch: test images at a time; changes speed and memory only.
      dtype: that the network computes in: float32 or bfloat16; weights are float32.
      lowering: of the convolutions, one of `jaxsel.models.LOWERINGS`.

    Source: Bar & Giryes, arXiv 2406.01086, training details; Zhang et al. (2021);
    mean and std are ImageNet's, as USB (Wang et al., 2022) has them for CIFAR-10.
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
    warm_up: bool = True
    unlabelled_weight: float = 1.0
    operations: int = 3
    pad: int = 4
    flip: bool = True
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    eval_batch: int = 250
    dtype: str = "float32"
    lowering: str = "auto"


def flexmatch_learner(settings: FlexMatch, n_classes: int) -> SemiLearner:
    """A wide residual network with FlexMatch's loss.

    `L = CE(labelled) + unlabelled_weight · mean(mask · CE(strong, pseudo-label))`.

    Args:
      settings: of FlexMatch.
      n_classes: outputs of the network.

    Returns:
      The learner.

    Raises:
      UserError: settings that cannot be trained with.

    Source: Zhang et al. (2021), Algorithm 1.
    """
    check_loop("flexmatch", settings)
    network = WideResNet(n_classes, settings.depth, settings.widen, settings.lowering)

    def forward(params: Any, state: Any, x: Array) -> tuple[Array, Any]:
        (logits, _), state = network.forward(params, state, x)
        return logits, state

    def begin(key: Array, n_pool: int, n_labelled: int) -> Any:
        del key, n_labelled
        return begin_curriculum(n_pool, n_classes)

    def loss(
        memory: Any, labelled: Array, weak: Array, strong: Array, batch: Batch
    ) -> tuple[Array, Any]:
        parts, memory = flexmatch_losses(
            memory,
            labelled,
            weak,
            strong,
            batch.labels,
            batch.rows,
            cutoff=settings.cutoff,
            warm_up=settings.warm_up,
        )
        total = parts.labelled + settings.unlabelled_weight * parts.consistency
        return total, jax.lax.stop_gradient(memory)

    return SemiLearner(network.start, forward, network.predict, begin, loss)

"""Framework (i): a ResNet-18 trained from scratch on the labelled images."""

from typing import Any, NamedTuple

import jax
from jax import Array

from jaxsel.augment.geometry import CROPS, crop, normalise, random_flip
from jaxsel.errors import UserError
from jaxsel.models.conv import LOWERINGS
from jaxsel.models.resnet import STEMS, ResNet18
from jaxsel.training.learner import Learner


class Supervised(NamedTuple):
    """Settings of framework (i); the defaults are the paper's for CIFAR-10.

    Attributes:
      width: channels of the network's first stage.
      stem: one of `jaxsel.models.STEMS`.
      dropout: before the last layer.
      epochs: passes over the labels.
      learning_rate: of the first epoch; then half a cosine.
      momentum: Nesterov's.
      weight_decay: on every parameter.
      min_batch: fewer labels than this are repeated up to it.
      batch_cap: largest batch, 0 for none (50 on ImageNet).
      crop: `"pad"`, `"resized"` or `"none"`.
      pad: pixels of black for `crop="pad"`.
      scale: range of the area for `crop="resized"`.
      flip: mirror half the images; not for digits, whose mirror images are no digits.
      mean: of the training pixels in 0 … 1, one number a channel.
      std: likewise.
      reference_eval: crop test images at random too, as TypiClust's code does by an
        oversight; numbers so obtained are lower and noisy.
      eval_batch: test images at a time; changes speed and memory only.
      lowering: of the convolutions, one of `jaxsel.models.LOWERINGS`.
    """

    width: int = 64
    stem: str = "reference"
    dropout: float = 0.5
    epochs: int = 200
    learning_rate: float = 0.025
    momentum: float = 0.9
    weight_decay: float = 3e-4
    min_batch: int = 100
    batch_cap: int = 0
    crop: str = "pad"
    pad: int = 4
    scale: tuple[float, float] = (0.5, 1.0)
    flip: bool = True
    mean: tuple[float, ...] = (0.4914, 0.4822, 0.4465)
    std: tuple[float, ...] = (0.2470, 0.2435, 0.2616)
    reference_eval: bool = False
    eval_batch: int = 250
    lowering: str = "auto"


def check_supervised(settings: Supervised) -> None:
    """Refuses settings that cannot be trained with.

    Args:
      settings: of framework (i).

    Raises:
      UserError: naming the first field that is wrong.
    """
    for field, known in (("stem", STEMS), ("crop", CROPS), ("lowering", LOWERINGS)):
        found = getattr(settings, field)
        if found not in known:
            raise UserError(
                f"supervised.{field}: expected one of {', '.join(known)}, "
                f"found {found!r}"
            )
    for field in ("width", "epochs", "min_batch", "eval_batch"):
        found = getattr(settings, field)
        if found < 1:
            raise UserError(f"supervised.{field}: expected at least 1, found {found}")
    if not 0 <= settings.dropout < 1:
        raise UserError(
            "supervised.dropout: expected a probability in [0, 1), "
            f"found {settings.dropout}"
        )
    low, high = settings.scale
    if not 0 < low <= high <= 1:
        raise UserError(
            "supervised.scale: expected 0 < smallest ≤ largest ≤ 1, "
            f"found {settings.scale}"
        )
    if len(settings.mean) != len(settings.std) or min(settings.std) <= 0:
        raise UserError(
            "supervised.std: expected one positive number for each of mean's "
            f"{len(settings.mean)}, found {settings.std}"
        )


def supervised_learner(settings: Supervised, n_classes: int) -> Learner:
    """ResNet-18 on augmented images.

    Training: crop, flip, normalise, network with dropout. Evaluation: the clean image,
    normalised. Differs from the paper's code: test images are not cropped at random
    (`reference_eval` does it), and no validation epoch is picked; the last one counts,
    which is what that code does in effect.

    Args:
      settings: of framework (i).
      n_classes: outputs of the network.

    Returns:
      A learner on uint8 images `[b, h, w, c]`.

    Raises:
      UserError: settings that cannot be trained with, or (when traced) images with
        another number of channels than `settings.mean`.

    Source: Bar & Giryes, arXiv 2406.01086, section 4 and training details.
    """
    check_supervised(settings)
    network = ResNet18(
        num_classes=n_classes,
        width=settings.width,
        stem=settings.stem,
        dropout=settings.dropout,
        lowering=settings.lowering,
    )

    def cropped(key: Array, x: Array) -> Array:
        kind, pad, scale = settings.crop, settings.pad, settings.scale
        return crop(key, x, kind=kind, pad=pad, scale=scale)

    def prepare(x: Array) -> Array:
        return normalise(x, settings.mean, settings.std)

    def start(key: Array, x: Array) -> tuple[Any, Any]:
        if x.ndim != 4 or x.shape[-1] != len(settings.mean):
            raise UserError(
                f"supervised.mean: expected images with {len(settings.mean)} channels, "
                f"found {'×'.join(map(str, x.shape[1:]))}: give one mean and one std "
                "a channel"
            )
        return network.start(key, prepare(x))

    def logits(key: Array, params: Any, state: Any, x: Array) -> tuple[Array, Any]:
        key_crop, key_flip, key_dropout = jax.random.split(key, 3)
        x = cropped(key_crop, x)
        if settings.flip:
            x = random_flip(key_flip, x)
        return network.forward(key_dropout, params, state, prepare(x))

    def predict(key: Array, params: Any, state: Any, x: Array) -> Array:
        if settings.reference_eval:
            x = cropped(key, x)
        return network.predict(params, state, prepare(x))

    return Learner(start, logits, predict)

"""The encoders there are, by the names that configs use."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsel.errors import UserError
from jaxsel.features.dino import dino_vits16, random_vits16
from jaxsel.features.efficientnet import efficientnet_lite0
from jaxsel.features.encoder import (
    Encoder,
    network_encoder,
    on_all_devices,
    sha256_of_tree,
)
from jaxsel.features.inception import inception_fid
from jaxsel.features.simclr import simclr
from jaxsel.models.conv import default_lowering
from jaxsel.models.resnet import ResNet18


def random_resnet18(
    *,
    seed: int,
    width: int,
    stem: str,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    channels: int = 3,
) -> Encoder:
    """A ResNet-18 that has learned nothing: Kaiming start, identity statistics.

    The features are the average-pooled, post-ReLU output of the last block, `8 width`
    non-negative numbers, with batch normalisation in evaluation mode at mean 0 and
    variance 1.

    Args:
      seed: of the initialisation.
      width: channels of the first stage; 64 is the paper's, giving 512 features.
      stem: "cifar" (no max-pool), "tiny" or "reference"; see `ResNet18`.
      mean: of the pixels in [0, 1], a number a channel, subtracted first.
      std: of the pixels in [0, 1], a number a channel, divided by.
      channels: of the images.

    Returns:
      The encoder.

    Source: the "random initialisation" of Bar & Giryes, arXiv 2406.01086, Fig. 4a.
    """
    network = ResNet18(
        num_classes=1,
        width=width,
        stem=stem,
        dropout=0.0,
        lowering=default_lowering(looped=False),
    )
    # The parameters do not depend on the image size: every layer is convolutional.
    example = jnp.zeros((1, 32, 32, channels), jnp.float32)
    weights = on_all_devices(jax.jit(network.start)(jax.random.key(seed), example))

    @jax.jit
    def apply(weights: Any, images: jax.Array) -> jax.Array:
        params, state = weights
        x = (images.astype(jnp.float32) / 255.0 - jnp.array(mean)) / jnp.array(std)
        return network.embed(params, state, x)

    identity = {
        "encoder": "random_resnet18",
        "seed": seed,
        "width": width,
        "stem": stem,
        "mean": list(mean),
        "std": list(std),
        # A seed gives the same weights only as long as nothing below changes.
        "weights": sha256_of_tree(weights),
    }
    return network_encoder(identity, apply, weights)


def rgb() -> Encoder:
    """The pixels themselves, scaled to [0, 1] and laid in a row.

    Source: the raw-RGB ablation of Bar & Giryes, arXiv 2406.01086, appendix B.

    Example:
      >>> import numpy as np
      >>> rgb().encode(np.full((2, 4, 4, 3), 255, np.uint8)).shape
      (2, 48)
    """

    @jax.jit
    def apply(images: jax.Array) -> jax.Array:
        return images.astype(jnp.float32).reshape(images.shape[0], -1) / 255.0

    return Encoder({"encoder": "rgb"}, apply)


ENCODERS = (
    "efficientnet_lite0",
    "simclr",
    "random_resnet18",
    "rgb",
    "file",
    "dino_vits16",
    "random_vits16",
    "inception_fid",
)


def make_encoder(settings: dict[str, Any]) -> Encoder:
    """The encoder of a config's `features` section.

    Args:
      settings: `encoder` and, for a network, `seed`, `width`, `stem`, `mean`, `std`,
        `weights`. With `side`, images come at the size that they are to be seen at.

    Raises:
      UserError: an unknown name; the message lists the known ones. Or weights that
        cannot be had.
    """
    name = settings["encoder"]
    if name == "random_resnet18":
        return random_resnet18(
            seed=settings["seed"],
            width=settings["width"],
            stem=settings["stem"],
            mean=tuple(settings["mean"]),
            std=tuple(settings["std"]),
        )
    if name == "efficientnet_lite0":
        return efficientnet_lite0(framed="side" in settings)
    if name == "simclr":
        return simclr(settings["weights"])
    if name == "random_vits16":
        return random_vits16(seed=settings["seed"])
    if name == "dino_vits16":
        return dino_vits16(settings["weights"])
    if name == "inception_fid":
        return inception_fid(settings["weights"])
    if name == "rgb":
        return rgb()
    raise UserError(
        f"expected config.features.encoder to be one of {', '.join(ENCODERS)}, "
        f"found {name!r}"
    )

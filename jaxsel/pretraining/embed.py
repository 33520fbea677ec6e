"""A trained encoder as a program from images to features."""

from collections.abc import Callable

import jax
from jax import Array

from jaxsel.augment.geometry import normalise
from jaxsel.models.conv import default_lowering
from jaxsel.pretraining.simclr import SimCLR
from jaxsel.pretraining.weights import Weights


def make_embed(settings: SimCLR) -> Callable[[Weights, Array], Array]:
    """The encoder as a program: uint8 `[b, h, w, c]` to float32 `[b, 8·width]`.

    Evaluation mode, in float32: running statistics, the whole image, no head, not
    normalised to length 1.
    """
    network = settings.network(default_lowering(looped=False))

    @jax.jit
    def embed(weights: Weights, images: Array) -> Array:
        x = normalise(images, settings.mean, settings.std)
        return network.embed(weights.params, weights.statistics, x)

    return embed

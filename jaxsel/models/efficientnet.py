"""EfficientNet-Lite0, as it is used: features of images, not trained here.

The stem, 16 inverted-bottleneck blocks in seven stages, a 1×1 head, the mean over the
picture. Against EfficientNet-B0 there is no squeeze-and-excitation and ReLU6 stands in
the place of swish. Batch normalisation is folded into the weights that go before it:
`γ·(W x − μ)/√(σ² + ε) + β = (γ/√(σ² + ε) W) x + (β − γ μ/√(σ² + ε))`.

Source: Tan & Le (2019), arXiv 1905.11946; the Lite variants are Google's, 2020.
"""

from typing import Any, NamedTuple, cast

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from jaxsel.models.conv import default_lowering
from jaxsel.models.depthwise import convolve_same, depthwise


class Stage(NamedTuple):
    """Blocks of a kind, one behind the other.

    Attributes:
      blocks: how many.
      size: side of the depthwise kernel.
      stride: of the first block; 1 in the others.
      expansion: how many times the channels a block works on.
      channels: that each block gives out.
    """

    blocks: int
    size: int
    stride: int
    expansion: int
    channels: int


LITE0 = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class Layer(nn.Module):
    """A convolution with "same" padding, a bias, and ReLU6 where it is asked for.

    Attributes:
      features: output channels; 0 for a depthwise layer, which keeps them.
      size: side of the kernel.
      stride: 1 or more.
      activated: whether `min(max(y, 0), 6)` is taken.
      lowering: `"matmul"` or `"conv"`.
    """

    features: int
    size: int = 1
    stride: int = 1
    activated: bool = True
    lowering: str = "matmul"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        how = {"stride": self.stride, "lowering": self.lowering}
        start, zeros = nn.initializers.he_normal(), nn.initializers.zeros
        if self.features:
            shape = (self.size, self.size, x.shape[-1], self.features)
            y = convolve_same(x, self.param("kernel", start, shape), **how)
        else:
            shape = (self.size, self.size, x.shape[-1])
            y = depthwise(x, self.param("kernel", start, shape), **how)
        y = y + self.param("bias", zeros, y.shape[-1:])
        return jnp.clip(y, 0.0, 6.0) if self.activated else y


class Block(nn.Module):
    """An inverted bottleneck: 1×1 to more channels, depthwise, 1×1 to few.

    The input is added where its shape is the output's. The last layer is linear.
    """

    size: int
    stride: int
    expansion: int
    channels: int
    lowering: str

    @nn.compact
    def __call__(self, x: Array) -> Array:
        y, low = x, self.lowering
        if self.expansion > 1:
            wide = self.expansion * x.shape[-1]
            y = Layer(wide, lowering=low, name="expand")(y)
        y = Layer(0, self.size, self.stride, lowering=low, name="depthwise")(y)
        y = Layer(self.channels, activated=False, lowering=low, name="project")(y)
        return x + y if y.shape == x.shape else y


class EfficientNetLite(nn.Module):
    """An EfficientNet-Lite without its last layer.

    Attributes:
      stages: of blocks; those of Lite0 by default.
      stem: channels of the first layer, a 3×3 convolution of stride 2.
      head: features that come out.
      lowering: `"matmul"` (shifted multiply-adds and products), `"conv"` (native
        convolutions), or `"auto"`: the faster one on the backend in use.

    Example:
      >>> tiny = EfficientNetLite((Stage(1, 3, 2, 2, 4),), stem=4, head=8)
      >>> import jax
      >>> images = jnp.zeros((2, 9, 9, 3))
      >>> params = tiny.init(jax.random.key(0), images)["params"]
      >>> tiny.embed(params, images).shape
      (2, 8)
    """

    stages: tuple[Stage, ...] = LITE0
    stem: int = 32
    head: int = 1280
    lowering: str = "auto"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Features `[n, head]` of normalised images float `[n, h, w, 3]`."""
        low = default_lowering() if self.lowering == "auto" else self.lowering
        x = Layer(self.stem, 3, 2, lowering=low, name="stem")(x)
        number = 0
        for stage in self.stages:
            for place in range(stage.blocks):
                number += 1
                x = Block(
                    stage.size,
                    stage.stride if place == 0 else 1,
                    stage.expansion,
                    stage.channels,
                    low,
                    name=f"block{number}",
                )(x)
        x = Layer(self.head, lowering=low, name="head")(x)
        return x.mean((1, 2))

    def embed(self, params: Any, x: Array) -> Array:
        """Features float32 `[n, head]`: the mean over the picture, behind ReLU6."""
        return cast(Array, self.apply({"params": params}, x))

"""Wide residual networks for small images: the network of the semi-supervised runs.

Zagoruyko & Komodakis (2016), in the form that FixMatch (Sohn et al., 2020) and its
successors share: leaky ReLU, slow running statistics, and no activation before the two
blocks that shrink the image.
"""

from typing import Any, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from jaxsel.models.conv import Conv
from jaxsel.models.initialise import deal_parameters, identity_statistics
from jaxsel.models.norm import BatchNorm

_SLOPE = 0.1
_MOMENTUM = 0.999  # PyTorch's 0.001.
_STRIDES = (1, 2, 2)


class WideBlock(nn.Module):
    """Two 3×3 convolutions behind normalisations, added to a shortcut.

    With `a(x) = leaky(bn1(x))` and `f(x) = conv2(leaky(bn2(conv1(x))))`:

        same width, stride 1      x + f(a(x))
        wider, stride 1           shortcut(a(x)) + f(a(x))
        stride 2                  shortcut(x) + f(x)

    where `shortcut` is a strided 1×1 convolution. The third line is the reference's:
    it evaluates `bn1` there too and throws the result away, so it is left out here;
    nothing else depends on it.
    """

    features: int
    stride: int
    lowering: str

    @nn.compact
    def __call__(self, x: Array, *, train: bool) -> Array:
        widens = self.stride != 1 or x.shape[-1] != self.features
        y = x if self.stride != 1 else _activate(x, "bn1", train)
        shortcut = x
        if widens:
            conv = Conv(
                self.features, 1, self.stride, self.lowering, name="shortcut_conv"
            )
            shortcut = conv(y)
        y = Conv(self.features, 3, self.stride, self.lowering, name="conv1")(y)
        y = _activate(y, "bn2", train)
        return shortcut + Conv(self.features, 3, 1, self.lowering, name="conv2")(y)


class WideResNet(nn.Module):
    """WRN-`depth`-`widen`.

    Attributes:
      num_classes: outputs of the last layer.
      depth: 10, 16, 22, 28, …: three stages of `(depth − 4) / 6` blocks.
      widen: the stages have 16, 32 and 64 times as many channels, and the embedding
        `64·widen` numbers.
      lowering: how convolutions are computed; see `jaxsel.models.conv`.

    Raises:
      ValueError: (when built) a depth that is not of that form, or no width.

    Example:
      >>> network = WideResNet(num_classes=10, depth=10, widen=1)
      >>> images = jnp.zeros((2, 32, 32, 3))
      >>> params, state = network.start(jax.random.key(0), images)
      >>> jax.eval_shape(network.embed, params, state, images).shape
      (2, 64)

    Source: Zagoruyko & Komodakis (2016), Table 1; normalisation and activation of
    FixMatch, Sohn et al. (2020), and USB, Wang et al. (2022).
    """

    num_classes: int
    depth: int = 28
    widen: int = 2
    lowering: str = "auto"

    def setup(self) -> None:
        if self.depth < 10 or (self.depth - 4) % 6:
            raise ValueError(f"depth: expected 10, 16, 22, …, found {self.depth}")
        if self.widen < 1:
            raise ValueError(f"widen: expected at least 1, found {self.widen}")
        self.stem_conv = Conv(16, 3, 1, self.lowering, use_bias=True)
        blocks = []
        for stage, stride in enumerate(_STRIDES):
            for block in range((self.depth - 4) // 6):
                features = 16 * self.widen * 2**stage
                name = f"stage{stage + 1}_block{block + 1}"
                first = stride if block == 0 else 1
                blocks.append(WideBlock(features, first, self.lowering, name=name))
        self.blocks = blocks
        self.last_bn = BatchNorm(_MOMENTUM, 1e-3)
        self.fc = nn.Dense(
            self.num_classes, kernel_init=nn.initializers.glorot_normal()
        )

    def features(self, x: Array, *, train: bool = False) -> Array:
        """Embeddings, averaged over space: `[n, 64·widen]`.

        bfloat16 images are convolved in bfloat16; their average is float32.
        """
        x = self.stem_conv(x)
        for block in self.blocks:
            x = block(x, train=train)
        x = nn.leaky_relu(self.last_bn(x, train=train), _SLOPE)
        return x.mean((1, 2), dtype=jnp.promote_types(x.dtype, jnp.float32))

    def both(self, x: Array, *, train: bool = False) -> tuple[Array, Array]:
        """Logits `[n, num_classes]` and embeddings `[n, 64·widen]`."""
        embedded = self.features(x, train=train)
        return self.fc(embedded), embedded

    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Logits `[n, num_classes]` of images float `[n, h, w, c]`."""
        return self.both(x, train=train)[0]

    def start(self, key: Array, x: Array) -> tuple[Any, Any]:
        """Parameters and running statistics for images shaped like `x`.

        Convolutions are Kaiming-normal in their fan-out, the last layer Xavier-normal,
        all biases 0.
        """
        shapes = jax.eval_shape(lambda: self.init(jax.random.key(0), x[:1]))
        params = deal_parameters(key, shapes["params"], linear="xavier")
        return params, identity_statistics(shapes["batch_stats"])

    def predict(self, params: Any, state: Any, x: Array) -> Array:
        """Logits in evaluation mode: running statistics."""
        return cast(Array, self.apply({"params": params, "batch_stats": state}, x))

    def embed(self, params: Any, state: Any, x: Array) -> Array:
        """Embeddings `[n, 64·widen]` in evaluation mode."""
        variables = {"params": params, "batch_stats": state}
        return cast(Array, self.apply(variables, x, method="features"))

    def forward(
        self, params: Any, state: Any, x: Array
    ) -> tuple[tuple[Array, Array], Any]:
        """Logits and embeddings in training mode, and the moved running statistics.

        Args:
          params: as from `start`.
          state: as from `start`.
          x: images float `[n, h, w, c]`.

        Returns:
          `((logits [n, num_classes], embeddings [n, 64·widen]), state)`.
        """
        outputs, updated = self.apply(
            {"params": params, "batch_stats": state},
            x,
            train=True,
            method="both",
            mutable=["batch_stats"],
        )
        return outputs, updated["batch_stats"]


def _activate(x: Array, name: str, train: bool) -> Array:
    return nn.leaky_relu(BatchNorm(_MOMENTUM, name=name)(x, train=train), _SLOPE)

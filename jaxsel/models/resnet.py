"""ResNet-18 for small images: the network that labels are spent on.

He et al. (2016) with the 3×3 stem used by Bar & Giryes (arXiv 2406.01086), whose
training code follows TypiClust (Hacohen et al., 2022): stem, four stages of two
basic blocks, global mean, dropout, one linear layer.
"""

from typing import Any, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from jaxsel.models.conv import Conv
from jaxsel.models.initialise import deal_parameters, identity_statistics
from jaxsel.models.norm import BatchNorm

STEMS = ("reference", "cifar", "tiny")

_BLOCKS_PER_STAGE = 2
_STAGES = 4


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: `relu(shortcut(x) + f(x))`.

    The shortcut is the identity where shapes allow, else a strided 1×1 convolution
    with its own normalisation.
    """

    features: int
    stride: int
    lowering: str

    @nn.compact
    def __call__(self, x: Array, *, train: bool) -> Array:
        y = Conv(self.features, 3, self.stride, self.lowering, name="conv1")(x)
        y = nn.relu(BatchNorm(name="bn1")(y, train=train))
        y = Conv(self.features, 3, 1, self.lowering, name="conv2")(y)
        y = BatchNorm(name="bn2")(y, train=train)
        if self.stride != 1 or x.shape[-1] != self.features:
            conv = Conv(
                self.features, 1, self.stride, self.lowering, name="shortcut_conv"
            )
            x = BatchNorm(name="shortcut_bn")(conv(x), train=train)
        return nn.relu(x + y)


class ResNet18(nn.Module):
    """ResNet-18 with a choice of width and stem.

    Attributes:
      num_classes: outputs of the last layer.
      width: channels of the first stage; the embedding has `8·width` numbers.
      stem: `"reference"`: 3×3 stride 1, then a 3×3 max-pool of stride 2;
        `"cifar"`: no pool (the SimCLR network for 32 px);
        `"tiny"`: no pool, stride 2 in the first stage (SimCLR's for 64 px).
      dropout: probability of dropping an embedding coordinate before the last
        layer in training.
      lowering: how convolutions are computed; see `jaxsel.models.conv`.

    Example:
      >>> network = ResNet18(num_classes=10, width=4)
      >>> images = jnp.zeros((2, 32, 32, 3))
      >>> params, state = network.start(jax.random.key(0), images)
      >>> network.embed(params, state, images).shape
      (2, 32)
    """

    num_classes: int
    width: int = 64
    stem: str = "reference"
    dropout: float = 0.5
    lowering: str = "auto"

    def setup(self) -> None:
        if self.stem not in STEMS:
            raise ValueError(f"stem: expected one of {STEMS}, found {self.stem!r}")
        self.stem_conv = Conv(self.width, 3, 1, self.lowering)
        self.stem_bn = BatchNorm()
        blocks = []
        for stage in range(_STAGES):
            strided = stage > 0 or self.stem == "tiny"
            for block in range(_BLOCKS_PER_STAGE):
                stride = 2 if strided and block == 0 else 1
                features = self.width * 2**stage
                name = f"stage{stage + 1}_block{block + 1}"
                blocks.append(BasicBlock(features, stride, self.lowering, name=name))
        self.blocks = blocks
        self.drop = nn.Dropout(self.dropout)
        self.fc = TorchDense(self.num_classes)

    def features(self, x: Array, *, train: bool = False) -> Array:
        """Embeddings after the last ReLU, averaged over space: `[n, 8·width]`.

        bfloat16 images are convolved in bfloat16; their average is float32.
        """
        x = nn.relu(self.stem_bn(self.stem_conv(x), train=train))
        if self.stem == "reference":
            x = _max_pool(x)
        for block in self.blocks:
            x = block(x, train=train)
        return x.mean((1, 2), dtype=jnp.promote_types(x.dtype, jnp.float32))

    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Logits `[n, num_classes]` of images float `[n, h, w, c]`."""
        embedded = self.features(x, train=train)
        return self.fc(self.drop(embedded, deterministic=not train))

    def start(self, key: Array, x: Array) -> tuple[Any, Any]:
        """Parameters and running statistics for images shaped like `x`.

        The same distributions as `init`, from one generator instead of one a layer:
        `jaxsel.models.initialise` says why.
        """
        shapes = jax.eval_shape(lambda: self.init(jax.random.key(0), x[:1]))
        return deal_parameters(key, shapes["params"]), identity_statistics(
            shapes["batch_stats"]
        )

    def predict(self, params: Any, state: Any, x: Array) -> Array:
        """Logits in evaluation mode: running statistics, no dropout."""
        return cast(Array, self.apply({"params": params, "batch_stats": state}, x))

    def embed(self, params: Any, state: Any, x: Array) -> Array:
        """Embeddings `[n, 8·width]` in evaluation mode."""
        variables = {"params": params, "batch_stats": state}
        return cast(Array, self.apply(variables, x, method="features"))

    def forward(
        self, key: Array, params: Any, state: Any, x: Array
    ) -> tuple[Array, Any]:
        """Logits in training mode, and the moved running statistics.

        Args:
          key: randomness of the dropout.
          params: as from `start`.
          state: as from `start`.
          x: images float `[n, h, w, c]`.

        Returns:
          `(logits [n, num_classes], state)`.
        """
        logits, updated = self.apply(
            {"params": params, "batch_stats": state},
            x,
            train=True,
            rngs={"dropout": key},
            mutable=["batch_stats"],
        )
        return logits, updated["batch_stats"]


class TorchDense(nn.Module):
    """A linear layer with PyTorch's default start: `U(±1/√d)`, weights and bias."""

    features: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        bound = x.shape[-1] ** -0.5

        def uniform(key: Array, shape: tuple[int, ...]) -> Array:
            return jax.random.uniform(key, shape, minval=-bound, maxval=bound)

        kernel = self.param("kernel", uniform, (x.shape[-1], self.features))
        bias = self.param("bias", uniform, (self.features,))
        return x @ kernel + bias


def _max_pool(x: Array) -> Array:
    """3×3, stride 2, one pixel of padding that never wins (PyTorch's).

    As a maximum of slices: the gradient of XLA's windowed maximum takes three times as
    long on a CPU. Among equal pixels the gradient is shared, where PyTorch gives it to
    the first; behind a ReLU only zeros are equal, and their gradient ends there.
    """
    height, width = x.shape[1:3]
    edges = ((0, 0), (1, 1), (1, 1), (0, 0))
    x = jnp.pad(x, edges, constant_values=-jnp.inf)
    rows = [x[:, i : i + height : 2] for i in range(3)]
    x = jnp.maximum(jnp.maximum(rows[0], rows[1]), rows[2])
    columns = [x[:, :, i : i + width : 2] for i in range(3)]
    return jnp.maximum(jnp.maximum(columns[0], columns[1]), columns[2])

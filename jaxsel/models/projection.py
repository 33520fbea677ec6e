"""SimCLR's projection head: the layers that training needs and features do not."""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array, lax

from jaxsel.models.resnet import TorchDense

_TINY = 1e-24  # The square of the smallest length that is divided by, PyTorch's.


class ProjectionHead(nn.Module):
    """`z / ‖z‖` with `z = W₂ relu(W₁ x + b₁) + b₂`.

    Attributes:
      features: numbers of the result; the hidden layer is as wide as the input.

    Source: Chen et al. (2020), section 2.1; 128 numbers as in Bar & Giryes,
    arXiv 2406.01086.
    """

    features: int = 128

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Unit vectors `[n, features]` of embeddings `[n, d]`."""
        hidden = nn.relu(TorchDense(x.shape[-1], name="hidden")(x))
        z = TorchDense(self.features, name="out")(hidden)
        squares = jnp.square(z).sum(-1, keepdims=True)
        return z * lax.rsqrt(jnp.maximum(squares, _TINY))

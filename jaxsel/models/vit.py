"""Vision transformer in the form that DINO trained: an image to its class token.

Dosovitskiy et al. (2021), with the choices of Caron et al. (2021), arXiv 2104.14294:
pre-norm blocks, biases on queries, keys and values, exact GELU, LayerNorm with
epsilon 1e-6, and as output the class token after the last LayerNorm.
"""

import math
from typing import Any, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsel.models.cubic import cubic_kernel

_HIGHEST = jax.lax.Precision.HIGHEST  # features decide selections
_EPSILON = 1e-6
_CUBIC = -0.75  # PyTorch's bicubic interpolation
_OFFSET = 0.1  # the reference adds it to the grid before it computes the scale
_START_STD = 0.02


class Block(nn.Module):
    """Attention and a two-layer perceptron, each behind a LayerNorm and a shortcut.

    `y = x + proj(attention(norm1(x)))`, then `y + fc2(gelu(fc1(norm2(y))))`; the
    columns of `qkv` are queries, keys, values, each ordered by head, then channel.
    """

    heads: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        n, tokens, dim = x.shape
        size = dim // self.heads
        qkv = _dense(3 * dim, "qkv")(_layer_norm("norm1")(x))
        q, k, v = jnp.moveaxis(qkv.reshape(n, tokens, 3, self.heads, size), 2, 0)
        scores = jnp.einsum("nqhc,nkhc->nhqk", q, k, precision=_HIGHEST) * size**-0.5
        weights = jax.nn.softmax(scores, axis=-1)
        mixed = jnp.einsum("nhqk,nkhc->nqhc", weights, v, precision=_HIGHEST)
        x = x + _dense(dim, "proj")(mixed.reshape(n, tokens, dim))
        hidden = _dense(4 * dim, "fc1")(_layer_norm("norm2")(x))
        return x + _dense(dim, "fc2")(nn.gelu(hidden, approximate=False))


class ViT(nn.Module):
    """A vision transformer; the defaults are ViT-S/16 at 224 px, 21,665,664 numbers.

    Attributes:
      patch: pixels along a side of a patch.
      dim: numbers a token.
      depth: blocks.
      heads: of attention; they divide `dim`.
      grid: patches along a side of the images that the position embedding is for.

    Example:
      >>> network = ViT(patch=4, dim=8, depth=1, heads=2, grid=2)
      >>> params = network.start(jax.random.key(0))
      >>> network.embed(params, jnp.zeros((3, 8, 12, 3))).shape
      (3, 8)
    """

    patch: int = 16
    dim: int = 384
    depth: int = 12
    heads: int = 6
    grid: int = 14

    def setup(self) -> None:
        if self.dim % self.heads:
            raise ValueError(
                f"heads: expected a divisor of dim = {self.dim}, found {self.heads}"
            )
        start = nn.initializers.normal(_START_STD)
        self.cls_token = self.param("cls_token", start, (self.dim,))
        positions = (1 + self.grid**2, self.dim)
        self.pos_embed = self.param("pos_embed", start, positions)
        self.patch_embed = _dense(self.dim)
        self.blocks = [
            Block(self.heads, name=f"block{i + 1}") for i in range(self.depth)
        ]
        self.norm = _layer_norm()

    def tokens(self, x: Array) -> Array:
        """What enters the first block, class token first: `[n, 1 + patches, dim]`.

        Patches are ordered by row, then column; the position embedding is
        interpolated for images that it was not made for.
        """
        n, height, width, channels = x.shape
        if height % self.patch or width % self.patch:
            raise ValueError(
                f"images: expected height and width in multiples of {self.patch}, "
                f"found {height} x {width}"
            )
        rows, columns = height // self.patch, width // self.patch
        x = x.reshape(n, rows, self.patch, columns, self.patch, channels)
        x = x.swapaxes(2, 3).reshape(n, rows * columns, -1)
        x = self.patch_embed(x) + self._positions(rows, columns)
        first = jnp.broadcast_to(self.cls_token + self.pos_embed[0], (n, 1, self.dim))
        return jnp.concatenate([first, x], axis=1)

    def _positions(self, rows: int, columns: int) -> Array:
        table = self.pos_embed[1:]
        if (rows, columns) == (self.grid, self.grid):
            return table
        down = jnp.asarray(interpolation_weights(self.grid, rows), table.dtype)
        along = jnp.asarray(interpolation_weights(self.grid, columns), table.dtype)
        square = table.reshape(self.grid, self.grid, self.dim)
        out = jnp.einsum("ri,cj,ijd->rcd", down, along, square, precision=_HIGHEST)
        return out.reshape(rows * columns, self.dim)

    def __call__(self, x: Array) -> Array:
        """Class token after the last LayerNorm, `[n, dim]`; images `[n, h, w, c]`."""
        x = self.tokens(x)
        for block in self.blocks:
            x = block(x)
        return self.norm(x[:, 0])

    def start(self, key: Array) -> Any:
        """Parameters of a network that has learned nothing, for three channels.

        Weights, class token and positions `N(0, 0.02²)`, biases 0, normalisation
        scales 1, the reference's start. Differs from it in the first layer, which has
        PyTorch's uniform default for convolutions there. All normal numbers come from
        one generator: `jaxsel.models.initialise` says why.

        Args:
          key: randomness.
        """
        example = jax.ShapeDtypeStruct((1, self.patch, self.patch, 3), jnp.float32)
        shapes = jax.eval_shape(self.init, jax.random.key(0), example)["params"]
        return jax.jit(_deal, static_argnums=1)(key, _frozen(shapes))

    def embed(self, params: Any, x: Array) -> Array:
        """Embeddings float `[n, dim]` of normalised images float `[n, h, w, 3]`."""
        return cast(Array, self.apply({"params": params}, x))


def interpolation_weights(size: int, wanted: int) -> np.ndarray:
    """The linear map that stretches a row of `size` position embeddings to `wanted`.

    Cubic convolution with a = -0.75 and clamped edges, without antialiasing. Output i
    reads around `(i + ½)·size / (wanted + 0.1) - ½`: the reference passes the scale
    `(wanted + 0.1) / size`, so as to be safe from rounding down, and the 0.1 stays in
    the coordinates.

    Args:
      size: patches along a side that the embedding is for.
      wanted: patches along a side of the images at hand.

    Returns:
      float64 `[wanted, size]`; every row sums to 1.

    Example:
      >>> interpolation_weights(2, 3).sum(axis=1).round(12).tolist()
      [1.0, 1.0, 1.0]

    Source: `interpolate_pos_encoding` of the DINO code (Caron et al., 2021).
    """
    weights = np.zeros((wanted, size))
    for i in range(wanted):
        source = (i + 0.5) * size / (wanted + _OFFSET) - 0.5
        taps = math.floor(source) + np.arange(-1, 3)
        kernel = cubic_kernel(source - taps, _CUBIC)
        np.add.at(weights[i], np.clip(taps, 0, size - 1), kernel)
    return weights


def _dense(features: int, name: str | None = None) -> nn.Dense:
    return nn.Dense(features, precision=_HIGHEST, name=name)


def _layer_norm(name: str | None = None) -> nn.LayerNorm:
    # The fast variance E[x²] - E[x]² cancels where tokens have a large mean.
    return nn.LayerNorm(epsilon=_EPSILON, use_fast_variance=False, name=name)


def _frozen(shapes: Any) -> tuple[Any, ...]:
    """Names and shapes of parameters, hashable."""
    flat, treedef = jax.tree_util.tree_flatten_with_path(shapes)
    names = tuple(path[-1].key for path, _ in flat)
    return treedef, names, tuple(leaf.shape for _, leaf in flat)


def _deal(key: Array, layout: tuple[Any, ...]) -> Any:
    """Cuts one normal vector into the parameters of a layout made by `_frozen`."""
    treedef, names, shapes = layout
    normal = jax.random.normal(key, (sum(map(math.prod, shapes)),)) * _START_STD
    leaves, start = [], 0
    for name, shape in zip(names, shapes, strict=True):
        if name in ("scale", "bias"):
            leaves.append(jnp.full(shape, float(name == "scale")))
            continue
        size = math.prod(shape)
        leaves.append(normal[start : start + size].reshape(shape))
        start += size
    return jax.tree_util.tree_unflatten(treedef, leaves)

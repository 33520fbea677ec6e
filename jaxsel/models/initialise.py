"""A network's first parameters, from one random generator.

Linen gives each parameter a key of its own. In a program that trains from a fresh
start that puts forty generators into the compiled code, and the compiler spends more
time on them (15 s of CPU for a ResNet-18) than on the training step (9 s). Here one
normal vector is drawn and dealt out to the convolutions in turn.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array


def deal_parameters(key: Array, shapes: Any, *, linear: str = "torch") -> Any:
    """Random parameters of the given shapes, by the rules of the modules here.

    Convolutions `[k, k, c, o]` get `N(0, 2 / (k²·o))` (He et al., 2015, fan-out) and
    biases 0; linear layers `[d, o]` and their biases `U(±1/√d)`, PyTorch's default, or
    `N(0, 2 / (d + o))` and biases 0 (Glorot & Bengio, 2010); normalisation scales 1
    and biases 0.

    Args:
      key: randomness.
      shapes: a tree of dicts whose leaves have a `shape`, named as `Conv`, `BatchNorm`,
        `TorchDense` and `nn.Dense` name them.
      linear: `"torch"` or `"xavier"`, the rule for linear layers.

    Returns:
      float32 arrays in the same tree.

    Raises:
      ValueError: a parameter that none of the rules is for, or an unknown rule.

    Example:
      >>> shapes = {"bn": {"scale": jnp.zeros(3), "bias": jnp.zeros(3)}}
      >>> deal_parameters(jax.random.key(0), shapes)["bn"]["scale"].tolist()
      [1.0, 1.0, 1.0]
    """
    if linear not in ("torch", "xavier"):
        raise ValueError(f"linear: expected 'torch' or 'xavier', found {linear!r}")
    key_conv, key_linear = jax.random.split(key)
    paths = jax.tree_util.tree_flatten_with_path(shapes)[0]
    kernels = [leaf for path, leaf in paths if _kind(path, shapes) == "conv"]
    linears = [leaf for path, leaf in paths if _kind(path, shapes) == "linear"]
    normal = _Dealer(jax.random.normal(key_conv, (_total(kernels),)))
    if linear == "torch":
        uniform = jax.random.uniform(
            key_linear, (_total(linears),), minval=-1.0, maxval=1.0
        )
        dense = _Dealer(uniform)
    else:
        dense = _Dealer(jax.random.normal(key_linear, (_total(linears),)))

    def make(path: Any, leaf: Any) -> Array:
        kind = _kind(path, shapes)
        if kind == "conv":
            size, _, _, out = leaf.shape
            return normal.deal(leaf.shape) * (2 / (size * size * out)) ** 0.5
        if kind == "linear":
            fan_in, fan_out = _layer(path, shapes)["kernel"].shape
            if linear == "torch":
                return dense.deal(leaf.shape) * fan_in**-0.5
            if path[-1].key == "bias":
                return jnp.zeros(leaf.shape)
            return dense.deal(leaf.shape) * (2 / (fan_in + fan_out)) ** 0.5
        return jnp.ones(leaf.shape) if kind == "scale" else jnp.zeros(leaf.shape)

    return jax.tree_util.tree_map_with_path(make, shapes)


def identity_statistics(shapes: Any) -> Any:
    """Running means 0 and variances 1 in the tree of `shapes`."""

    def make(path: Any, leaf: Any) -> Array:
        return jnp.ones(leaf.shape) if path[-1].key == "var" else jnp.zeros(leaf.shape)

    return jax.tree_util.tree_map_with_path(make, shapes)


class _Dealer:
    """Hands out consecutive pieces of a vector."""

    def __init__(self, numbers: Array) -> None:
        self._numbers, self._next = numbers, 0

    def deal(self, shape: tuple[int, ...]) -> Array:
        size = math.prod(shape)
        piece = self._numbers[self._next : self._next + size]
        self._next += size
        return piece.reshape(shape)


def _kind(path: Any, shapes: Any) -> str:
    layer, name = _layer(path, shapes), path[-1].key
    if "kernel" in layer and len(layer["kernel"].shape) == 4:
        return "conv" if name == "kernel" else "bias"
    if name in ("kernel", "bias") and "kernel" in layer:
        return "linear"
    if name in ("scale", "bias") and "scale" in layer:
        return name
    raise ValueError(
        f"expected a parameter of Conv, TorchDense or BatchNorm, found "
        f"{jax.tree_util.keystr(path)}"
    )


def _layer(path: Any, shapes: Any) -> Any:
    for entry in path[:-1]:
        shapes = shapes[entry.key]
    return shapes


def _total(leaves: list[Any]) -> int:
    return sum(math.prod(leaf.shape) for leaf in leaves)

"""Magnitude pruning: the smallest weights of a whole network become 0."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsel.errors import UserError


def magnitude_prune(params: Any, sparsity: float) -> Any:
    r"""Sets the smallest weights by $|w|$ to 0, over all kernels together.

    Of the m weights in kernels (leaves named `kernel`: convolutions and linear
    layers), the `round(sparsity * m)` of least magnitude are set to 0; among equal
    magnitudes, those first in the order of the tree and of the rows of each kernel.
    So the weights that stay at one sparsity are among those that stay at any lower
    one. Biases, normalisations and position embeddings are left as they are: they
    are few, and a scale of 0 would remove a channel, which is another method.

    Args:
      params: a tree of dicts of float arrays, as Linen has it.
      sparsity: the share of the kernels' weights to set to 0, in [0, 1].

    Returns:
      The tree with pruned kernels, of the same shapes and types; other leaves are the
      same objects.

    Raises:
      UserError: the sparsity is not in [0, 1], there is no kernel, or a weight is not
        finite.

    Example:
      >>> params = {"fc": {"kernel": jnp.array([[3.0, -1.0], [2.0, 4.0]])}}
      >>> magnitude_prune(params, 0.5)["fc"]["kernel"].tolist()
      [[3.0, 0.0], [0.0, 4.0]]

    Source: global unstructured magnitude pruning, Han et al. (2015) and Frankle &
    Carbin (2018), to which Bar & Giryes, arXiv 2406.01086, relate their norms
    (Appendix F).
    """
    if not 0.0 <= sparsity <= 1.0:
        raise UserError(
            f"expected a sparsity between 0 and 1, found {sparsity}; "
            "it is the share of weights to set to 0"
        )
    leaves, structure = jax.tree_util.tree_flatten_with_path(params)
    kernels = _kernels(params)
    # float64 holds every float type there is, so that no two weights become equal.
    magnitudes = np.concatenate(
        [np.abs(np.asarray(kernel, np.float64)).ravel() for kernel in kernels]
    )
    if not np.isfinite(magnitudes).all():
        raise UserError(
            "expected finite weights, found some that are not; their magnitudes have "
            "no order, and the network is of no use: train it again"
        )
    cut = _smallest(magnitudes, round(sparsity * len(magnitudes)))
    ends = np.cumsum([kernel.size for kernel in kernels])[:-1]
    pruned = iter(
        jnp.where(part.reshape(kernel.shape), 0, kernel)
        for kernel, part in zip(kernels, np.split(cut, ends), strict=True)
    )
    return jax.tree_util.tree_unflatten(
        structure,
        [next(pruned) if _is_kernel(path) else leaf for path, leaf in leaves],
    )


def sparsity_of(params: Any) -> float:
    """The share of the kernels' weights that are 0.

    Args:
      params: a tree of dicts of float arrays.

    Returns:
      A number in [0, 1].

    Raises:
      UserError: there is no kernel.

    Example:
      >>> sparsity_of({"kernel": jnp.array([[0.0, 1.0]]), "bias": jnp.zeros(2)})
      0.5
    """
    kernels = _kernels(params)
    zeros = sum(int((kernel == 0).sum()) for kernel in kernels)
    return zeros / sum(kernel.size for kernel in kernels)


def _smallest(magnitudes: np.ndarray, count: int) -> np.ndarray:
    """Which are the `count` smallest, the first ones of equals: bool `[m]`.

    On the host, where pruning a ResNet-18's 11 million weights by a partition takes
    less than a second; by a sort under XLA it took six on a CPU.
    """
    if not count:
        return np.zeros(len(magnitudes), bool)
    bar = np.partition(magnitudes, count - 1)[count - 1]
    below, equal = magnitudes < bar, magnitudes == bar
    return below | (equal & (np.cumsum(equal) <= count - below.sum()))


def _kernels(params: Any) -> list[Array]:
    """The weights to choose from, in the order of the tree."""
    leaves = jax.tree_util.tree_flatten_with_path(params)[0]
    kernels = [jnp.asarray(leaf) for path, leaf in leaves if _is_kernel(path)]
    if not sum(kernel.size for kernel in kernels):
        names = [jax.tree_util.keystr(path) for path, _ in leaves]
        raise UserError(
            f"expected parameters with leaves named 'kernel', found {names}; "
            "give the tree of a network's parameters"
        )
    return kernels


def _is_kernel(path: Any) -> bool:
    return bool(path) and getattr(path[-1], "key", None) == "kernel"

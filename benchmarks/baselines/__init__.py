"""Plain NumPy selectors: what a careful person writes in an afternoon, on BLAS.

Each takes `(x [n, d] float32, budget, seed, **options)` and returns `Result`. They
read memory as few times as they can and hold no n x n array, so that beating them
means something. They share no code with `jaxsel`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Result(NamedTuple):
    """Picks in order, and further figures worth reporting."""

    indices: np.ndarray
    info: dict


def unit(x: np.ndarray) -> np.ndarray:
    """Rows over their Euclidean norm."""
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norms > 0, norms, 1)


def load(name: str) -> Callable[..., Result]:
    """A baseline by name, imported when asked for."""
    from benchmarks.baselines import covering, sampling, typiclust

    known = {
        "random": sampling.random,
        "norm": sampling.norm,
        "gram_schmidt": sampling.gram_schmidt,
        "gram_schmidt_as_written": sampling.gram_schmidt_as_written,
        "probcover": covering.probcover,
        "k_center": covering.k_center,
        "max_herding": covering.max_herding,
        "typiclust": typiclust.typiclust,
    }
    return known[name]

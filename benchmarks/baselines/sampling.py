"""Random, norm and Gram–Schmidt sampling in NumPy."""

import numpy as np

from benchmarks.baselines import Result


def random(x: np.ndarray, budget: int, seed: int) -> Result:
    """Uniform without replacement."""
    return Result(np.random.default_rng(seed).permutation(len(x))[:budget], {})


def norm(x: np.ndarray, budget: int, seed: int) -> Result:
    """p_i proportional to ||x_i||, without replacement, by exponential races."""
    rng = np.random.default_rng(seed)
    weights = np.sqrt(np.einsum("ij,ij->i", x, x))
    arrival = rng.exponential(size=len(x)) / weights
    first = np.argpartition(arrival, budget)[:budget]
    return Result(first[np.argsort(arrival[first])], {})


def gram_schmidt(x: np.ndarray, budget: int, seed: int) -> Result:
    """Norm-based sampling of residuals with one BLAS pass over `x` a pick.

    The residual is never stored: with q the new orthonormal direction, every squared
    residual norm falls by (x_i · q)².
    """
    rng = np.random.default_rng(seed)
    squared = np.einsum("ij,ij->i", x, x)
    basis = np.zeros((budget, x.shape[1]), np.float32)
    picks = np.empty(budget, np.int64)
    for t in range(budget):
        weights = np.sqrt(np.maximum(squared, 0), dtype=np.float64)
        picks[t] = rng.choice(len(x), p=weights / weights.sum())
        row = x[picks[t]].copy()
        for _ in range(2):
            row -= (basis[:t] @ row) @ basis[:t]
        basis[t] = row / np.linalg.norm(row)
        squared -= np.square(x @ basis[t])
        squared[picks[: t + 1]] = 0
    return Result(picks, {})


def gram_schmidt_as_written(
    x: np.ndarray, budget: int, seed: int, chunk: int = 256
) -> Result:
    """Algorithm 1 as the paper writes it: the residual of every row, every pick.

    Projection and norms run over chunks that stay in cache, so memory is passed over
    once a pick, not three times.
    """
    rng = np.random.default_rng(seed)
    residual = x.copy()
    lengths = np.sqrt(np.einsum("ij,ij->i", x, x), dtype=np.float64)
    picks = np.empty(budget, np.int64)
    for t in range(budget):
        picks[t] = rng.choice(len(x), p=lengths / lengths.sum())
        direction = residual[picks[t]] / np.linalg.norm(residual[picks[t]])
        for start in range(0, len(x), chunk):
            part = residual[start : start + chunk]
            part -= np.outer(part @ direction, direction)
            lengths[start : start + chunk] = np.sqrt(np.einsum("ij,ij->i", part, part))
        lengths[picks[: t + 1]] = 0
    return Result(picks, {})

"""What the measured trainings train on: made from a seed, the same for everyone."""

from typing import NamedTuple

import numpy as np

# Noise against unit class centres, so that a linear probe is right three times of four.
_FEATURE_NOISE = 3.0


class Arrays(NamedTuple):
    """Examples with their classes, the test set last.

    Attributes:
      x: uint8 `[n, side, side, 3]` or float32 `[n, d]`.
      y: int32 `[n]`, classes from 0.
    """

    x: np.ndarray
    y: np.ndarray


class Study(NamedTuple):
    """The labelled rows of every run of a study.

    Attributes:
      indices: int32 `[r, padded]`; beyond a run's size row 0, which is not used.
      sizes: int32 `[r]`.
    """

    indices: np.ndarray
    sizes: np.ndarray


def images(n: int, *, side: int, classes: int, seed: int = 0) -> Arrays:
    """Noise around a coarse pattern of 4×4 patches for each class."""
    rng = np.random.default_rng(seed)
    patterns = rng.uniform(60, 195, (classes, 4, 4, 3)).astype(np.float32)
    cells = np.arange(side) * 4 // side
    y = rng.integers(0, classes, n, dtype=np.int32)
    x = rng.standard_normal((n, side, side, 3), np.float32) * np.float32(40)
    x += patterns[y][:, cells][:, :, cells]
    return Arrays(x.clip(0, 255).astype(np.uint8), y)


def features(n: int, *, d: int, classes: int, seed: int = 0) -> Arrays:
    """Unit rows: a unit centre for each class, and noise of three times its length."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((classes, d), np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    y = rng.integers(0, classes, n, dtype=np.int32)
    x = rng.standard_normal((n, d), np.float32)
    x *= np.float32(_FEATURE_NOISE / np.sqrt(d))
    x += centres[y]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return Arrays(x, y)


def study(
    n: int, *, lists: int, budgets: list[int], padded: int, seed: int = 0
) -> Study:
    """Random picks: `lists` of them (a method with a seed), each at every budget.

    Runs `i · len(budgets) … (i + 1) · len(budgets) − 1` have the first rows of one
    list, as a selection that is made once and cut at every budget.

    Args:
      n: rows of the pool.
      lists: number of methods times seeds.
      budgets: numbers of labels, none above `padded`.
      padded: length of a run's list.
      seed: of the picks.

    Returns:
      `lists · len(budgets)` runs.
    """
    if max(budgets) > padded:
        raise ValueError(f"expected budgets of at most {padded}, found {max(budgets)}")
    rng = np.random.default_rng(seed)
    indices = np.zeros((lists, len(budgets), padded), np.int32)
    for i in range(lists):
        picks = rng.choice(n, max(budgets), replace=False)
        for j, budget in enumerate(budgets):
            indices[i, j, :budget] = picks[:budget]
    sizes = np.tile(np.asarray(budgets, np.int32), lists)
    return Study(indices.reshape(-1, padded), sizes)

"""Pools: which examples a seed may pick from, and which it has labelled already."""

from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError


class Pool(NamedTuple):
    """A seed's pool, as rows of the training set.

    Attributes:
      rows: int64 `[m]`, ascending: everything but the held-out share.
      initial: int64 `[p]`, the initial labelled pool, a subset of `rows`.
    """

    rows: np.ndarray
    initial: np.ndarray


def pool_size(n: int, holdout: float) -> int:
    """How many of `n` examples are in the pool.

    Example:
      >>> pool_size(50_000, 0.1)
      45000
    """
    return n - round(n * holdout)


def draw_pool(n: int, holdout: float, initial: int, seed: int) -> Pool:
    """Draws the held-out share and the initial labelled pool of a seed.

    Both are prefixes of one permutation, so that neither depends on the other's size.

    Args:
      n: examples in the training set.
      holdout: share that is held out (the reference code's validation split; nothing
        is validated on it here).
      initial: labels in the initial pool, drawn uniformly.
      seed: of the permutation.

    Returns:
      The pool.

    Example:
      >>> pool = draw_pool(10, holdout=0.2, initial=3, seed=0)
      >>> len(pool.rows), len(pool.initial), set(pool.initial) <= set(pool.rows)
      (8, 3, True)
    """
    order = np.random.default_rng([seed, 7]).permutation(n)
    kept = order[: pool_size(n, holdout)]
    return Pool(np.sort(kept), np.sort(kept[:initial]))


def check_budgets(budgets: list[int], n: int, holdout: float) -> None:
    """Refuses a budget that the pool cannot serve.

    Raises:
      UserError: naming the budget and the pool's size.
    """
    available = pool_size(n, holdout)
    if max(budgets) > available:
        raise UserError(
            f"expected config.budgets up to the pool's {available} examples ({n} less "
            f"the held-out share of {holdout:g}), found {max(budgets)}: lower it"
        )

"""Drawing rows: Gumbel-top-s without replacement, two-level inverse CDF with."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection import rules as rule
from jaxsel.selection.rules import Rules, Standing
from jaxsel.selection.sharded.mesh import everywhere


def in_tiers(scores: jax.Array, tiers: tuple[jax.Array, ...], budget: int):
    """The `budget` highest scores, every row of a tier before any of the next.

    Ties go to the lowest row. Rows of no tier come out only when the tiers hold
    fewer than `budget` rows; callers rule that out.

    Args:
      scores: float32 `[n]`, finite.
      tiers: disjoint masks, bool `[n]` each, the first served first.
      budget: how many rows to return.

    Returns:
      int32 `[budget]` rows in order, and int32 `[budget]` the tier of each.
    """
    rows = jnp.zeros(budget, jnp.int32)
    tier_of = jnp.zeros(budget, jnp.int32)
    place = jnp.arange(budget, dtype=jnp.int32)
    start = jnp.int32(0)
    for t, tier in enumerate(tiers):
        _, best = jax.lax.top_k(everywhere(jnp.where(tier, scores, -jnp.inf)), budget)
        size = jnp.minimum(jnp.sum(tier, dtype=jnp.int32), budget)
        here = (place >= start) & (place < start + size)
        moved = best[jnp.clip(place - start, 0, max(budget - 1, 0))]
        rows = jnp.where(here, moved.astype(jnp.int32), rows)
        tier_of = jnp.where(here, t, tier_of)
        start = start + size
    return rows, tier_of


def in_tiers_by_rules(
    scores: jax.Array,
    tiers: tuple[jax.Array, ...],
    rules: Rules,
    standing: Standing,
    budget: int,
):
    """`in_tiers` one row at a time, among those that the rules allow.

    With Gumbel noise in the scores, the highest of the rows that are still allowed is a
    draw from the law restricted to them: a race goes on without those that leave it.

    Args:
      scores, tiers, budget: as for `in_tiers`; int32 scores will do too.
      rules: what the picks must heed.
      standing: what earlier picks have left of it.

    Returns:
      int32 `[budget]` rows in order, -1 from where no row was allowed, and int32
      `[budget]` the tier of each.
    """

    def one(i, carry):
        free, standing, rows, tier_of = carry
        ok = free & rule.allowed(rules, standing)
        filled = jnp.stack([jnp.any(ok & tier) for tier in tiers])
        t = jnp.argmax(filled).astype(jnp.int32)
        row = rule.choose(scores, ok & jnp.stack(tiers)[t])
        free = free & (jnp.arange(len(free)) != row)
        standing = rule.after(rules, standing, row)
        return free, standing, rows.at[i].set(row), tier_of.at[i].set(t)

    blank = jnp.zeros(budget, jnp.int32)
    free = functools.reduce(jnp.logical_or, tiers)
    start = (free, standing, blank, blank)
    return jax.lax.fori_loop(0, budget, one, start)[2:]


def key_of(seed: int, labelled: int) -> jax.Array:
    """The key of a choice: of its seed, and of how many rows have labels already.

    With the same seed, a choice that goes on from earlier picks draws other numbers
    than they were drawn by. Gram–Schmidt's, looked up in a cumulative sum over rows
    in which little has changed, would fall beside them: in 18 of 20 cases within three
    rows, which are frames of one video in many a pool.
    """
    key = jax.random.key(seed)
    return jax.random.fold_in(key, labelled) if labelled else key


def gumbel(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Standard Gumbel noise, float32, fine enough for pools of 10^7 rows.

    The default float32 noise has 2^-23 of resolution in the uniform it is made
    from: on 10^7 rows the largest values tie and are biased. `mode="high"` spends
    a second word a draw and does not.
    """
    return jax.random.gumbel(key, shape, jnp.float32, mode="high")


def proportional(uniforms: jax.Array, weights: jax.Array) -> jax.Array:
    """Draws rows with replacement, p_i = weights_i / sum(weights).

    A single float32 cumulative sum cannot tell 10^7 rows apart (2^-24 of
    resolution), so the draw has two levels, each with its own uniform: a tile by
    its total, then a row by the cumulative sum within the tile.

    Args:
      uniforms: float32 `[2, b]`, i.i.d. uniform on [0, 1).
      weights: float32 `[n]`, non-negative, with a positive sum.

    Returns:
      int32 `[b]`. A row of weight 0 can appear where the sum is 0 or two partial
      sums differ in their last bit; callers must mask such rows.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> uniforms = jax.random.uniform(jax.random.key(0), (2, 3))
      >>> proportional(uniforms, jnp.array([0.0, 2.0, 0.0])).tolist()
      [1, 1, 1]
    """
    n = weights.shape[0]
    weights = everywhere(weights)  # So that no sum depends on the devices.
    width = max(1, int(n**0.5))
    tiles = -(-n // width)
    tiled = jnp.pad(weights, (0, tiles * width - n)).reshape(tiles, width)
    tile = _inverse_cdf(jnp.cumsum(tiled.sum(axis=1)), uniforms[0])
    row = jax.vmap(_inverse_cdf)(jnp.cumsum(tiled[tile], axis=1), uniforms[1])
    return jnp.minimum(tile * width + row, n - 1).astype(jnp.int32)


def _inverse_cdf(cumulative: jax.Array, uniform: jax.Array) -> jax.Array:
    """First place whose cumulative weight exceeds uniform times the total."""
    total = cumulative[-1]
    # u * total may round up to the total itself, which no place exceeds.
    target = jnp.minimum(uniform * total, jnp.nextafter(total, jnp.zeros_like(total)))
    place = jnp.searchsorted(cumulative, target, side="right")
    return jnp.minimum(place, cumulative.shape[0] - 1).astype(jnp.int32)


def spread(n: int, size: int) -> np.ndarray:
    """At most `size` distinct positions of 0 ... n - 1, evenly spread and aperiodic."""
    if n <= size:
        return np.arange(n)
    golden = (5**0.5 - 1) / 2
    offset = (np.arange(size) * golden) % 1 if n >= 2 * size else 0.0
    return ((np.arange(size) + offset) * (n / size)).astype(np.int64).clip(0, n - 1)

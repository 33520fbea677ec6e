"""The radius of ProbCover from the data: the closed-form purity rule, and "auto".

`purity_delta` (in `jaxsel.selection.purity`) is the rule of the ProbCover paper without
its grid. `auto_delta` needs neither labels nor the number of classes; it is also the
kernel width of MaxHerding.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsel.selection.purity import purity_delta
from jaxsel.selection.sampling import spread
from jaxsel.selection.sharded import mesh
from jaxsel.selection.tiles import inner_products, listed

__all__ = ["REFERENCE_ROWS", "SMALLEST", "auto_delta", "purity_delta"]

REFERENCE_ROWS = 2048
_RADII = 16
_BLOCK = 32
# Below it, distances of float32 unit rows are rounding.
SMALLEST = 1e-3


@partial(jax.jit, static_argnames="reference_rows")
def auto_delta(
    features: jax.Array, *, reference_rows: int = REFERENCE_ROWS
) -> jax.Array:
    """The finest radius at which choosing well covers much more than chance.

    Of a reference sample (positions spread evenly, so the choice is a function of the
    data) one half holds candidates and the other is to be covered. For a radius r let
    `g(r)` be the share of the second half covered by b = 1/16 of the candidates,
    chosen greedily at r, and `c(r) = mean_y 1 - (1 - p_y(r))^b` the share covered by b
    uniform draws, with `p_y` the share of candidates within r of y. The *advantage*
    `a(r) = g(r) - c(r)` vanishes for small r (each covers itself alone) and for large
    r (anything covers everything): where it is large, the radius tells rows apart.
    The curve can have several hills, one for each scale of the data: unrelated
    directions lie all near distance sqrt(2), and greedy choice gains there as well,
    without seeing any cluster. So the *finest* scale that matters is taken: the first
    r with half of the greatest advantage starts a hill; its height is the greatest
    advantage up to 1.3 r; the radius is the first with 90 % of that height.

    The cost is that of a 1024 x 1024 distance matrix and a few dozen greedy runs on
    it. It does not depend on the budget, so that picks for a smaller budget stay a
    prefix of those for a larger one. Differs from the paper: it has no such rule.

    Args:
      features: float32 `[n, d]`, unit rows.
      reference_rows: size of the sample.

    Returns:
      float32 scalar, at least 0.001.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> centres = jnp.eye(4).repeat(50, 0)
      >>> noise = 0.05 * jax.random.normal(jax.random.key(0), (200, 4))
      >>> rows = centres + noise
      >>> rows /= jnp.linalg.norm(rows, axis=1, keepdims=True)
      >>> bool(0.02 < auto_delta(rows) < 0.3)
      True
    """
    sample = mesh.everywhere(features[spread(features.shape[0], reference_rows)])
    sample = sample - jnp.mean(sample, axis=0)
    candidates = sample[::2]
    targets = sample[1::2] if len(sample) > 1 else sample
    among = _distances(candidates, candidates)
    among = jnp.where(jnp.eye(len(candidates), dtype=bool), 0.0, among)
    across = _distances(candidates, targets)
    balls = max(1, len(candidates) // 16)
    radii = _radii(across, balls)
    gain = lax.map(lambda r: _advantage(among, across, r, balls), radii)
    begins = radii[jnp.argmax(gain >= jnp.max(gain) / 2)]
    hill = (radii >= begins) & (radii <= 1.3 * begins)
    height = jnp.max(jnp.where(hill, gain, -jnp.inf))
    return radii[jnp.argmax(hill & (gain >= 0.9 * height))]


def _distances(a: jax.Array, b: jax.Array) -> jax.Array:
    squares = jnp.sum(a * a, axis=1)[:, None] + jnp.sum(b * b, axis=1)
    return jnp.sqrt(jnp.maximum(squares - 2 * inner_products(a, b), 0.0))


def _radii(distances: jax.Array, balls: int) -> jax.Array:
    """Radii to try: half of them quantiles, half in even ratios, ascending.

    From where an average ball holds far less than its 1 / balls of the rows, up to the
    median distance.
    """
    shares = np.geomspace(0.08 / balls, 0.5, _RADII)
    quantiles = jnp.quantile(distances.ravel(), jnp.asarray(shares, jnp.float32))
    quantiles = jnp.maximum(quantiles, SMALLEST)
    ratios = jnp.geomspace(quantiles[0], quantiles[-1], _RADII, dtype=jnp.float32)
    return jnp.sort(jnp.concatenate([quantiles, ratios]))


def _advantage(among, across, radius, balls: int) -> jax.Array:
    """Share of the targets that greedy balls cover, beyond as many drawn at random."""
    adjacent = among < radius
    m = len(among)

    def pick(_, state):
        degree, open_rows, covered = state
        chosen = jnp.argmax(degree)
        fresh = adjacent[chosen] & open_rows
        ids, total = listed(fresh)
        ids = jnp.pad(ids, (0, _BLOCK), constant_values=m)

        def subtract(state):
            start, degree = state
            block = lax.dynamic_slice(ids, (start,), (_BLOCK,))
            some = adjacent[jnp.minimum(block, m - 1)] & (block < m)[:, None]
            return start + _BLOCK, degree - jnp.sum(some, axis=0, dtype=jnp.int32)

        begin = jnp.int32(0), degree
        degree = lax.while_loop(lambda s: s[0] < total, subtract, begin)[1]
        covered = covered | (across[chosen] < radius)
        return degree, open_rows & ~fresh, covered

    degree = jnp.sum(adjacent, axis=1, dtype=jnp.int32)
    nothing = jnp.zeros(across.shape[1], bool)
    state = degree, jnp.ones(m, bool), nothing
    covered = lax.fori_loop(0, balls, pick, state)[2]
    chance = jnp.mean(across < radius, axis=0)
    return jnp.mean(covered) - jnp.mean(1 - (1 - chance) ** balls)

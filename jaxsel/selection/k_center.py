"""k-center: farthest-first traversal, one reading of the pool a pick.

Each pick is the row farthest from its nearest centre (Gonzalez, "Clustering to
minimize the maximum intercluster distance", 1985): a 2-approximation of the smallest
radius that covers the pool with so many balls.

Distances are summed from the differences, `sum_k (x_k - c_k)^2`, in one fused pass.
The product form `||x||^2 - 2 x.c + ||c||^2` is no faster, as both wait for memory, and
it cancels: here an exact copy of a centre is at distance exactly 0, and a common
offset of all rows does no harm.

When nothing is left: all remaining distances are 0; the pick is the lowest remaining
position, and each such pick begins a round of its own.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.selection.contract import Picks


@partial(jax.jit, static_argnames=("budget", "tie"))
def select_k_center(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    tie: str = "lowest",
) -> Picks:
    """Picks, each time, the row farthest from the picks and the labelled rows.

    `pick_t = argmax_x min_{c in L + picks} ||x - c||`; with nothing labelled the first
    pick is the row nearest the mean.

    Args:
      key: used by `tie="random"` only.
      features: float32 `[n, d]`, as they are (not normalised).
      labelled: bool `[n]`, centres from the start.
      budget: number of picks, at most the number of unlabelled rows.
      tie: "lowest" position, or "random" among exact maxima.

    Returns:
      Picks. `gains` are the distances at which the rows were picked; they never grow.
      A first pick that had no centre to be far from has the gain inf. `info` has
      `radius`, the largest distance of any row to its nearest centre at the end.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> rows = jnp.asarray([[0.0], [1.0], [2.0], [5.0]])
      >>> picks = select_k_center(
      ...     jax.random.key(0), rows, jnp.zeros(4, bool), budget=3)
      >>> picks.indices.tolist(), picks.gains.tolist()
      ([2, 3, 0], [inf, 3.0, 2.0])
    """
    cold = ~jnp.any(labelled)
    start = _squared_distances(features, _mean(features))

    def pick(state, step):
        nearest, latest, free, rounds = state
        # Distances wait a step before they are merged: on their own they compile to a
        # vectorised pass at the speed of memory, fused with the minimum to a slow one.
        nearest = jnp.minimum(nearest, latest)
        # The row nearest the mean is the farthest by the distance's negative.
        score = jnp.where(cold & (step == 0), -start, nearest)
        score = jnp.where(free, score, -jnp.inf)
        chosen = _argmax(jax.random.fold_in(key, step), score, tie)
        distance = nearest[chosen]
        state = (
            nearest,
            _squared_distances(features, features[chosen]),
            free.at[chosen].set(False),
            rounds + (distance == 0),
        )
        return state, (chosen, jnp.sqrt(distance))

    nearest, latest = _to_labelled(features, labelled)
    state = (nearest, latest, ~labelled, jnp.int32(1))
    state, (indices, gains) = lax.scan(pick, state, jnp.arange(budget))
    nearest, latest, _, rounds = state
    radius = jnp.sqrt(jnp.max(jnp.minimum(nearest, latest)))
    return Picks(indices, gains, rounds, {"radius": radius})


def _squared_distances(rows: jax.Array, centre: jax.Array) -> jax.Array:
    return jnp.sum(jnp.square(rows - centre), axis=1)


def _to_labelled(rows: jax.Array, labelled: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Squared distances to the labelled rows, as the two parts that `pick` merges."""
    n = rows.shape[0]
    ids = jnp.nonzero(labelled, size=n, fill_value=0)[0]

    def nearer(i, parts):
        return jnp.minimum(*parts), _squared_distances(rows, rows[ids[i]])

    far = jnp.full(n, jnp.inf, jnp.float32)
    return lax.fori_loop(0, jnp.sum(labelled), nearer, (far, far))


def _mean(rows: jax.Array) -> jax.Array:
    """The mean row; the second pass takes off the rounding error of the first."""
    rough = jnp.mean(rows, axis=0)
    return rough + jnp.mean(rows - rough, axis=0)


def _argmax(key: jax.Array, score: jax.Array, tie: str) -> jax.Array:
    if tie == "random":
        lot = jax.random.permutation(key, score.shape[0])
        score = jnp.where(score == jnp.max(score), lot, -1)
    return jnp.argmax(score).astype(jnp.int32)

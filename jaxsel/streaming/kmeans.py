"""k-means from disk: Lloyd's iteration, one pass to each move of the centres.

As in memory (`jaxsel.selection.kmeans`) but for the start: greedy k-means++ reads the
pool once a seed, so here it runs on a uniform sample of SAMPLE rows that is held for
it. A pool of no more rows is its own sample, and the clustering that of `kmeans`, as
far as the rounding of sums allows.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection.kmeans import _add_up
from jaxsel.selection.seeding import greedy_start, make_pool
from jaxsel.streaming.procedure import State
from jaxsel.streaming.stream import Stream
from jaxsel.streaming.survey import Survey

SAMPLE = 65_536
MAX_ITERS, TOL = 300, 1e-4


def start(
    stream: Stream, key: jax.Array, found: Survey, k: int, count: int, n_init: int
) -> State:
    """The first restart's seeds; zero rows take no part.

    Args:
      stream: the pool.
      key: PRNG key.
      found: of the pool.
      k: room for centres.
      count: centres wanted, at most `k`.
      n_init: restarts.

    Returns:
      A state for `step`, whose names begin with "km_".
    """
    valid = found.lengths > 0
    rows = max(int(valid.sum()), 1)
    mean = found.mean * (stream.n / rows)  # zero rows add nothing to the sum
    variance = found.squares - rows * float(mean @ mean)
    state = {
        "km_mean": mean.astype(np.float32),
        "km_threshold": np.float32(TOL * variance / (rows * stream.d)),
        "km_valid": valid,
        "km_count": np.int32(count),
        "km_restart": np.int64(0),
        "km_best_inertia": np.float64(np.inf),
    }
    return state | _seeded(stream, key, state, k, n_init)


def _seeded(stream: Stream, key: jax.Array, state: State, k: int, n_init: int) -> State:
    """Where a restart begins."""
    n, valid = stream.n, state["km_valid"]
    keys = jax.random.split(key, n_init)
    places = np.arange(n)
    if n > SAMPLE:
        bits = np.asarray(jax.random.key_data(keys[int(state["km_restart"])]))
        rng = np.random.default_rng(bits)
        places = np.sort(rng.choice(n, SAMPLE, replace=False, shuffle=False))
    start = _greedy(
        keys[int(state["km_restart"])],
        stream.gather(places),
        jnp.asarray(valid[places]),
        jnp.asarray(state["km_mean"]),
        jnp.asarray(state["km_count"]),
        k=k,
    )
    return {
        "km_centres": np.asarray(start.centres),
        "km_used": np.asarray(start.used),
        "km_labels": np.full(n, -2, np.int32),
        "km_iterations": np.int32(0),
        "km_settled": np.bool_(False),
    }


@partial(jax.jit, static_argnames="k")
def _greedy(key, rows, valid, mean, count, *, k: int):
    pool = make_pool(rows, valid)
    # Centred on the pool's mean, not the sample's.
    start = greedy_start(key, pool, count, k=k)
    moved = jnp.where(start.used[:, None], start.centres + (pool.mean - mean), 0)
    return start._replace(centres=moved)


def done(state: State, n_init: int) -> bool:
    """Whether all restarts have ended."""
    return int(state["km_restart"]) >= n_init


def step(stream: Stream, key: jax.Array, state: State, n_init: int) -> State:
    """One pass: every row to its nearest centre, and the centres to their means."""
    state = dict(state)
    k, d = state["km_centres"].shape
    labels = np.full(stream.n, -1, np.int32)
    sums, counts = np.zeros((k, d)), np.zeros(k, np.int64)
    inertia, far, farthest = 0.0, 0, -1.0
    given = [jnp.asarray(state[f"km_{name}"]) for name in ("centres", "used", "mean")]
    last = bool(state["km_settled"]) or state["km_iterations"] == MAX_ITERS
    for where, rows in stream.scan():
        count = where.stop - where.start
        valid = np.zeros(len(rows), bool)
        valid[:count] = state["km_valid"][where]
        parts = _assign(rows, valid, *given)
        if last:
            squared = _apart(rows, parts[0], given[0], given[2])
            inertia += float(np.asarray(squared).sum(dtype=np.float64))
        label, squared, some_sums, some_counts = (np.asarray(part) for part in parts)
        labels[where] = label[:count]
        sums += some_sums
        counts += some_counts
        here = int(np.argmax(squared))
        if squared[here] > farthest:
            far, farthest = where.start + here, float(squared[here])
    same = np.array_equal(labels, state["km_labels"])
    state["km_labels"] = labels
    if last:
        return _ended(stream, key, state, inertia, n_init)
    centres, reseeded = _means(stream, state, sums, counts, far)
    shift = np.sum(np.square(centres - state["km_centres"]), dtype=np.float64)
    small = shift <= state["km_threshold"]
    return state | {
        "km_centres": centres,
        "km_iterations": np.int32(state["km_iterations"] + 1),
        "km_settled": np.bool_((same or small) and not reseeded),
    }


@jax.jit
def _assign(rows, valid, centres, used, mean):
    """Labels and squared distances `[b]`, sums `[k, d]` and counts `[k]`."""
    k = len(used)
    rows = jnp.where(valid[:, None], rows - mean, 0)
    half = 0.5 * jnp.sum(jnp.square(centres), axis=1)
    half = jnp.where(used, half, jnp.inf)[:, None]
    score = half - jnp.dot(centres, rows.T, precision="highest")
    least = score.min(axis=0)
    places = jnp.arange(k, dtype=jnp.int32)[:, None]
    label = jnp.where(score == least, places, k).min(axis=0)
    squared = jnp.maximum(jnp.sum(jnp.square(rows), axis=1) + 2 * least, 0)
    sums, counts = _add_up(label, rows, valid, k)
    return jnp.where(valid, label, -1), jnp.where(valid, squared, 0), sums, counts


@jax.jit
def _apart(rows, label, centres, mean):
    """Squared distances `[b]` to the assigned centres, from differences, as in memory;
    0 for rows that do not take part."""
    squared = jnp.sum(jnp.square(rows - mean - centres[jnp.maximum(label, 0)]), axis=1)
    return jnp.where(label >= 0, squared, 0)


def _means(
    stream: Stream, state: State, sums: np.ndarray, counts: np.ndarray, far: int
) -> tuple[np.ndarray, bool]:
    """New centres, and whether an empty cluster was given the farthest row."""
    empty = np.flatnonzero(state["km_used"] & (counts == 0))
    reseed = False
    if len(empty):
        row = np.asarray(stream.gather([far]))[0] - state["km_mean"]
        home = state["km_labels"][far]
        away = np.sum(np.square(row - state["km_centres"][home]))
        # As in memory: a row this near to its centre is a copy of it.
        reseed = bool(away > 4 * np.finfo(np.float32).eps * np.sum(np.square(row)))
        if reseed:
            sums, counts = sums.copy(), counts.copy()
            sums[home] -= row
            sums[empty[0]] += row
            counts[home] -= 1
            counts[empty[0]] += 1
    means = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
    return np.where((counts > 0)[:, None], means, state["km_centres"]), reseed


def _ended(
    stream: Stream, key: jax.Array, state: State, inertia: float, n_init: int
) -> State:
    """A restart is over: it is the best so far or not; the next one, if any, begins."""
    if inertia < state["km_best_inertia"]:
        state |= {
            "km_best_inertia": np.float64(inertia),
            "km_best_labels": state["km_labels"],
            "km_best_iterations": state["km_iterations"],
        }
    state["km_restart"] = np.int64(state["km_restart"] + 1)
    if not done(state, n_init):
        state |= _seeded(stream, key, state, len(state["km_used"]), n_init)
    return state

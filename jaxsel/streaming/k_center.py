"""k-center from disk: the farthest rows first, several picks to a pass.

As in memory (`jaxsel.selection.k_center`), a pass bounds every row's squared distance
to its nearest centre by a product with the centres picked since the last one; then the
rows with the highest bounds are gathered and walked, and a row is picked while its
distance, from differences, is clearly beyond every other bound. A walk without a pick,
as among equal rows, calls for a pass of differences. Blocks are larger than in memory
and more centres share a pass, which changes no pick.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection.contract import Picks
from jaxsel.selection.k_center import CLEARLY
from jaxsel.streaming.farthest import TOGETHER, certain_picks, squared_distances
from jaxsel.streaming.procedure import Need, Procedure, State, Task
from jaxsel.streaming.stream import Stream
from jaxsel.streaming.survey import survey

# Rows gathered for a walk, at most.
WALKED = 8192
# Labelled rows that a pass measures distances to.
LABELLED = 1024
_ROUNDING = 2.0**-24


def _need(d: int, task: Task) -> Need:
    held = 16 * d * (task.budget + TOGETHER + LABELLED) + 16 * WALKED * d
    return Need(per_row=40, fixed=held + (1 << 20), per_block=8 * TOGETHER)


def _start(stream: Stream, task: Task) -> State:
    found = survey(stream)
    far = np.full(stream.n, np.inf, stream.dtype)
    return {
        "mean": found.mean.astype(stream.dtype),
        "known": np.int64(0),  # labelled rows that `nearest` knows
        "bound": far,
        "nearest": far,
        "free": ~task.labelled,
        "rows": np.zeros(0, np.int64),
        "gains": np.zeros(0, stream.dtype),  # squared
        "read": np.int64(0),  # picks that `bound` knows
        "passed": np.int64(0),  # picks that `nearest` knows
        "zero_rows": np.int64(found.zero_rows),
    }


def _open(stream: Stream, task: Task, state: State) -> State:
    """Distances to the next labelled rows; the first pick where there are none."""
    known = np.flatnonzero(task.labelled)
    if len(known) == 0:
        far, mean = state["nearest"], jnp.asarray(state["mean"])[None]
        distances = _nearer(stream, far, mean, 0, 1)
        row = _farthest(task, np.arange(stream.n), -distances)
        return _with_picks(state, np.array([row]), np.array([np.inf]))
    start = int(state["known"])
    some = known[start : start + LABELLED]
    centres = stream.gather(some, LABELLED)
    nearest = _nearer(stream, state["nearest"], centres, 0, len(some))
    return state | {
        "known": np.int64(start + len(some)),
        "nearest": nearest,
        "bound": nearest,
    }


def _done(task: Task, state: State) -> bool:
    return len(state["rows"]) >= task.budget and "radius" in state


def _step(stream: Stream, task: Task, state: State) -> State:
    state = dict(state)
    state.pop("radius", None)
    labelled = int(np.sum(task.labelled))
    if state["known"] < labelled or (labelled == 0 and len(state["rows"]) == 0):
        return _open(stream, task, state)
    state["bound"] = _bounds(stream, state)
    state["read"] = np.int64(len(state["rows"]))
    room = task.budget - len(state["rows"])
    if room == 0:
        return state | {"radius": _radius(stream, task, state)}
    free = np.flatnonzero(state["free"])
    if not np.any(state["bound"][free] > 0):
        # Copies of picks are left, and nothing else: they bring no row nearer.
        rows = free[np.argsort(_places(task, stream.n)[free])[:room]]
        state = _with_picks(state, rows, np.zeros(room))
        return state | {"read": np.int64(len(state["rows"]))}
    rows, gains = _walk(stream, task, state, min(room, TOGETHER))
    if len(rows) == 0:
        state = _measured(stream, state)
        rows = np.array([_farthest(task, free, state["nearest"][free])])
        gains = state["nearest"][rows]
    state = _with_picks(state, rows, gains)
    stream.picked = len(state["rows"])
    return state


def _with_picks(state: State, rows, gains) -> State:
    free = state["free"].copy()
    free[rows] = False
    gains = np.asarray(gains, state["gains"].dtype)
    return state | {
        "free": free,
        "rows": np.concatenate([state["rows"], np.asarray(rows, np.int64)]),
        "gains": np.concatenate([state["gains"], gains]),
    }


def _places(task: Task, n: int) -> np.ndarray:
    """Who comes first among equals: row order, or a lot."""
    if task.options["tie"] == "lowest":
        return np.arange(n)
    order = np.asarray(jax.random.permutation(task.key, n))
    places = np.empty(n, np.int64)
    places[order] = np.arange(n)
    return places


def _farthest(task: Task, rows: np.ndarray, distances: np.ndarray) -> int:
    """The row with the largest distance."""
    tied = rows[distances == distances.max()]
    if len(tied) == 1:
        return int(tied[0])
    return int(tied[np.argmin(_places(task, len(task.labelled))[tied])])


def _bounds(stream: Stream, state: State) -> np.ndarray:
    """`bound` with the picks since the last reading, at most TOGETHER a pass."""
    bound = state["bound"]
    for start in range(int(state["read"]), len(state["rows"]), TOGETHER):
        new = state["rows"][start : start + TOGETHER]
        # Past the end the first of them again, which changes nothing.
        new = np.concatenate([new, np.full(TOGETHER - len(new), new[0])])
        centres = stream.gather(new)
        lower = np.empty_like(bound)
        for where, rows in stream.scan():
            upper = np.asarray(_upper(rows, centres))[: where.stop - where.start]
            lower[where] = np.minimum(bound[where], upper)
        bound = lower
    return bound


@jax.jit
def _upper(rows: jax.Array, centres: jax.Array) -> jax.Array:
    """Not below the squared distance to the nearest centre: float32 `[b]`."""
    d = rows.shape[1]
    gamma = (d + 8) * _ROUNDING / (1 - (d + 8) * _ROUNDING)
    squares = jnp.sum(jnp.square(rows), axis=1)[:, None]
    others = jnp.sum(jnp.square(centres), axis=1)
    products = jnp.matmul(rows, centres.T, precision="highest")
    margin = 1.01 * gamma * jnp.square(jnp.sqrt(squares) + jnp.sqrt(others))
    return jnp.min(squares + others - 2 * products + margin, axis=1)


def _measured(stream: Stream, state: State) -> State:
    """Distances of all rows to all picks, from differences."""
    picked = len(state["rows"])
    new = state["rows"][int(state["passed"]) :]
    centres = stream.gather(new, _room(len(new)))
    nearest = _nearer(stream, state["nearest"], centres, 0, len(new))
    return state | {
        "nearest": nearest,
        "bound": nearest,
        "passed": np.int64(picked),
        "read": np.int64(picked),
    }


def _nearer(stream: Stream, nearest: np.ndarray, centres, start, stop) -> np.ndarray:
    """Squared distances to the nearest of `centres` and those known, by one pass."""
    nearer = np.empty_like(nearest)
    for where, rows in stream.scan():
        found = np.asarray(_from_differences(rows, centres, start, stop))
        found = found[: where.stop - where.start]
        nearer[where] = np.minimum(nearest[where], found)
    return nearer


@jax.jit
def _from_differences(rows: jax.Array, centres: jax.Array, start, stop) -> jax.Array:
    def one_centre(i, parts):
        # As in memory: on their own, differences compile to a vectorised pass.
        return jnp.minimum(*parts), squared_distances(rows, centres[i])

    far = jnp.full(len(rows), jnp.inf, rows.dtype)
    return jnp.minimum(*jax.lax.fori_loop(start, stop, one_centre, (far, far)))


def _walk(
    stream: Stream, task: Task, state: State, wanted: int
) -> tuple[np.ndarray, np.ndarray]:
    """Picks that are certain among the rows with the highest bounds, in order."""
    bound = np.where(state["free"], state["bound"], -np.inf)
    size = min(WALKED, stream.n)
    rows = np.argpartition(bound, stream.n - size)[stream.n - size :]
    rows.sort()
    spare = (0, max(0, 2 - size))  # a walk compares two rows
    upper = np.pad(bound[rows], spare, constant_values=-np.inf)
    nearest = np.pad(state["nearest"][rows], spare)
    bound[rows] = -np.inf
    outside = max(float(bound.max()), 0.0)
    block = stream.gather(rows, max(size, 2))
    known = len(state["rows"])
    centres = stream.gather(state["rows"], _room(known + TOGETHER))
    places, gains = np.zeros(0, np.int64), np.zeros(0, bound.dtype)
    while len(places) < wanted:
        count = jnp.int32(known + len(places))
        here, found, added = certain_picks(
            block, upper, nearest, centres, count, outside, wanted - len(places)
        )
        here, found = np.asarray(here)[:added], np.asarray(found)[:added]
        centres = centres.at[int(count) + np.arange(added)].set(block[here])
        places, gains = np.append(places, here), np.append(gains, found)
        if len(places) == wanted:
            break
        # Two rows are equally far but for rounding: which one, differences decide.
        count = jnp.int32(known + len(places))
        measured = np.asarray(_from_differences(block, centres, 0, count))
        distances = np.minimum(nearest, measured)
        distances[np.isneginf(upper)] = -np.inf
        distances[places] = -np.inf
        if not distances.max() > CLEARLY * outside:
            break
        row = _farthest(task, rows, distances[: len(rows)])
        place = int(np.searchsorted(rows, row))
        centres = centres.at[int(count)].set(block[place])
        places, gains = np.append(places, place), np.append(gains, distances[place])
        distances[place] = -np.inf
        upper = np.minimum(distances, squared_distances(block, block[place]))
    return rows[places], gains


def _room(count: int) -> int:
    """A power of two: a few shapes only, or every walk would compile."""
    return max(TOGETHER, 1 << (count - 1).bit_length())


def _radius(stream: Stream, task: Task, state: State) -> np.floating:
    """The largest distance of any row to its nearest centre: of a pick not made."""
    if not np.any(state["bound"] > 0):
        return state["bound"].dtype.type(0)
    everyone = state | {"free": np.ones_like(state["free"])}
    _, gains = _walk(stream, task, everyone, 1)
    if len(gains) == 0:
        gains = _measured(stream, everyone)["nearest"].max(keepdims=True)
    return np.sqrt(gains[0])


def _finish(stream: Stream, task: Task, state: State) -> Picks:
    budget = task.budget
    gains, radius = state["gains"][:budget], state["radius"]
    if budget < len(state["rows"]):  # of a larger budget: the next pick's distance
        radius = np.sqrt(state["gains"][budget])
    return Picks(
        jnp.asarray(state["rows"][:budget], jnp.int32),
        jnp.sqrt(jnp.asarray(gains)),
        jnp.int32(1 + np.sum(gains == 0)),
        {"radius": jnp.asarray(radius)},
    )


K_CENTER = Procedure(_need, _start, _step, _done, _finish, True)

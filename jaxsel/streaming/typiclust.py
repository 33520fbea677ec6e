"""TypiClust from disk: streamed k-means, then one cluster in memory at a time.

As in memory (`jaxsel.selection.typiclust`), but for the start of k-means on pools of
more than `kmeans.SAMPLE` rows, and for clusters whose rows that may be picked exceed
LARGEST bytes (65,536 rows of 128 numbers): the most typical row of such a cluster is
that of a uniform sample of as many, among each other. `info` counts such picks.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection.contract import Picks
from jaxsel.selection.typicality import Cluster, most_typical
from jaxsel.selection.typiclust import GUARD, _room, _tabulate, _tile
from jaxsel.streaming import kmeans
from jaxsel.streaming.procedure import Need, Procedure, State, Task
from jaxsel.streaming.stream import Stream
from jaxsel.streaming.survey import survey

# Rows of a cluster that are compared with each other, in bytes of float32.
LARGEST = 32 << 20
# Picks between two checkpoints.
TOGETHER = 16


def _need(d: int, task: Task) -> Need:
    k = _wanted(task)
    sample = min(kmeans.SAMPLE, len(task.labelled))
    seeding = 12 * d * sample + 12 * sample * (4 + int(np.log(k)))
    held = max(6 * LARGEST, seeding)
    return Need(
        per_row=72, fixed=held + 40 * k * d + (1 << 20), per_block=4 * d + 12 * k
    )


def _wanted(task: Task) -> int:
    """Room for centres."""
    limit = min(int(task.options["max_clusters"]), len(task.labelled))
    return _room(task.labelled, task.budget, limit)  # type: ignore[arg-type]


def _start(stream: Stream, task: Task) -> State:
    found = survey(stream)
    state = {
        "zero_rows": np.int64(found.zero_rows),
        "indices": np.zeros(0, np.int64),
        "gains": np.zeros(0, np.float32),
        "sampled": np.int64(0),  # picks from a sample of their cluster
    }
    given = task.options["clusters"]
    if given is not None:
        return state | {"clusters": np.asarray(given, np.int32)}
    wanted = min(int(task.labelled.sum()) + task.budget, task.options["max_clusters"])
    room = _wanted(task)
    count = max(1, min(wanted, room))
    return state | kmeans.start(
        stream, task.key, found, room, count, task.options["n_init"]
    )


def _done(task: Task, state: State) -> bool:
    return len(state["indices"]) >= task.budget


def _step(stream: Stream, task: Task, state: State) -> State:
    n_init = task.options["n_init"]
    if "clusters" not in state:
        if not kmeans.done(state, n_init):
            return kmeans.step(stream, task.key, state, n_init)
        room = len(state["km_used"])
        clusters = np.where(state["km_valid"], state["km_best_labels"], room)
        kept = {name: v for name, v in state.items() if not name.startswith("km_")}
        return kept | {
            "clusters": clusters.astype(np.int32),
            "inertia": np.float32(state["km_best_inertia"]),
            "iterations": state["km_best_iterations"],
        }
    for _ in range(min(TOGETHER, task.budget - len(state["indices"]))):
        state = _pick(stream, task, state)
    stream.picked = len(state["indices"])
    return state


def _table(stream: Stream, task: Task, state: State) -> dict[str, np.ndarray]:
    """The clusters in the order they are visited; see `typiclust._tabulate`."""

    def make():
        clusters = state["clusters"]
        capacity = int(clusters.max()) + 1 if stream.n else 1
        table = _tabulated(clusters, jnp.asarray(task.labelled), capacity=capacity)
        return {name: np.asarray(v) for name, v in table._asdict().items()}

    return stream.once("table", make)


_tabulated = jax.jit(_tabulate, static_argnames="capacity")


def _pick(stream: Stream, task: Task, state: State) -> State:
    """One pick from the next cluster that has an open row."""
    table = _table(stream, task, state)
    if "open" not in state:
        kept = table["kept"]
        state = state | {
            "open": ~task.labelled,
            "left": table["open"],
            "cursor": np.int64(0),
            "limit": np.int64(kept if kept > 0 else table["filled"]),
            "rounds": np.int32(1),
        }
    left, limit, cursor = state["left"], int(state["limit"]), int(state["cursor"])
    used_up = not np.any(left[:limit] > 0)
    if used_up:
        limit, cursor = int(table["filled"]), 0
    waiting = np.flatnonzero(left[:limit] > 0)
    q = int(waiting[np.argmin((waiting - cursor) % limit)])
    begin = table["start"][q]
    members = table["order"][begin : begin + table["size"][q]]
    row, typicality, sampled = _most_typical(
        stream, task, members[state["open"][members]], len(state["indices"])
    )
    open_, left = state["open"].copy(), left.copy()
    open_[row] = False
    left[q] -= 1
    begun = used_up or q < cursor
    return state | {
        "open": open_,
        "left": left,
        "cursor": np.int64(q + 1),
        "limit": np.int64(limit),
        "rounds": np.int32(state["rounds"] + begun),
        "indices": np.append(state["indices"], row),
        "gains": np.append(state["gains"], np.float32(typicality)),
        "sampled": np.int64(state["sampled"] + sampled),
    }


def _most_typical(
    stream: Stream, task: Task, members: np.ndarray, pick: int
) -> tuple[int, float, bool]:
    """The most typical of the members, its typicality, whether a sample was taken."""
    most = max(1, LARGEST // (4 * stream.d))
    sampled = len(members) > most
    if sampled:
        bits = np.asarray(jax.random.key_data(jax.random.fold_in(task.key, pick)))
        rng = np.random.default_rng(bits)
        members = np.sort(rng.choice(members, most, replace=False))
    capacity = _wanted(task) + 1
    if task.options["clusters"] is not None:
        capacity = stream.n
    tile = _tile(stream.n // min(task.budget, capacity))
    # Room to read whole tiles; a few lengths only, or every cluster would compile.
    size = 1 << (len(members) + tile - 1).bit_length()
    found = _typical(
        stream.gather(members, size),
        jnp.int32(len(members)),
        squared=task.options["distance"] == "sqeuclidean",
        tile=tile,
    )
    alone = int(found.neighbours) == 0
    # In float32, as in memory.
    typicality = 1 / (np.float32(found.mean_distance) + np.float32(GUARD))
    return (
        int(members[int(found.place)]),
        np.inf if alone else float(typicality),
        sampled,
    )


@partial(jax.jit, static_argnames=("squared", "tile"))
def _typical(rows, count, *, squared: bool, tile: int):
    is_open = jnp.arange(len(rows)) < count
    cluster = Cluster(rows, is_open, jnp.int32(0), count)
    return most_typical(cluster, squared=squared, tile=tile)


def _finish(stream: Stream, task: Task, state: State) -> Picks:
    table = _table(stream, task, state)
    known = {name: state.get(name) for name in ("inertia", "iterations")}
    info: dict[str, Any] = {k: v for k, v in known.items() if v is not None}
    info |= {
        "n_clusters": table["filled"],
        "n_kept": table["kept"],
        "sampled_clusters": state["sampled"],
        "assignments": state["clusters"],
    }
    return Picks(
        jnp.asarray(state["indices"], jnp.int32),
        jnp.asarray(state["gains"]),
        jnp.int32(state["rounds"]),
        info,
    )


TYPICLUST = Procedure(_need, _start, _step, _done, _finish, False)

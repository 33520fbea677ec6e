"""ProbCover from disk, exactly: every pair of rows is decided, block against block.

The same integers as in memory (`jaxsel.selection.probcover`), so the same picks: the
gains of all rows take n^2 d flops and n / (2 block) passes; a pick takes a pass to find
what its ball covers, and readings of the rows that lose by it. For pools of up to some
10^5 rows; beyond, see `jaxsel.streaming.reference`.
"""

from functools import partial
from math import gcd

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection.contract import Picks
from jaxsel.selection.delta import REFERENCE_ROWS, auto_delta
from jaxsel.selection.probcover import random_coverage
from jaxsel.selection.sampling import spread
from jaxsel.selection.tiles import Ball, counts_within, degrees, may_be_within
from jaxsel.streaming.pairs import TILE, ball_at, counts_between
from jaxsel.streaming.procedure import Need, Procedure, State, Task
from jaxsel.streaming.stream import Stream
from jaxsel.streaming.survey import survey

# Labelled rows whose balls one pass looks at.
LABELLED = 1024


def _need(d: int, task: Task) -> Need:
    fixed = 16 * TILE * TILE + 16 * d * max(REFERENCE_ROWS, LABELLED) + (96 << 20)
    return Need(per_row=64, fixed=fixed, per_block=12 * d + 16)


def radius(stream: Stream, delta) -> np.float32:
    """The radius from the option: a number, or "auto" from a few rows of the pool."""
    if delta != "auto":
        return np.float32(delta)
    sample = spread(stream.n, REFERENCE_ROWS)
    return np.float32(auto_delta(stream.gather(sample)))


def _start(stream: Stream, task: Task) -> State:
    found = survey(stream)
    n = stream.n
    return {
        "delta": radius(stream, task.options["delta"]),
        "centre": found.mean.astype(np.float32),
        "alive": found.lengths > 0,
        "all_gains": np.zeros(n, np.int32),
        "counted": np.int64(0),  # rows whose pairs with all rows are counted
        "excluded": task.labelled,
        "indices": np.zeros(0, np.int64),
        "taken": np.zeros(0, np.int64),
        "round_of": np.zeros(0, np.int32),
        "uncovered": np.zeros(0, np.int64),  # rows, after each pick
        "zero_rows": np.int64(found.zero_rows),
    }


def _done(task: Task, state: State) -> bool:
    return len(state["indices"]) >= task.budget


def _step(stream: Stream, task: Task, state: State) -> State:
    state = dict(state)
    if state["counted"] < stream.n:
        return _count(stream, state)
    if "gains" not in state:
        return _open(stream, task, state)
    state["gains"] = _settled(stream, state)
    free = ~state["excluded"]
    rounds = int(state["rounds"])
    if not np.any(state["gains"][free]):
        state["gains"] = state["all_gains"]
        state["covered"] = np.zeros(stream.n, bool)
        rounds += 1
    chosen = _best(task, state)
    near, fresh = _looked_at(stream, state, chosen)
    fresh[chosen] = True
    fresh &= ~state["covered"]
    covered = state["covered"] | fresh
    excluded = state["excluded"].copy()
    excluded[chosen] = True
    uncovered = 0 if rounds > 1 else int(np.sum(~covered))
    stream.picked = len(state["indices"]) + 1
    return state | {
        "covered": covered,
        "excluded": excluded,
        "lost": fresh,
        "touched": near,
        "rounds": np.int32(rounds),
        "indices": np.append(state["indices"], chosen),
        "taken": np.append(state["taken"], fresh.sum()),
        "round_of": np.append(state["round_of"], np.int32(rounds)),
        "uncovered": np.append(state["uncovered"], uncovered),
    }


def _balls(state: State) -> tuple[Ball, Ball]:
    """The radius, and twice the radius."""
    centre, delta = jnp.asarray(state["centre"]), jnp.float32(state["delta"])
    return ball_at(centre, delta), ball_at(centre, 2 * delta)


def _count(stream: Stream, state: State) -> State:
    """The pairs of one block with itself and with all rows after it."""
    ball, _ = _balls(state)
    size, begin = stream.plan.block, int(state["counted"])
    end = min(begin + size, stream.n)
    held = stream.gather(np.arange(begin, end), size)
    gains = state["all_gains"].copy()
    tile = gcd(TILE, size)
    gains[begin:end] += np.asarray(degrees(held, ball, tile=tile))[: end - begin]
    for where, rows in stream.scan(end):
        count = where.stop - where.start
        ours, theirs = counts_between(
            held, rows, ball, end - begin, count, columns=True
        )
        gains[begin:end] += np.asarray(ours)[: end - begin]
        gains[where] += np.asarray(theirs)[:count]
    return state | {"all_gains": gains, "counted": np.int64(end)}


def _open(stream: Stream, task: Task, state: State) -> State:
    """Before the first pick: the labelled rows' balls are covered."""
    ball, _ = _balls(state)
    covered = task.labelled.copy()
    known = np.flatnonzero(task.labelled)
    for start in range(0, len(known), LABELLED):
        some = known[start : start + LABELLED]
        centres = stream.gather(some, LABELLED)
        for where, rows in stream.scan():
            count = where.stop - where.start
            found, _ = counts_between(rows, centres, ball, count, len(some))
            covered[where] |= np.asarray(found)[:count] > 0
    return state | {
        "gains": state["all_gains"],
        "covered": covered,
        "reached": covered,
        "lost": covered,
        "touched": np.ones(stream.n, bool),
        "rounds": np.int32(1),
    }


def _settled(stream: Stream, state: State) -> np.ndarray:
    """The gains, with those of the touched rows brought up to date.

    They lose the lost rows in their balls, or have the uncovered ones counted anew
    where these are fewer.
    """
    ball, _ = _balls(state)
    touched = np.flatnonzero(state["touched"] & state["alive"] & ~state["excluded"])
    anew = np.sum(~state["covered"]) < np.sum(state["lost"])
    counted = np.flatnonzero(~state["covered"] if anew else state["lost"])
    gains = state["gains"].copy()
    if anew:
        gains[touched] = 0
    size = stream.plan.block
    for start in range(0, len(counted), size):
        some = counted[start : start + size]
        others = stream.gather(some, size)
        for begin in range(0, len(touched), size):
            rows = touched[begin : begin + size]
            within, _ = counts_between(
                stream.gather(rows, size), others, ball, len(rows), len(some)
            )
            found = np.asarray(within)[: len(rows)]
            gains[rows] += found if anew else -found
    return gains


def _best(task: Task, state: State) -> int:
    gains = np.where(state["excluded"], -1, state["gains"])
    if task.options["tie"] == "lowest":
        return int(np.argmax(gains))
    _, tie_key = jax.random.split(task.key)
    key = jax.random.fold_in(tie_key, len(state["indices"]))
    lot = np.asarray(jax.random.permutation(key, len(gains)))
    return int(np.argmax(np.where(gains == gains.max(), lot, -1)))


def _looked_at(stream: Stream, state: State, chosen: int):
    """bool `[n]` twice: rows perhaps within 2 delta of a row, and within delta."""
    ball, reach = _balls(state)
    row = stream.gather([chosen])
    near, within = np.empty(stream.n, bool), np.empty(stream.n, bool)
    for where, rows in stream.scan():
        count = where.stop - where.start
        found = _look(rows, row, ball, reach, tile=gcd(TILE, len(rows)))
        near[where], within[where] = (np.asarray(part)[:count] for part in found)
    return near, within


@partial(jax.jit, static_argnames="tile")
def _look(rows, row, ball: Ball, reach: Ball, *, tile: int):
    def one_tile(some):
        near = may_be_within(some, row, reach)[:, 0]
        return near, counts_within(some, row, ball)[0] > 0

    near, within = jax.lax.map(one_tile, rows.reshape(-1, tile, rows.shape[1]))
    return near.ravel(), within.ravel()


def _finish(stream: Stream, task: Task, state: State) -> Picks:
    budget, n = task.budget, stream.n
    uncovered = int(state["uncovered"][budget - 1])
    by_chance = random_coverage(
        jnp.asarray(state["all_gains"]),
        jnp.asarray(~state["reached"]),
        jnp.int32(np.sum(~task.labelled)),
        budget,
    )
    info = {
        "delta": jnp.float32(state["delta"]),
        "coverage": jnp.float32(1 - uncovered / n),
        "uncovered": jnp.int32(uncovered),
        "random_coverage": (np.sum(state["reached"]) + by_chance) / n,
    }
    return Picks(
        jnp.asarray(state["indices"][:budget], jnp.int32),
        jnp.asarray(state["taken"][:budget], jnp.float32),
        jnp.int32(state["round_of"][budget - 1]),
        info,
    )


PROBCOVER = Procedure(_need, _start, _step, _done, _finish, True)

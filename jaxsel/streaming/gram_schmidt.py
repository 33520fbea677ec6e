"""Gram-Schmidt from disk: a walk over a block of gathered rows, then one pass.

The pool's residuals are never held. Their squared lengths `left` `[n]` are brought up
to date by a pass that multiplies every row with the new directions of a block; where
rounding has made them loose, a pass projects every row on the fly and measures afresh.
So a selection reads the pool once for the lengths and once for every block but the
last, the walks are those in memory (`jaxsel.selection.gram_schmidt`), and so are the
draws.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection import sampling
from jaxsel.selection.contract import Picks
from jaxsel.selection.gram_schmidt import basis as bases
from jaxsel.selection.gram_schmidt import blocked
from jaxsel.selection.gram_schmidt import residuals as res
from jaxsel.selection.gram_schmidt.block import DEPENDENT, gather, take
from jaxsel.selection.norm import row_norms
from jaxsel.streaming.gram_schmidt_walk import block_size, walk
from jaxsel.streaming.procedure import Need, Procedure, State, Task
from jaxsel.streaming.stream import Stream
from jaxsel.streaming.survey import survey


def _need(d: int, task: Task) -> Need:
    size = block_size(task)
    directions = 4 * d * (d + 2 * max(size, bases.BLOCK))
    return Need(
        per_row=56,
        fixed=4 * directions + 16 * size * d + (1 << 20),
        per_block=8 * max(size, bases.BLOCK),
    )


def _start(stream: Stream, task: Task) -> State:
    found = survey(stream)
    n, d = stream.n, stream.d
    room = max(block_size(task), bases.BLOCK)
    basis = bases.empty(min(n, d), room, d, stream.dtype)
    # The state is in the order of a lot, so that ties go to any of the tied.
    order = np.arange(n)
    shuffled = task.options["deterministic"] and task.options["tie"] == "random"
    if shuffled:
        _, key_tie = jax.random.split(task.key)
        order = np.asarray(jax.random.permutation(key_tie, n))
    known = order[task.labelled[order]]
    basis = _span(stream, known, basis)
    own = found.lengths[order]
    state = {
        "own": own,
        "exact": np.square(own),
        "left": np.square(own),
        "free": ~task.labelled[order],
        "basis": np.asarray(basis.rows),
        "size": np.int32(basis.size),
        "measured": np.zeros_like(basis.rows),  # the basis of the last measurement
        "measured_size": np.int32(0),
        "stale": np.bool_(basis.size > 0),  # whether a measurement is due
        "share": own.dtype.type(1.0),
        "rows": np.zeros(0, np.int32),
        "gains": np.zeros(0, own.dtype),
        "beyond_rows": np.zeros(0, np.int32),  # picks of a block that was cut short
        "beyond_gains": np.zeros(0, own.dtype),
        "round_of": np.zeros(0, np.int32),  # of every pick in `rows`
        "rounds": np.int32(1),
        "blocks": np.int32(0),
        "measures": np.int32(basis.size == 0),
        "ratio": own.dtype.type(0.0),
        "zero_rows": np.int64(found.zero_rows),
    }
    return state | ({"order": order} if shuffled else {})


def _span(stream: Stream, known: np.ndarray, basis: bases.Basis) -> bases.Basis:
    """The basis with the span of the labelled rows, a few rows at a time."""
    for start in range(0, len(known), bases.BLOCK):
        some = known[start : start + bases.BLOCK]
        rows = stream.gather(some, bases.BLOCK)
        capacity = min(stream.n, stream.d)
        basis = _extended(basis, rows, jnp.int32(len(some)), capacity=capacity)
        if int(basis.size) >= capacity:
            break
    return basis


@partial(jax.jit, static_argnames="capacity")
def _extended(
    basis: bases.Basis, rows: jax.Array, count: jax.Array, *, capacity: int
) -> bases.Basis:
    """As `jaxsel.selection.gram_schmidt.block.span` does it, for one of its blocks."""
    block = gather(rows, jnp.arange(len(rows), dtype=jnp.int32), basis)
    enough = DEPENDENT * row_norms(rows)

    def one_row(t, block):
        length = jnp.sqrt(jnp.sum(jnp.square(block.rest[t])))
        new = (t < count) & (length > enough[t])
        return jax.lax.cond(
            new & (basis.size + block.added < capacity),
            lambda block: take(block, t, basis),
            lambda block: block,
            block,
        )

    block = jax.lax.fori_loop(0, len(rows), one_row, block)
    return bases.append(basis, block.new, block.added)


def _wants_more(state: State) -> bool:
    return bool(np.any(state["free"] & (state["own"] > 0)))


def _done(task: Task, state: State) -> bool:
    picked = len(state["rows"]) + len(state["beyond_rows"])
    return picked >= task.budget or not _wants_more(state)


def _step(stream: Stream, task: Task, state: State) -> State:
    state = dict(state)
    if state["stale"]:
        return _measure(stream, state)
    ledger, new, added, share = walk(stream, task, state)
    picked = int(ledger.picked)
    stream.picked = picked
    if picked >= task.budget:
        # A larger budget walks this block again, with room for all of its picks.
        before = len(state["rows"])
        state["beyond_rows"] = np.asarray(ledger.rows)[before:]
        state["beyond_gains"] = np.asarray(ledger.gains)[before:]
        return state
    state |= {
        "rows": np.asarray(ledger.rows)[:picked],
        "gains": np.asarray(ledger.gains)[:picked],
        "round_of": np.append(
            state["round_of"], np.full(added, state["rounds"], np.int32)
        ),
        "beyond_rows": np.zeros(0, np.int32),
        "beyond_gains": np.zeros(0, state["gains"].dtype),
        "free": np.asarray(ledger.free),
        "basis": np.asarray(ledger.basis.rows),
        "size": np.int32(ledger.basis.size),
        "blocks": np.int32(ledger.passes),
        "ratio": np.asarray(ledger.ratio)[()],
        "share": state["own"].dtype.type(share),
    }
    if state["size"] >= min(stream.n, stream.d):
        return _next_round(state) if _wants_more(state) else state
    if task.options["deterministic"]:
        state["stale"] = np.bool_(added == 0)
    else:
        grown = state["size"] > state["measured_size"]
        state["stale"] = np.bool_(share < blocked.WASTED and grown)
    if not state["stale"] and added > 0 and _wants_more(state):
        state["left"] = _downdated(stream, state, new)
    return state


def _downdated(stream: Stream, state: State, new: jax.Array) -> np.ndarray:
    """`left` after a block's directions, by one pass."""
    basis = bases.Basis(jnp.asarray(state["measured"]), state["measured_size"])
    taken = _pass(stream, state, lambda rows: _along(rows, basis, new))
    return state["left"] - taken


def _measure(stream: Stream, state: State) -> State:
    """The squared residual lengths computed anew; a new round where none is left."""
    basis = bases.Basis(jnp.asarray(state["basis"]), jnp.int32(state["size"]))
    exact = np.square(state["own"])
    if basis.size > 0:
        exact = _pass(stream, state, lambda rows: _squares(rows, basis))
        if exact.dtype == np.float64:
            spanned = res.beyond_rounding(jnp.sqrt(exact), jnp.asarray(state["own"]))
            exact = np.where(np.asarray(spanned) == 0, 0.0, exact)
    state |= {
        "exact": exact,
        "left": exact,
        "measured": state["basis"],
        "measured_size": state["size"],
        "measures": np.int32(state["measures"] + 1),
        "share": state["own"].dtype.type(1.0),
        "stale": np.bool_(False),
    }
    worth = np.sqrt(exact) > exact.dtype.type(res.EXHAUSTED) * state["own"]
    return state if np.any(state["free"] & worth) else _next_round(state)


def _next_round(state: State) -> State:
    """The remaining rows start over, with an empty basis: they are their residuals."""
    square = np.square(state["own"])
    return state | {
        "basis": np.zeros_like(state["basis"]),
        "size": np.int32(0),
        "measured": np.zeros_like(state["basis"]),
        "measured_size": np.int32(0),
        "exact": square,
        "left": square,
        "rounds": np.int32(state["rounds"] + 1),
        "measures": np.int32(state["measures"] + 1),
        "share": state["own"].dtype.type(1.0),
        "stale": np.bool_(False),
    }


def _pass(stream: Stream, state: State, kernel) -> np.ndarray:
    """One number a row, in the order of the state."""
    values = np.empty(stream.n, stream.dtype)
    for where, rows in stream.scan():
        values[where] = np.asarray(kernel(rows))[: where.stop - where.start]
    return values[state["order"]] if "order" in state else values


@jax.jit
def _along(rows: jax.Array, basis: bases.Basis, new: jax.Array) -> jax.Array:
    base = bases.project_out(basis, rows)
    return jnp.sum(jnp.square(bases.product(base, new.T)), axis=1)


@jax.jit
def _squares(rows: jax.Array, basis: bases.Basis) -> jax.Array:
    return jnp.sum(jnp.square(bases.project_out(basis, rows)), axis=1)


def _finish(stream: Stream, task: Task, state: State) -> Picks:
    budget = task.budget
    rows = np.concatenate([state["rows"], state["beyond_rows"]])[:budget]
    gains = np.concatenate([state["gains"], state["beyond_gains"]])[:budget]
    known = state["round_of"]
    rounds = int(known[budget - 1] if budget <= len(known) else state["rounds"])
    if len(rows) < budget:
        rows, gains = _filled(task, state, rows, gains)
        rounds += 1
    info = {
        "blocks": jnp.int32(state["blocks"] + (len(state["beyond_rows"]) > 0)),
        "measures": jnp.int32(state["measures"]),
        "bound_ratio": jnp.float32(state["ratio"]),
    }
    rows = state["order"][rows] if "order" in state else rows
    return Picks(
        jnp.asarray(rows, jnp.int32), jnp.asarray(gains), jnp.int32(rounds), info
    )


def _filled(task: Task, state: State, rows, gains) -> tuple[np.ndarray, np.ndarray]:
    """What is missing, from the zero rows: in row order, or by a lot."""
    missing = task.budget - len(rows)
    n = len(state["own"])
    if task.options["deterministic"]:
        scores = -jnp.arange(n, dtype=jnp.float32)
    else:
        key_draws, _ = jax.random.split(task.key)
        scores = sampling.gumbel(jax.random.split(key_draws)[1], (n,))
    _, rest = jax.lax.top_k(jnp.where(state["free"], scores, -jnp.inf), missing)
    return (
        np.concatenate([rows, np.asarray(rest, np.int32)]),
        np.concatenate([gains, np.zeros(missing, gains.dtype)]),
    )


GRAM_SCHMIDT = Procedure(_need, _start, _step, _done, _finish, True)

"""A walk of Gram-Schmidt over rows gathered from disk, by the functions for memory."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection import sampling
from jaxsel.selection.gram_schmidt import basis as bases
from jaxsel.selection.gram_schmidt import blocked, pivoted
from jaxsel.selection.gram_schmidt import ledger as ledgers
from jaxsel.selection.gram_schmidt import residuals as res
from jaxsel.selection.gram_schmidt.block import gather
from jaxsel.selection.gram_schmidt.ledger import Ledger
from jaxsel.streaming.procedure import State, Task
from jaxsel.streaming.stream import Stream


def block_size(task: Task) -> int:
    """Rows proposed to a walk."""
    plain = task.options["algorithm"] == "downdate"
    return 1 if plain else int(task.options["block_size"])


def walk(
    stream: Stream, task: Task, state: State
) -> tuple[Ledger, jax.Array, int, float]:
    """A block of picks: the ledger after it, its directions, how many, the share."""
    key_draws, _ = jax.random.split(task.key)
    key_draws, _ = jax.random.split(key_draws)
    n, d, size = stream.n, stream.d, block_size(task)
    ledger = _ledger(state, task.budget)
    own = state["own"]
    slack = own * own.dtype.type(
        res.per_length(d) * res.eps(own) if state["measured_size"] > 0 else 0.0
    )
    if own.dtype == np.float64:  # as `residuals.measure`
        slack = np.where(state["exact"] == 0, 0.0, slack)
    blank = jnp.zeros((0, d), own.dtype)
    now = res.Residuals(blank, state["exact"], state["left"], slack)
    if task.options["deterministic"]:
        fresh = bool(state["size"] == state["measured_size"])
        rows, outside, sure = _highest(now, ledger.free, fresh, size=min(size, n))
        taken = _gathered(stream, state, rows)
        ledger, block = _walk_certain(
            ledger, taken, rows, own, outside, sure, capacity=min(n, d)
        )
        return ledger, block.new, int(block.added), 1.0
    rows, bound, coins = _propose(key_draws, now, ledger.free, ledger.passes, size=size)
    taken = _gathered(stream, state, rows)
    ledger, block, ratio = _walk_thinned(
        ledger, taken, rows, own, bound, coins, capacity=min(n, d)
    )
    weight = min(1.0, size / blocked.TELLING)
    share = state["share"] + weight * (ratio - state["share"])
    return ledger, block.new, int(block.added), float(share)


def _gathered(stream: Stream, state: State, places: jax.Array) -> jax.Array:
    rows = np.asarray(places)
    return stream.gather(state["order"][rows] if "order" in state else rows)


def _ledger(state: State, budget: int) -> Ledger:
    picked = len(state["rows"])
    room = (0, budget - picked)
    return Ledger(
        jnp.asarray(np.pad(state["rows"], room)),
        jnp.asarray(np.pad(state["gains"], room)),
        jnp.int32(picked),
        jnp.asarray(state["free"]),
        bases.Basis(jnp.asarray(state["basis"]), jnp.int32(state["size"])),
        jnp.int32(state["rounds"]),
        jnp.int32(state["blocks"]),
        jnp.int32(state["measures"]),
        jnp.asarray(state["ratio"]),
    )


@partial(jax.jit, static_argnames="size")
def _propose(key, now: res.Residuals, free, blocks, *, size: int):
    bound = jnp.where(free, res.bounds(now), 0.0)
    key_block = jax.random.fold_in(key, blocks)
    uniforms = jax.random.uniform(key_block, (3, size), jnp.float32)
    rows = sampling.proportional(uniforms[:2], bound)
    return rows, bound[rows], uniforms[2]


@partial(jax.jit, static_argnames="capacity")
def _walk_thinned(ledger: Ledger, taken, rows, own, bound, coins, *, capacity: int):
    block = gather(taken, jnp.arange(len(rows)), ledger.basis)._replace(rows=rows)
    own = jnp.asarray(own)[rows]
    block = block._replace(at_start=res.beyond_rounding(block.at_start, own))
    ratio = block.at_start / jnp.where(bound > 0, bound, jnp.inf)
    block, _ = blocked.thin(ledger, block, own, bound, coins, capacity, None)
    ledger = ledgers.record(ledger, block)
    ledger = ledger._replace(ratio=jnp.maximum(ledger.ratio, jnp.max(ratio)))
    return ledger, block, jnp.mean(ratio)


@partial(jax.jit, static_argnames="size")
def _highest(now: res.Residuals, free, fresh, *, size: int):
    sure = jnp.where(fresh, res.heaviest(res.lengths(now), free), -1)
    rows, outside = pivoted.highest(now, free, sure, size)
    return rows, outside, sure


@partial(jax.jit, static_argnames="capacity")
def _walk_certain(ledger: Ledger, taken, rows, own, outside, sure, *, capacity: int):
    block = gather(taken, jnp.arange(len(rows)), ledger.basis)._replace(rows=rows)
    block, _ = pivoted.take_certain(
        ledger, block, jnp.asarray(own), outside, sure, capacity, None
    )
    return ledgers.record(ledger, block), block

"""Norm and random: one pass over the pool, and none for a larger budget."""

import jax.numpy as jnp
import numpy as np

from jaxsel.selection.contract import Picks
from jaxsel.selection.norm import select_norm
from jaxsel.selection.uniform import select_random
from jaxsel.streaming.procedure import Need, Procedure, State, Task
from jaxsel.streaming.stream import Stream
from jaxsel.streaming.survey import survey


def _need(d: int, task: Task) -> Need:
    # The noise is made in one call, or it would not be the same: 45 bytes a row.
    return Need(per_row=56, fixed=1 << 20, per_block=8)


def _start_norm(stream: Stream, task: Task) -> State:
    # In float64 the rows are weights, over their divisors: one number each.
    order = 1.0 if stream.wide else float(task.options["norm_ord"])
    found = survey(stream, order)
    return {"lengths": found.lengths, "zero_rows": np.int64(found.zero_rows)}


def _start_random(stream: Stream, task: Task) -> State:
    found = survey(stream)
    return {"zero_rows": np.int64(found.zero_rows)}


def _finish_norm(stream: Stream, task: Task, state: State) -> Picks:
    # The l1 norm of a row of one number is that number.
    options = {**task.options, "norm_ord": 1.0}
    if stream.wide:
        options["input_norms"] = None
    elif options["input_norms"] is not None:
        options["input_norms"] = jnp.asarray(options["input_norms"], jnp.float32)
    lengths, labelled = jnp.asarray(state["lengths"])[:, None], task.labelled
    return select_norm(
        task.key, lengths, jnp.asarray(labelled), budget=task.budget, **options
    )


def _finish_random(stream: Stream, task: Task, state: State) -> Picks:
    blank = jnp.zeros((stream.n, 0), jnp.float32)
    return select_random(
        task.key, blank, jnp.asarray(task.labelled), budget=task.budget
    )


def _nothing_left(task: Task, state: State) -> bool:
    return True


def _no_step(stream: Stream, task: Task, state: State) -> State:
    return state


NORM = Procedure(_need, _start_norm, _no_step, _nothing_left, _finish_norm, True)
RANDOM = Procedure(_need, _start_random, _no_step, _nothing_left, _finish_random, True)

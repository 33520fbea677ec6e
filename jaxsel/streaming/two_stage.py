"""Two stages from disk: one proposes twice the budget, one sees those rows alone.

As in memory (`jaxsel.selection.two_stage`): the proposals are gathered, raw, and the
second method runs on them alone.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection.contract import Picks
from jaxsel.selection.methods import METHODS
from jaxsel.streaming.procedure import Need, Procedure, State, Task
from jaxsel.streaming.stream import Stream


def two_stage(first: str, procedure: Procedure, second: str) -> Procedure:
    """A procedure that picks from the proposals of another.

    Args:
      first: the name of the method that proposes, on unit rows.
      procedure: that method from disk.
      second: the name of the method that keeps half, on raw rows.

    Returns:
      Procedure. A smaller budget has other candidates, so it is no prefix.
    """

    def proposing(task: Task) -> Task:
        key, _ = jax.random.split(task.key)
        free = int(np.sum(~task.labelled))
        return task._replace(
            key=key,
            budget=min(2 * task.budget, free),
            options=_of(first, task.options),
        )

    def need(d: int, task: Task) -> Need:
        found = procedure.need(d, proposing(task))
        kept = 64 * d * 2 * task.budget + (16 << 20)
        return found._replace(fixed=found.fixed + kept)

    def finish(stream: Stream, task: Task, state: State) -> Picks:
        proposed = procedure.finish(stream, proposing(task), state)
        rows = np.asarray(proposed.indices)
        _, key = jax.random.split(task.key)
        options = _of(second, task.options)
        if options.get("input_norms") is not None:
            divisors = options["input_norms"][rows]
            options["input_norms"] = jnp.asarray(divisors, stream.dtype)
        kept = METHODS[second].function(
            key,
            stream.gather(rows, raw=True),
            jnp.zeros(len(rows), bool),
            budget=task.budget,
            **options,
        )
        before = {**proposed.info, "first_rounds": proposed.rounds}
        info = {**before, **kept.info, "candidates": proposed.indices}
        picked = proposed.indices[kept.indices]
        return Picks(picked, kept.gains, kept.rounds, info)

    return Procedure(
        need,
        lambda stream, task: procedure.start(stream, proposing(task)),
        lambda stream, task, state: procedure.step(stream, proposing(task), state),
        lambda task, state: procedure.done(proposing(task), state),
        finish,
        prefix=False,
    )


def _of(method: str, options: dict[str, Any]) -> dict[str, Any]:
    """A stage's own options; those of ProbCover from a sample are not in its list."""
    known = {*METHODS[method].options, "reference", "n_candidates"}
    if method not in ("probcover", "typiclust"):
        known -= {"reference", "n_candidates"}
    return {name: value for name, value in options.items() if name in known}

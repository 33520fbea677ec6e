"""ProbCover against a sample: one pass over a pool of any size, and some rows.

Of a pool of n rows, m *reference* rows are drawn uniformly and held in memory, and so
are c *candidates* among the rows that may be picked. A candidate's gain, the share of
the pool that only it would cover, is estimated by the uncovered reference rows in its
ball: a mean of m coin throws, whose standard error is below .5 / sqrt(m). The greedy
choice among candidates is then exact on the reference.

The coverage of picks that were chosen on the reference is too high there. It is
estimated on m *judges*, drawn apart from it: with a share p of them covered, the
standard error is sqrt(p (1 - p) / m), times sqrt((n - m) / (n - 1)) for drawing without
replacement. Both are in `info`.

Where reference and candidates are all rows, the picks are those of exact ProbCover.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.errors import UserError
from jaxsel.selection.contract import Picks
from jaxsel.selection.tiles import Ball
from jaxsel.streaming.pairs import TILE, ball_at, counts_between
from jaxsel.streaming.probcover import LABELLED, radius
from jaxsel.streaming.procedure import Need, Procedure, State, Task
from jaxsel.streaming.stream import Stream
from jaxsel.streaming.survey import survey

CANDIDATES = 65_536
# Rows are padded to whole tiles of so many.
_WHOLE = 1024
# Picks between two checkpoints.
TOGETHER = 32


def _need(d: int, task: Task) -> Need:
    count = min(task.options["n_candidates"], int(np.sum(~task.labelled)))
    if count < task.budget:
        raise UserError(
            f"expected at least {task.budget} candidates for a budget of "
            f"{task.budget}, found {count}: give "
            f"n_candidates={task.budget} or more"
        )
    rows = 2 * task.options["reference"] + task.options["n_candidates"] + LABELLED
    held = 3 * 4 * d * (rows + 4 * _WHOLE) + 32 * rows
    return Need(per_row=24, fixed=held + 16 * TILE * TILE + (96 << 20), per_block=8)


def _start(stream: Stream, task: Task) -> State:
    found = survey(stream)
    n = stream.n
    sample_key, _ = jax.random.split(task.key)
    rng = np.random.default_rng(np.asarray(jax.random.key_data(sample_key)))
    m = min(task.options["reference"], n)
    free = np.flatnonzero(~task.labelled)
    count = min(task.options["n_candidates"], len(free))
    state = {
        "delta": radius(stream, task.options["delta"]),
        "centre": found.mean.astype(np.float32),
        "reference": _drawn(rng, n, m),
        "judges": _drawn(rng, n, m),
        "candidates": free[_drawn(rng, len(free), count)],
        "picked": np.zeros(0, np.int64),  # places among the candidates
        "taken": np.zeros(0, np.int64),
        "round_of": np.zeros(0, np.int32),
        "rounds": np.int32(1),
        "zero_rows": np.int64(found.zero_rows),
    }
    known = np.flatnonzero(task.labelled)
    ball, rows = _ball(state), _held(stream, state)
    for name in ("reference", "judges"):
        covered = _within(stream, known, rows[name], m, ball)
        state[f"{name}_reached"] = covered | task.labelled[state[name]]
    gains, _ = counts_between(rows["candidates"], rows["reference"], ball, count, m)
    # A zero row covers itself alone, where it is in the reference.
    alone = np.asarray(~jnp.any(rows["candidates"] != 0, axis=1))[:count]
    itself = np.isin(state["candidates"], state["reference"])
    all_gains = np.where(alone, itself, np.asarray(gains)[:count]).astype(np.int32)
    return state | {
        "all_gains": all_gains,
        "gains": all_gains,
        "alone": alone,
        "covered": np.zeros(m, bool),
        "lost": state["reference_reached"],
    }


def _drawn(rng: np.random.Generator, n: int, m: int) -> np.ndarray:
    """m distinct numbers below n, ascending."""
    return np.sort(rng.choice(n, m, replace=False, shuffle=False))


def _ball(state: State) -> Ball:
    return ball_at(jnp.asarray(state["centre"]), jnp.float32(state["delta"]))


def _held(stream: Stream, state: State) -> dict[str, jax.Array]:
    """The rows in memory, read again where a selection goes on."""

    def read(name: str) -> jax.Array:
        return stream.gather(state[name], -(-len(state[name]) // _WHOLE) * _WHOLE)

    names = ("reference", "judges", "candidates")
    return stream.once("held", lambda: {name: read(name) for name in names})


def _within(
    stream: Stream, centres: np.ndarray, rows: jax.Array, count: int, ball: Ball
) -> np.ndarray:
    """bool `[count]`: which rows lie within the ball of a row of the pool."""
    covered = np.zeros(count, bool)
    for start in range(0, len(centres), LABELLED):
        some = centres[start : start + LABELLED]
        others = stream.gather(some, LABELLED)
        found, _ = counts_between(rows, others, ball, count, len(some))
        covered |= np.asarray(found)[:count] > 0
    return covered


def _done(task: Task, state: State) -> bool:
    return len(state["picked"]) >= task.budget


def _step(stream: Stream, task: Task, state: State) -> State:
    more = min(TOGETHER, task.budget - len(state["picked"]))
    for _ in range(more):
        state = _pick(stream, task, state)
    stream.picked = len(state["picked"])
    return state


def _pick(stream: Stream, task: Task, state: State) -> State:
    ball, rows = _ball(state), _held(stream, state)
    count, m = len(state["candidates"]), len(state["reference"])
    covered = state["covered"] | state["lost"]
    gains = _settled(state, rows, ball, covered)
    open_ = np.ones(count, bool)
    open_[state["picked"]] = False
    rounds = int(state["rounds"])
    if not np.any(gains[open_]):
        gains, covered, rounds = state["all_gains"], np.zeros(m, bool), rounds + 1
    chosen = _best(task, np.where(open_, gains, -1), len(state["picked"]))
    row = rows["candidates"][chosen][None]
    within, _ = counts_between(rows["reference"], row, ball, m, 1)
    fresh = np.asarray(within)[:m] > 0
    fresh |= state["reference"] == state["candidates"][chosen]
    fresh &= ~covered
    return state | {
        "gains": gains,
        "covered": covered,
        "lost": fresh,
        "picked": np.append(state["picked"], chosen),
        "taken": np.append(state["taken"], fresh.sum()),
        "round_of": np.append(state["round_of"], np.int32(rounds)),
        "rounds": np.int32(rounds),
    }


def _settled(
    state: State, rows: dict[str, jax.Array], ball: Ball, covered: np.ndarray
) -> np.ndarray:
    """The candidates' gains once the lost reference rows are covered."""
    count = len(state["candidates"])
    lost = np.flatnonzero(state["lost"])
    if len(lost) == 0:
        return state["gains"]
    anew = np.sum(~covered) < len(lost)
    counted = np.flatnonzero(~covered) if anew else lost
    # A few lengths only, or every pick would compile.
    size = max(_WHOLE, 1 << (max(len(counted), 1) - 1).bit_length())
    places = np.zeros(size, np.int64)
    places[: len(counted)] = counted
    real = jnp.arange(size) < len(counted)
    others = jnp.where(real[:, None], rows["reference"][places], 0.0)
    within, _ = counts_between(rows["candidates"], others, ball, count, len(counted))
    found = np.asarray(within)[:count]
    gains = found if anew else state["gains"] - found
    itself = np.isin(state["candidates"], state["reference"][~covered])
    return np.where(state["alone"], itself, gains).astype(np.int32)


def _best(task: Task, gains: np.ndarray, step: int) -> int:
    if task.options["tie"] == "lowest":
        return int(np.argmax(gains))
    _, tie_key = jax.random.split(task.key)
    lot = np.asarray(
        jax.random.permutation(jax.random.fold_in(tie_key, step), len(gains))
    )
    return int(np.argmax(np.where(gains == gains.max(), lot, -1)))


def _finish(stream: Stream, task: Task, state: State) -> Picks:
    n, m = stream.n, len(state["judges"])
    picked = state["candidates"][state["picked"][: task.budget]]
    judges = _held(stream, state)["judges"]
    covered = state["judges_reached"] | np.isin(state["judges"], picked)
    covered |= _within(stream, picked, judges, m, _ball(state))
    share = float(np.mean(covered))
    error = np.sqrt(share * (1 - share) / m * (n - m) / max(n - 1, 1))
    info = {
        "delta": jnp.float32(state["delta"]),
        "coverage": jnp.float32(share),
        "coverage_se": jnp.float32(error),
        "reference_rows": jnp.int32(m),
        "candidate_rows": jnp.int32(len(state["candidates"])),
    }
    return Picks(
        jnp.asarray(picked, jnp.int32),
        jnp.asarray(state["taken"][: task.budget] * (n / m), jnp.float32),
        jnp.int32(state["round_of"][task.budget - 1]),
        info,
    )


REFERENCE = Procedure(_need, _start, _step, _done, _finish, True)

"""Rules of what may be picked together, as arrays that every selector's loop obeys.

After each pick a row is *open* when it is eligible, far enough from what was picked,
affordable, and in a group with room. Groups and strata are kept by *cells*, the pairs
of a group and a stratum that occur. For every pick that a stratum still needs one
place in a cell of it is *held*; a row may take a held place of its own cell, or one of
its group's places beyond the held ones. Taking such a place for a stratum that is
short sets one of the stratum's held places free. So the needs can be met after every
pick if they could be met at first, for which `constraints` finds the places to hold.

Whoever has no rules passes None, and its program is the one without this file.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

UNLIMITED = 1 << 30


class Rules(NamedTuple):
    """What holds from the start; `n` rows, `c` cells, `g` groups, `s` strata.

    Attributes:
      eligible: bool `[n]`, rows that may be picked at all.
      cell: int32 `[n]`, the cell of each row.
      group, stratum: int32 `[c]`, of each cell.
      room: int32 `[g]`, the most picks of a group.
      need: int32 `[s]`, the least picks of a stratum.
      held: int32 `[c]`, places set aside; those of a stratum add up to its need.
      cost: float32 `[n]`, or None.
      funds: float32 scalar, the most that all picks may cost.
      kept: float32 `[s, q + 1]`, what m more picks of a stratum can cost at worst.
      apart: float32 scalar or None, the least distance of two picks, unit rows.
      rows: float32 `[n, d]`, measured by `apart`; None without it.
      inverse: float32 `[n]`, one over the length of each row; 0 for a zero row.
    """

    eligible: jax.Array
    cell: jax.Array
    group: jax.Array
    stratum: jax.Array
    room: jax.Array
    need: jax.Array
    held: jax.Array
    cost: jax.Array | None = None
    funds: jax.Array | None = None
    kept: jax.Array | None = None
    apart: jax.Array | None = None
    rows: jax.Array | None = None
    inverse: jax.Array | None = None


class Standing(NamedTuple):
    """What the picks so far have left of the rules.

    Attributes:
      open: bool `[n]`, eligible and far enough from every pick.
      room, need, held, funds: as in `Rules`, what is left of them.
      left: int32 scalar, picks still to be made.
      grew: bool scalar, whether the last pick opened rows: it set a place free.
    """

    open: jax.Array
    room: jax.Array
    need: jax.Array
    held: jax.Array
    funds: jax.Array
    left: jax.Array
    grew: jax.Array


def begin(rules: Rules, budget: int | jax.Array) -> Standing:
    """Nothing is picked yet."""
    funds = jnp.float32(jnp.inf) if rules.funds is None else rules.funds
    return Standing(
        rules.eligible,
        rules.room,
        rules.need,
        rules.held,
        funds,
        jnp.asarray(budget, jnp.int32),
        jnp.bool_(False),
    )


def allowed(
    rules: Rules, standing: Standing, rows: jax.Array | None = None
) -> jax.Array:
    """Which rows may be the next pick; those picked before are the caller's to know.

    Args:
      rules: what holds.
      standing: what is left of it.
      rows: int32 `[m]` or a scalar, the rows to ask about; all of them by default.

    Returns:
      bool, of the shape of `rows`, or `[n]`.
    """
    cell = rules.cell if rows is None else rules.cell[rows]
    is_open = standing.open if rows is None else standing.open[rows]
    groups = standing.room.shape[0]
    held = jax.ops.segment_sum(standing.held, rules.group, num_segments=groups)
    beyond = (standing.room - held)[rules.group] > 0
    short = standing.need[rules.stratum] > 0
    free = standing.left > jnp.sum(standing.need)
    takes = (standing.held > 0) | (beyond & (short | free))
    found = is_open & takes[cell]
    if rules.cost is None:
        return found
    cost = rules.cost if rows is None else rules.cost[rows]
    return found & (cost <= _purse(rules, standing)[cell])


def _purse(rules: Rules, standing: Standing) -> jax.Array:
    """float32 `[c]`: the most that a pick of each cell may cost."""
    assert rules.kept is not None
    strata = jnp.arange(standing.need.shape[0])
    kept = rules.kept[strata, standing.need]
    # A pick of a stratum that is short needs only the rest of its needs kept.
    after = rules.kept[strata, jnp.maximum(standing.need - 1, 0)]
    return (standing.funds - jnp.sum(kept) + (kept - after))[rules.stratum]


def after(rules: Rules, standing: Standing, row: jax.Array) -> Standing:
    """What is left once `row` is picked; a row below 0 is no pick and changes nothing.

    Args:
      rules: what holds.
      standing: what was left before.
      row: int32 scalar.
    """
    real = row >= 0
    row = jnp.maximum(row, 0)
    cell = rules.cell[row]
    group, stratum = rules.group[cell], rules.stratum[cell]
    fills = real & (standing.need[stratum] > 0)
    own = standing.held[cell] > 0
    other = jnp.argmax((rules.stratum == stratum) & (standing.held > 0))
    gives = jnp.where(own, cell, other)
    gives_up = fills & (standing.held[gives] > 0)
    funds = standing.funds
    if rules.cost is not None:
        funds = funds - jnp.where(real, rules.cost[row], 0.0)
    is_open = standing.open
    if rules.apart is not None:
        near = _squared_distances(rules, row) < jnp.square(rules.apart)
        is_open = is_open & ~(near & real)
    return Standing(
        is_open,
        standing.room.at[group].add(-real.astype(jnp.int32)),
        standing.need.at[stratum].add(-fills.astype(jnp.int32)),
        standing.held.at[gives].add(-gives_up.astype(jnp.int32)),
        funds,
        standing.left - real.astype(jnp.int32),
        gives_up & ~own,
    )


def _squared_distances(rules: Rules, row: jax.Array) -> jax.Array:
    """float32 `[n]`: from unit rows to one of them, by differences."""
    assert rules.rows is not None and rules.inverse is not None
    one = rules.rows[row] * rules.inverse[row]
    return jnp.sum(jnp.square(rules.rows * rules.inverse[:, None] - one), axis=1)


def choose(scores: jax.Array, rows: jax.Array) -> jax.Array:
    """The row with the highest score among some; -1 where there is none.

    Args:
      scores: float or int32 `[n]`, above the least number of their type.
      rows: bool `[n]`.

    Returns:
      int32 scalar; the lowest row among equals.

    Example:
      >>> int(choose(jnp.array([1.0, 3.0, 2.0]), jnp.array([True, False, True])))
      2
    """
    is_float = jnp.issubdtype(scores.dtype, jnp.floating)
    least = -jnp.inf if is_float else jnp.iinfo(scores.dtype).min
    best = jnp.argmax(jnp.where(rows, scores, least)).astype(jnp.int32)
    return jnp.where(rows[best], best, -1)


def near_rows(rules: Rules, centres: jax.Array) -> jax.Array:
    """bool `[n]`: rows nearer than `apart` to one of `centres`, int32 `[m]`."""
    assert rules.apart is not None
    limit = jnp.square(rules.apart)

    def one(i: jax.Array, near: jax.Array) -> jax.Array:
        return near | (_squared_distances(rules, centres[i]) < limit)

    nothing = jnp.zeros(rules.eligible.shape, bool)
    return jax.lax.fori_loop(0, centres.shape[0], one, nothing)


def reordered(rules: Rules, order: jax.Array) -> Rules:
    """The rules of the pool with its rows in another order, int32 `[n]`."""
    per_row = ("eligible", "cell", "cost", "rows", "inverse")
    given = {name: getattr(rules, name) for name in per_row}
    return rules._replace(
        **{name: v[order] for name, v in given.items() if v is not None}
    )


def of_candidates(rules: Rules, rows: jax.Array, real: jax.Array) -> Rules:
    """The rules of a second stage, which chooses among rows that keep them already.

    The rows were picked together, so their groups have room for all of them and no two
    are too near: what is left to heed are needs and costs.

    Args:
      rules: of the pool.
      rows: int32 `[m]`, the candidates.
      real: bool `[m]`, those that are some.
    """
    return rules._replace(
        eligible=real,
        cell=rules.cell[rows],
        room=jnp.full_like(rules.room, UNLIMITED),
        held=jnp.zeros_like(rules.held),
        cost=None if rules.cost is None else rules.cost[rows],
        apart=None,
        rows=None,
        inverse=None,
    )


def without_costs(rules: Rules) -> Rules:
    """The rules of a first stage: its picks are proposals, and cost nothing."""
    return rules._replace(cost=None, funds=None, kept=None)

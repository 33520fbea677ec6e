"""From constraints to the `Rules` of a selector's loop, and why picking ended early.

Labelled rows count: a group with a labelled row has that much less room, and a stratum
that much less need. Only costs and the budget are of the new picks alone.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.errors import UserError
from jaxsel.selection import constraints, validate
from jaxsel.selection.constraints import Constraints
from jaxsel.selection.contract import Picks
from jaxsel.selection.feasible import Demand, check, places
from jaxsel.selection.rules import (
    UNLIMITED,
    Rules,
    Standing,
    after,
    allowed,
    begin,
    near_rows,
)


class Plan(NamedTuple):
    """A selection under constraints, ready to be run.

    Attributes:
      include: int64 `[k]`, the first picks.
      known: bool `[n]`, labelled rows and those included: what the method starts from.
      budget: picks left to the method.
      rules: what they must heed; None where nothing but `include` is asked for.
      spent: what the included rows cost.
      cost: float32 `[n]` or None.
    """

    include: np.ndarray
    known: np.ndarray
    budget: int
    rules: Rules | None
    spent: float
    cost: np.ndarray | None = None

    def may_be_picked(self) -> np.ndarray:
        """bool `[n]`: the rows that chance could pick as well."""
        if self.rules is None:
            return ~self.known | np.isin(np.arange(len(self.known)), self.include)
        eligible = np.asarray(self.rules.eligible).copy()
        eligible[self.include] = True
        return eligible


def plan(
    wanted: Constraints,
    rows: jax.Array,
    labelled: np.ndarray,
    budget: int,
    order: np.ndarray | None = None,
) -> Plan:
    """Checks constraints against the pool and each other.

    Args:
      wanted: with one entry a row where it speaks of rows, in the order of `rows`.
      rows: float32 `[n, d]`, as the method sees them.
      labelled: bool `[n]`.
      budget: picks, those included among them.
      order: int `[n]`, what people call each row; its own number by default.

    Returns:
      The plan.

    Raises:
      UserError: a value that cannot be meant, or constraints that cannot all hold; the
        message names those that conflict.
    """
    n = len(labelled)
    if all(value is None for value in vars(wanted).values()):
        return unconstrained(labelled, budget)
    called = np.arange(n) if order is None else order
    include = constraints.included(wanted.include, labelled, budget, called)
    excluded = validate.as_labelled(wanted.exclude, n, "exclude")
    if excluded[include].any():
        row = called[include[excluded[include]][0]]
        raise UserError(f"include and exclude conflict: both name row {row}")
    known = labelled.copy()
    known[include] = True
    group, room, group_names = constraints.groups(wanted, n)
    stratum, need, stratum_names = constraints.strata(wanted, n)
    cost, funds, spent = constraints.money(wanted, n, include)
    apart = wanted.min_distance
    if apart is not None:
        apart = validate.as_width("min_distance", apart)
    more = budget - len(include)
    eligible = ~(known | excluded)
    counted = np.bincount(group[known], minlength=len(room))
    _check_included(include, group, counted, room, group_names)
    room = np.maximum(room - counted, 0)
    need = np.maximum(need - np.bincount(stratum[known], minlength=len(need)), 0)
    others = dataclasses.replace(wanted, include=None)
    if all(value is None for value in vars(others).values()):
        return Plan(include, known, more, None, 0.0)
    bare = _bare_rules(eligible, cost, funds, apart, rows)
    if apart is not None:
        _check_apart(bare, include, np.flatnonzero(known), called)
        bare = bare._replace(eligible=_far(bare, np.flatnonzero(known)))
    demand = Demand(
        np.asarray(bare.eligible), group, stratum, room, need, cost, funds, more,
        group_names, stratum_names,
    )  # fmt: skip
    check(demand)
    held = places(demand)
    return Plan(include, known, more, _rules(bare, demand, held), spent, cost)


def unconstrained(labelled: np.ndarray, budget: int) -> Plan:
    """The plan of a selection that heeds nothing but its labelled rows."""
    return Plan(np.zeros(0, np.int64), labelled, budget, None, 0.0)


def _check_included(
    include: np.ndarray,
    group: np.ndarray,
    counted: np.ndarray,
    room: np.ndarray,
    names: list,
) -> None:
    # Labels that are there already may be too many; included rows must not make it so.
    over = np.intersect1d(np.flatnonzero(counted > room), group[include])
    if over.size:
        raise UserError(
            f"include and per_group conflict: with the rows to include, group "
            f"{names[over[0]]!r} has {counted[over[0]]} labels of at most "
            f"{room[over[0]]}"
        )


def _bare_rules(
    eligible: np.ndarray,
    cost: np.ndarray | None,
    funds: float,
    apart: float | None,
    rows: jax.Array,
) -> Rules:
    """Rules without groups and strata."""
    zero = jnp.zeros(1, jnp.int32)
    bare = Rules(
        jnp.asarray(eligible),
        jnp.zeros(len(eligible), jnp.int32),
        zero,
        zero,
        jnp.full(1, UNLIMITED, jnp.int32),
        zero,
        zero,
    )
    if cost is not None:
        bare = bare._replace(cost=jnp.asarray(cost), funds=jnp.float32(funds))
    if apart is not None:
        bare = bare._replace(
            apart=jnp.float32(apart), rows=rows, inverse=_inverse_lengths(rows)
        )
    return bare


@jax.jit
def _inverse_lengths(rows: jax.Array) -> jax.Array:
    length = jnp.sqrt(jnp.sum(jnp.square(rows), axis=1))
    return jnp.where(length > 0, 1 / jnp.where(length > 0, length, 1.0), 0.0)


def _check_apart(
    bare: Rules, include: np.ndarray, known: np.ndarray, called: np.ndarray
) -> None:
    """Rows to include are far from each other and from what is labelled."""
    assert bare.rows is not None and bare.inverse is not None and bare.apart is not None
    pool, inverse, apart = bare.rows, bare.inverse, float(bare.apart)

    def unit(rows):
        return np.asarray(pool[rows]) * np.asarray(inverse[rows])[:, None]

    others = unit(known)
    for row in include:
        away = np.sqrt(np.sum(np.square(others - unit(np.array([row]))), axis=1))
        away[known == row] = np.inf
        if len(away) and away.min() < apart:
            raise UserError(
                f"include and min_distance conflict: row {called[row]} is "
                f"{away.min():.3g} from row {called[known[away.argmin()]]}, which is "
                "labelled or included too; "
                f"found min_distance {apart:g}"
            )


def _far(bare: Rules, known: np.ndarray) -> jax.Array:
    """bool `[n]`: eligible rows that are not near a known one."""
    if not len(known):
        return bare.eligible
    # Sizes in powers of two, or every round of labelling would compile anew.
    size = 1 << (len(known) - 1).bit_length()
    centres = np.concatenate([known, np.repeat(known[:1], size - len(known))])
    return bare.eligible & ~jax.jit(near_rows)(bare, jnp.asarray(centres, jnp.int32))


def _rules(bare: Rules, demand: Demand, held: dict[tuple[int, int], int]) -> Rules:
    pairs = demand.group.astype(np.int64) * len(demand.need) + demand.stratum
    cells, cell = np.unique(pairs, return_inverse=True)
    group, stratum = np.divmod(cells, len(demand.need))
    places_of = zip(group.tolist(), stratum.tolist(), strict=True)
    reserved = [held.get(place, 0) for place in places_of]

    def whole(values: Any) -> jax.Array:
        return jnp.asarray(np.asarray(values), jnp.int32)

    rules = bare._replace(
        cell=whole(cell),
        group=whole(group),
        stratum=whole(stratum),
        room=whole(demand.room),
        need=whole(demand.need),
        held=whole(reserved),
    )
    if demand.cost is None:
        return rules
    return rules._replace(kept=jnp.asarray(demand.kept(), jnp.float32))


def outcome(todo: Plan, picks: Picks) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """All picks, the included ones first; their gains; and what is said of them.

    Raises:
      UserError: picking came to an end before the budget, and not for want of funds:
        the message says what is in the way.
    """
    picked, gains = np.asarray(picks.indices, np.int64), np.asarray(picks.gains)
    made = picked >= 0
    how = "budget"
    if not made.all():
        assert todo.rules is not None
        _refuse_dead_end(todo.rules, picked, len(todo.include))
        how = "funds"
    picked, gains = picked[made], gains[made]
    spent = todo.spent
    if todo.cost is not None:
        spent += float(todo.cost[picked].sum(dtype=np.float64))
    said = {"included": len(todo.include), "spent": spent, "ended": how}
    return (
        np.concatenate([todo.include, picked]),
        np.concatenate([np.zeros(len(todo.include), np.float32), gains]),
        said,
    )


@jax.jit
def _replayed(rules: Rules, picks: jax.Array) -> Standing:
    start = begin(rules, picks.shape[0])
    return jax.lax.fori_loop(
        0, picks.shape[0], lambda i, s: after(rules, s, picks[i]), start
    )


def _refuse_dead_end(rules: Rules, picks: np.ndarray, before: int) -> None:
    """Says what keeps the free rows from being picked, unless it is their cost."""
    standing = _replayed(rules, jnp.asarray(picks, jnp.int32))
    free = np.asarray(rules.eligible).copy()
    free[picks[picks >= 0]] = False
    is_open = np.asarray(standing.open)
    roomy = free & np.asarray(allowed(rules._replace(cost=None), standing))
    short = int(standing.need.sum())
    if roomy.any() and not short and rules.cost is not None:
        return
    reasons = {
        "too near to a pick (min_distance)": free & ~is_open,
        "in groups without room, or not of the strata that are short (per_group, "
        "quotas)": free & is_open & ~roomy,
        "too dear (costs, funds)": roomy,
    }
    found = [f"{int(rows.sum())} {why}" for why, rows in reasons.items() if rows.any()]
    raise UserError(
        f"the constraints conflict: after {before + int((picks >= 0).sum())} of "
        f"{before + len(picks)} picks no row is left that they all allow"
        + (f", and the strata still need {short} labels" if short else "")
        + (f"; of the {int(free.sum())} free rows {', '.join(found)}" if found else "")
        + ". Loosen one of them, or ask for fewer"
    )

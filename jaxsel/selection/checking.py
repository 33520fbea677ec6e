"""Picks are checked before anybody sees them, whatever computed them."""

import numpy as np

from jaxsel.errors import InternalError
from jaxsel.selection.heeding import Plan


def check_picks(
    method: str,
    picked: np.ndarray,
    gains: np.ndarray,
    barred: np.ndarray,
    *,
    wanted: int | None = None,
) -> None:
    """Picks are distinct rows of the pool, none of them barred, with real gains.

    Args:
      method: who picked.
      picked: int `[b]`, rows.
      gains: float `[b]`; infinite where a pick had nothing to be measured against.
      barred: bool `[n]`, rows that may not be picked: labelled or not eligible.
      wanted: how many picks there have to be, where that is certain.

    Raises:
      InternalError: they are not.

    Example:
      >>> check_picks("norm", np.array([2, 0]), np.ones(2), np.zeros(3, bool), wanted=2)
    """
    n = len(barred)
    outside = picked[(picked < 0) | (picked >= n)]
    if outside.size:
        _fault(method, f"row {outside[0]} of a pool of {n}")
    values, counts = np.unique(picked, return_counts=True)
    if len(values) < len(picked):
        _fault(method, f"row {values[counts > 1][0]} more than once")
    if barred[picked].any():
        _fault(method, f"row {picked[barred[picked]][0]}, which may not be picked")
    if wanted is not None and len(picked) != wanted:
        _fault(method, f"{len(picked)} rows for a budget of {wanted}")
    unreal = np.isnan(gains)
    if unreal.any():
        _fault(method, f"row {picked[unreal][0]} with a gain that is no number")


def check_limits(method: str, todo: Plan, picked: np.ndarray) -> None:
    """Picks keep to the groups, the strata and the funds of a plan.

    Args:
      method: who picked.
      todo: the plan.
      picked: int `[b]`, the method's own picks, without those that had to be included.

    Raises:
      InternalError: they do not.
    """
    rules = todo.rules
    if rules is None or not len(picked):
        return
    cell = np.asarray(rules.cell)[picked]
    group, stratum = (np.asarray(of)[cell] for of in (rules.group, rules.stratum))
    room, need = np.asarray(rules.room), np.asarray(rules.need)
    if (np.bincount(group, minlength=len(room)) > room).any():
        _fault(method, "more picks of a group than it has room for")
    complete = len(picked) == todo.budget
    if complete and (np.bincount(stratum, minlength=len(need)) < need).any():
        _fault(method, "fewer picks of a stratum than its quota")
    if rules.cost is not None and rules.funds is not None:
        if int(np.asarray(rules.cost, np.int64)[picked].sum()) > int(rules.funds):
            _fault(method, "picks that cost more than the funds")


def _fault(method: str, what: str) -> None:
    raise InternalError(
        f"{method} returned {what}: this is a fault of jaxsel, not of your data; "
        "please report it with the pool's shape, type and this message"
    )

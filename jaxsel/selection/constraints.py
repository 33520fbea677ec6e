"""Constraints on what is picked, as people say them; checked, and put into numbers."""

import dataclasses
from typing import Any

import numpy as np

from jaxsel.arrays import positions_of, values_of
from jaxsel.errors import UserError
from jaxsel.selection import validate
from jaxsel.selection.money import Money, in_units
from jaxsel.selection.rules import UNLIMITED


@dataclasses.dataclass(frozen=True, eq=False)
class Constraints:
    """What the picks must, must not, and may be; all of it optional.

    Attributes:
      include: rows that are picked first, in this order, and count as budget.
      exclude: rows or a bool mask `[n]`, never picked. They stay in the pool: their
        neighbours are still to be covered.
      groups: `[n]`, whole numbers or text: the patient, video or site of each row.
      per_group: the most labels that a group may have; a number for all, or a mapping
        with the groups that have a limit.
      strata: `[n]`, whole numbers or text: a second division of the pool.
      quotas: a mapping from strata to the fewest labels that each must have.
      min_distance: the least Euclidean distance between two picks, and between a pick
        and a labelled row, of rows at length 1 (from 0 for copies to 2).
      costs: `[n]`, what the label of each row costs, above 0.
      funds: the most that the picks may cost together. Picking ends before the budget
        is reached where no row is left that can be paid for.

    Example:
      >>> import numpy as np, jaxsel
      >>> rows = np.array([[3.0, 0.0], [2.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
      >>> patients = jaxsel.Constraints(groups=[7, 7, 8, 8], per_group=1)
      >>> jaxsel.select(rows, 2, "norm", deterministic=True, constraints=patients
      ... ).indices.tolist()
      [0, 2]
    """

    include: Any = None
    exclude: Any = None
    groups: Any = None
    per_group: Any = None
    strata: Any = None
    quotas: Any = None
    min_distance: float | None = None
    costs: Any = None
    funds: float | None = None

    @property
    def by_row(self) -> dict[str, Any]:
        """What has a value a row, by name."""
        names = ("groups", "strata", "costs", "exclude")
        return {name: getattr(self, name) for name in names}

    def reordered(self, order: np.ndarray) -> "Constraints":
        """The same of a pool whose row `i` is this one's row `order[i]`."""
        n, place = len(order), np.argsort(order)
        moved: dict[str, Any] = {}
        for name in ("groups", "strata", "costs"):
            values = getattr(self, name)
            if values is not None and np.shape(values) == (n,):
                moved[name] = values_of(name, values)[order]
        if self.exclude is not None:
            moved["exclude"] = validate.as_labelled(self.exclude, n, "exclude")[order]
        if self.include is not None:
            rows = included(self.include, np.zeros(n, bool), n)
            moved["include"] = place[rows]
        return dataclasses.replace(self, **moved)

    def within(self, rows: np.ndarray) -> "Constraints":
        """The same of a part of the pool: its rows `rows`, ascending int `[m]`.

        Raises:
          UserError: a row to include is not of that part.
        """
        moved: dict[str, Any] = {}
        for name in ("groups", "strata", "costs"):
            if (values := getattr(self, name)) is not None:
                moved[name] = np.asarray(values)[rows]
        if self.exclude is not None:
            named = np.asarray(self.exclude)
            excluded = named[rows] if named.dtype == bool else np.isin(rows, named)
            moved["exclude"] = excluded
        if self.include is not None:
            wanted = np.asarray(self.include)
            if not np.isin(wanted, rows).all():
                row = wanted[~np.isin(wanted, rows)][0]
                raise UserError(f"include names row {row}, which cannot be used")
            moved["include"] = np.searchsorted(rows, wanted)
        return dataclasses.replace(self, **moved)


def included(
    given: Any, labelled: np.ndarray, budget: int, called: np.ndarray | None = None
) -> np.ndarray:
    rows = positions_of("include", [] if given is None else given)
    if rows.size == 0:
        return np.zeros(0, np.int64)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise UserError(
            f"include must be a list of row indices, found {rows.dtype} of shape "
            f"{rows.shape}"
        )
    rows = validate.distinct_rows("include", rows, len(labelled)).astype(np.int64)
    if labelled[rows].any():
        row = rows[labelled[rows]][0]
        raise UserError(
            f"include and labelled conflict: both name row "
            f"{row if called is None else called[row]}; leave out of include what has "
            "a label"
        )
    if len(rows) > budget:
        raise UserError(
            f"include and the budget conflict: {len(rows)} rows to include, a budget "
            f"of {budget}"
        )
    return rows


def groups(wanted: Constraints, n: int) -> tuple[np.ndarray, np.ndarray, list]:
    """The number of each row's group, the most labels of each, their names."""
    if (wanted.groups is None) != (wanted.per_group is None):
        raise UserError("groups and per_group go together: give both or neither")
    if wanted.groups is None:
        return np.zeros(n, np.int32), np.array([UNLIMITED]), ["all rows"]
    names, numbers = _named("groups", wanted.groups, n)
    if not hasattr(wanted.per_group, "items"):
        most = validate.as_count("per_group", wanted.per_group)
        return numbers, np.full(len(names), most), names
    room = np.full(len(names), UNLIMITED)
    for place, most in _by_name("per_group", wanted.per_group, names):
        room[place] = most
    return numbers, room, names


def strata(wanted: Constraints, n: int) -> tuple[np.ndarray, np.ndarray, list]:
    """The number of each row's stratum, the fewest labels of each, their names."""
    if (wanted.strata is None) != (wanted.quotas is None):
        raise UserError("strata and quotas go together: give both or neither")
    if wanted.strata is None:
        return np.zeros(n, np.int32), np.zeros(1, np.int64), ["all rows"]
    names, numbers = _named("strata", wanted.strata, n)
    if not hasattr(wanted.quotas, "items"):
        raise UserError(
            f"quotas must map strata to numbers of labels, found {wanted.quotas!r}"
        )
    need = np.zeros(len(names), np.int64)
    for place, least in _by_name("quotas", wanted.quotas, names):
        need[place] = least
    return numbers, need, names


def _named(what: str, values: Any, n: int) -> tuple[list, np.ndarray]:
    array = values_of(what, values)
    if array.shape != (n,):
        raise UserError(
            f"{what} must be one value per row, shape ({n},), found {array.shape}"
        )
    if array.dtype.kind == "O" and all(isinstance(v, str) for v in array):
        array = array.astype(str)
    if array.dtype.kind not in "iubUS":
        raise UserError(
            f"{what} must be whole numbers or text, one for every row, found "
            f"{array.dtype}; give rows without one a name of their own"
        )
    names, numbers = np.unique(array, return_inverse=True)
    return names.tolist(), numbers.astype(np.int32)


def _by_name(what: str, given: Any, names: list) -> list[tuple[int, int]]:
    place_of = {name: place for place, name in enumerate(names)}
    found = []
    for name, number in given.items():
        if name not in place_of:
            shown = ", ".join(map(repr, names[:5])) + (", …" if len(names) > 5 else "")
            raise UserError(f"{what} names {name!r}, which no row has; found {shown}")
        try:
            count = int(number)
        except (TypeError, ValueError, OverflowError):
            count = -1
        if count != number or count < 0 or isinstance(number, bool):
            raise UserError(
                f"{what} must be whole numbers of 0 or more, found {number!r} for "
                f"{name!r}"
            )
        found.append((place_of[name], count))
    return found


def money(
    wanted: Constraints, n: int, include: np.ndarray
) -> tuple[np.ndarray | None, Money | None]:
    """Costs as they are, and in units with the funds left beyond the included rows."""
    if (wanted.costs is None) != (wanted.funds is None):
        raise UserError("costs and funds go together: give both or neither")
    if wanted.costs is None:
        return None, None
    costs = validate.as_row_values("costs", wanted.costs, n, np.float64)
    if not costs.all():
        raise UserError(f"costs must be above 0, found 0 in {int((costs == 0).sum())}")
    funds = validate.as_width("funds", wanted.funds)
    whole = in_units(costs, funds)
    left = whole.funds - int(whole.costs[include].sum())
    if left < 0:
        raise UserError(
            f"include and funds conflict: the {len(include)} rows to include cost "
            f"{costs[include].sum():g}, the funds are {funds:g}"
        )
    return costs, whole._replace(funds=left)

"""`jaxsel.select`: the validated door to every method."""

import dataclasses
import time
import warnings
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxsel.arrays import check_same_index, table_of
from jaxsel.errors import UserError
from jaxsel.frames import warn_of
from jaxsel.selection import (
    checking,
    coverage,
    dropping,
    gram_schmidt,
    heeding,
    magnitudes,
    seeing,
    validate,
)
from jaxsel.selection.choice import chosen, said_if_unnamed
from jaxsel.selection.constraints import Constraints
from jaxsel.selection.contract import Picks, no_picks
from jaxsel.selection.methods import METHODS, Method
from jaxsel.selection.options import ROW_OPTIONS, check_options, method_of
from jaxsel.selection.rules import Rules
from jaxsel.selection.sampling import key_of
from jaxsel.selection.sharded.door import OnMesh, drawn_order


@dataclasses.dataclass(frozen=True, eq=False)
class Selection:
    """What `select` returns; `np.asarray(selection)` is the index array.

    Attributes:
      indices: int64 `[budget]`, rows of the given features in pick order.
      gains: float32 `[budget]`, what each pick added in the method's own measure.
      info: method, reason (why this method), budget, rounds, seconds (compilation
        included where there was any), rows ("unit" where the method saw every row over
        its length, else "raw"), zero_rows, scale (a power of two by which gains are
        multiplied where float32 could not hold them or the rows' squares, else 1; it
        changes no pick), dropped (rows that were left out, where that was asked for),
        devices that shared the rows where a mesh was given, and the method's own
        figures. Of a table also columns: its features, and what was left out and why.
        Under constraints also included, how many of the picks are those that
        had to be; spent, what the picks cost; and ended, "funds" where nothing more
        could be paid for, "candidates" where a second stage could pay for nothing more
        that was proposed, else "budget".
    """

    indices: np.ndarray
    gains: np.ndarray
    info: dict[str, Any]

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self):
        return iter(self.indices)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.indices, dtype=dtype, copy=copy)


def select(
    features: Any,
    budget: int,
    method: str | None = None,
    *,
    labelled: Any = None,
    seed: int = 0,
    ids: Any = None,
    constraints: Constraints | None = None,
    mesh: Mesh | None = None,
    columns: Any = None,
    drop_bad: bool = False,
    **options: Any,
) -> Selection:
    """Picks `budget` rows of a pool for labelling.

    Args:
      features: `[n, d]` NumPy (any float or integer type, memory-mapped too),
        `jax.Array`, a detached torch tensor or anything with DLPack, or a pandas,
        polars or Arrow table, whose features the rule of `jaxsel.columns` chooses:
        never a column that names rows or holds answers. Raw, not normalised: methods
        that work on unit rows normalise for themselves.
      budget: how many rows, from 0 to the number of unlabelled ones.
      method: a name of `jaxsel.METHODS`. Without one a rule chooses by the number of
        labels in all (`budget` and the labelled rows) and of rows; `info["reason"]`
        says why. See `jaxsel.selection.choice` and docs/choosing.md.
      labelled: row positions or a bool mask `[n]`; never picked, and taken account
        of by every method that can. A pandas Index is refused, since its labels are
        not positions, and so is a mask whose index is not the features' own.
      seed: whole number; the same seed gives the same picks, and other draws where
        other rows are labelled.
      ids: one distinct number or string a row, or the name of a column of a table that
        has them. Rows are processed in id order, so
        ties go to the lowest id, and the same ids come out whatever the row order.
      constraints: `jaxsel.Constraints`: rows to include or exclude, limits of groups,
        quotas of strata, a least distance, costs.
      mesh: of `jaxsel.pool_mesh`: its devices share the rows, and none holds them all.
        The picks are the same, see `jaxsel.selection.sharded.mesh`.
      columns: of a table, the names of the columns that are the features: columns of
        numbers or one of vectors; `*` and `?` are wildcards. Without it a warning says
        which columns were left out and why.
      drop_bad: whether rows with NaN or infinity are left out, with a warning that says
        how many and which, and `info["dropped"]` with all of them. Row numbers stay
        those of `features`. Otherwise such rows are an error.
      **options: the method's own, see `jaxsel.selection.methods`.

    Returns:
      Selection.

    Raises:
      UserError: (a ValueError) what was expected, found, and what to do.
      InternalError: (a RuntimeError) the picks cannot be right; a fault of jaxsel.

    Example:
      >>> import numpy as np, jaxsel
      >>> rows = np.array([[3.0, 0.0], [2.0, 0.1], [0.0, 1.0]])
      >>> jaxsel.select(rows, 2, "norm", deterministic=True).indices.tolist()
      [0, 1]
      >>> jaxsel.select(rows, 2, "gram_schmidt", deterministic=True).indices.tolist()
      [0, 2]
    """
    if method is not None:
        method_of(method)
    if mesh is not None and constraints is not None:
        raise UserError(
            "expected constraints or a mesh, found both: constraints are heeded by one "
            "device alone; leave mesh out"
        )
    if constraints is not None and options.get("candidates") is not None:
        raise UserError(
            "expected constraints or candidates, found both: who proposes candidates "
            "heeds the constraints; leave candidates out"
        )
    by_row = {name: options[name] for name in ROW_OPTIONS if name in options}
    if constraints is not None:
        by_row |= constraints.by_row
    check_same_index(features, {"labelled": labelled, "ids": ids, **by_row})
    features, ids, roles = table_of(features, columns, ids)
    warn_of(roles)
    features = validate.as_matrix(features)
    n = features.shape[0]
    mask = validate.as_labelled(labelled, n)
    kept = None
    if drop_bad:
        kept = dropping.without_bad_rows(features)
        features, n = kept.features, len(kept.rows)
        if len(kept.dropped):
            dropped = dropping.sentence(kept.dropped, len(mask))
            warnings.warn(dropped, dropping.DroppedRowsWarning, stacklevel=2)
            mask, ids, constraints, options = dropping.of_kept(
                kept, mask, ids, constraints, options, ROW_OPTIONS
            )
    budget = validate.as_budget(budget, n, int(mask.sum()))
    seed = validate.as_seed(seed)
    order = validate.id_order(ids, n)
    named = method
    method, reason = chosen(named, budget + int(mask.sum()), n)
    entry = METHODS[method]
    with said_if_unnamed(named, method):
        options = check_options(method, options)
    wanted = _Wanted(method, features, mask, budget, seed, order, options)
    if mesh is None:
        ran = _on_one_device(wanted, constraints)
    else:
        ran = _on_mesh(wanted, mesh)
    picked, gains, heeded = heeding.outcome(ran.todo, ran.picks)
    order, picks = ran.order, ran.picks
    own = picked[len(ran.todo.include) :]
    complete = budget if heeded["ended"] == "budget" else None
    barred = ~ran.todo.may_be_picked()
    checking.check_picks(method, picked, gains, barred, wanted=complete)
    checking.check_limits(method, ran.todo, own)
    info: dict[str, Any] = {"method": method, "reason": reason, "budget": budget}
    info |= {} if roles is None else {"columns": roles.record()}
    info["rounds"] = int(picks.rounds)
    info |= {"rows": entry.rows, "zero_rows": ran.zero_rows, "scale": ran.scale}
    info["seconds"] = ran.seconds
    if mesh is not None:
        info["devices"] = mesh.size
    info |= {name: plain(value) for name, value in picks.info.items()}
    info |= {} if constraints is None else heeded
    if "algorithm" in entry.options:
        settings = {**entry.options, **options}
        info["algorithm"] = gram_schmidt.resolve(
            settings["algorithm"], settings["norm_ord"]
        )
    if entry.coverage and len(picked) > 0:
        eligible = None if constraints is None else ran.todo.may_be_picked()
        figures = coverage.report(
            ran.seen, picked, ran.mask, seed, info.get("delta"), eligible=eligible
        )
        coverage.warn(method, figures)
        info |= figures
    if order is not None:
        info |= _in_given_order(info, order)
        picked = order[picked].astype(np.int64)
    if kept is not None:
        info |= _of_all_rows(info, kept)
        picked = kept.rows[picked]
    return Selection(picked, gains, info)


class _Wanted(NamedTuple):
    """What is asked for, checked but for what speaks of single rows."""

    method: str
    features: Any
    mask: np.ndarray
    budget: int
    seed: int
    order: np.ndarray | None
    options: dict[str, Any]


class _Ran(NamedTuple):
    """What came of it; `order` and `mask` are those of the rows as they were seen."""

    picks: Picks
    todo: heeding.Plan
    seen: Any
    mask: np.ndarray
    order: np.ndarray | None
    zero_rows: int
    scale: float
    seconds: float


def _on_one_device(wanted: _Wanted, constraints: Constraints | None) -> _Ran:
    method, features, mask, budget, seed, order, given = wanted
    entry = METHODS[method]
    pool = validate.as_features(features)
    extent = magnitudes.extent_of(pool.entries)
    options = _of_the_pool(given, mask, budget, order)
    if order is not None:
        mask = mask[order]
        constraints = constraints and constraints.reordered(order)
    limits = constraints or Constraints()
    form = seeing.form_for(entry, extent, options, limits.min_distance is not None)
    began = time.perf_counter()
    while True:
        seen = seeing.see(entry, pool, extent, form, options, order)
        if not _may_be_seen_again(entry, form):
            gone: Any = None  # a copy of the pool that unit rows make needless
            pool = pool._replace(rows=gone)
        todo = heeding.plan(limits, seen.directions, mask, budget, order)
        with seen.precision():
            picks = run(
                entry,
                seed,
                seen.rows,
                todo.known,
                todo.budget,
                seen.options,
                todo.rules,
            )
        if not _has_to_be_wide(entry, form, picks, pool.given):
            break
        form = form._replace(wide=True)
    picks, scale = seen.outcome(picks)
    seconds = time.perf_counter() - began
    return _Ran(picks, todo, seen.rows, mask, order, extent.zero_rows, scale, seconds)


def _may_be_seen_again(entry: Method, form: magnitudes.Form) -> bool:
    """Whether it shows only afterwards if float32 held what was compared."""
    return entry.compares == "distances" and not form.wide


def _has_to_be_wide(
    entry: Method, form: magnitudes.Form, picks: Picks, given: Any
) -> bool:
    """Whether picks have to be made again, of rows in float64."""
    return _may_be_seen_again(entry, form) and magnitudes.lost_distances(
        picks.gains, form.scale, lambda: magnitudes.least_entry(given)
    )


def _on_mesh(wanted: _Wanted, mesh: Mesh) -> _Ran:
    method, features, mask, budget, seed, order, given = wanted
    entry = METHODS[method]
    key = key_of(seed, int(mask.sum()))
    order, options = drawn_order(method, key, len(mask), order, given)
    options = _of_the_pool(options, mask, budget, order)
    mask = mask if order is None else mask[order]
    pool = OnMesh(features, entry, mesh, order)
    form = seeing.form_for(entry, pool.extent, options, False)
    todo = heeding.unconstrained(mask, budget)
    while True:
        seen = pool.see(form, options)
        picks, seconds = pool.run(seen, seed, mask, budget)
        if not _has_to_be_wide(entry, form, picks, pool.placed.given):
            break
        form = form._replace(wide=True)
    picks, scale = seen.outcome(picks)
    zero_rows = pool.extent.zero_rows
    return _Ran(picks, todo, seen.directions, mask, order, zero_rows, scale, seconds)


def run(
    entry: Method,
    seed: int,
    rows: jax.Array,
    mask: np.ndarray,
    budget: int,
    options: dict[str, Any],
    rules: Rules | None = None,
) -> Picks:
    """Calls a method and waits for the picks; a budget of 0 needs no compute."""
    if budget == 0:
        return no_picks()
    key = key_of(seed, int(mask.sum()))
    if rules is not None:
        options = {**options, "rules": rules}
    picks = entry.function(key, rows, jnp.asarray(mask), budget=budget, **options)
    return jax.block_until_ready(picks)


def _of_the_pool(
    options: dict[str, Any], mask: np.ndarray, budget: int, order: np.ndarray | None
) -> dict[str, Any]:
    """Options that speak of rows, checked and in the order of their processing."""
    found = dict(options)
    for name, value in options.items():
        if value is None:
            continue
        if name in ROW_OPTIONS:
            values = validate.as_row_values(name, value, len(mask), ROW_OPTIONS[name])
            found[name] = values if order is None else values[order]
        elif name == "candidates":
            rows = validate.as_candidates(value, mask, budget)
            found[name] = rows if order is None else np.argsort(order)[rows]
    return found


def _in_given_order(info: dict[str, Any], order: np.ndarray) -> dict[str, Any]:
    """What a method says of rows, in the order in which they were given."""
    mapped: dict[str, Any] = {}
    if "candidates" in info:
        named = info["candidates"]
        mapped["candidates"] = np.where(named < 0, -1, order[named])
    if "assignments" in info:
        mapped["assignments"] = info["assignments"][np.argsort(order)]
    return mapped


def _of_all_rows(info: dict[str, Any], kept: dropping.Kept) -> dict[str, Any]:
    """What a method says of rows, with the numbers that they have in the whole pool."""
    told: dict[str, Any] = {"dropped": kept.dropped}
    if "candidates" in info:
        named = info["candidates"]
        told["candidates"] = np.where(named < 0, -1, kept.rows[named])
    if "assignments" in info:
        told["assignments"] = np.full(len(kept.rows) + len(kept.dropped), -1)
        told["assignments"][kept.rows] = info["assignments"]
    return told


def plain(value: Any) -> Any:
    """A Python scalar for a scalar, a NumPy array for the rest."""
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else array

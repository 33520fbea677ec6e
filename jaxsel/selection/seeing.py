"""What a method is given of a pool: float32 rows, or wider ones where these are needed.

Which it is follows from the magnitudes of the rows (`jaxsel.selection.magnitudes`). A
pool of moderate numbers is given as it was checked.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection import magnitudes
from jaxsel.selection.contract import Picks
from jaxsel.selection.magnitudes import Form
from jaxsel.selection.methods import Method
from jaxsel.selection.rows import unit_rows
from jaxsel.selection.validate import Features

# Divisors of lengths that are not 0 and lie within, in float32: their quotients fit.
_DIVISORS = 2.0**-60, 2.0**60
_HIGHEST = float(np.finfo(np.float32).max)


class Seen(NamedTuple):
    """A pool as a method sees it.

    Attributes:
      rows: `[n, d]` float32; float64 where `powers` are given, or `[n, 1]`, lengths.
      directions: float32 `[n, d]`, what a least distance is measured between; on a
        mesh, the rows to be read by number.
      options: the method's, in the types that it takes.
      powers: None, or int64 scalar or `[n]`, as `magnitudes.Wide`.
      scale: of the gains.
    """

    rows: Any
    directions: Any
    options: dict[str, Any]
    powers: np.ndarray | None
    scale: float

    def precision(self) -> AbstractContextManager:
        """The context in which the method has to be run."""
        return precision(self.powers is not None)

    def outcome(self, picks: Picks) -> tuple[Picks, float]:
        """Picks with float32 gains, and the unit that they are in."""
        if self.powers is None:
            return picks, self.scale
        return in_gains_unit(picks, self.powers, self.scale)


def precision(wide: bool) -> AbstractContextManager:
    """float64 where it is wanted."""
    return jax.enable_x64(True) if wide else nullcontext()


def form_for(
    entry: Method, extent: magnitudes.Extent, options: dict[str, Any], apart: bool
) -> Form:
    """The form of the rows that a method is given.

    Args:
      entry: the method.
      extent: of the pool.
      options: the method's, `input_norms` float64.
      apart: whether constraints ask for a least distance, which reads lengths.
    """
    form = magnitudes.form_of(entry.compares, extent)
    if apart and entry.compares in ("nothing", "distances"):
        wide = magnitudes.form_of("lengths", extent).wide
        form = form._replace(wide=form.wide or wide)
    divisors = options.get("input_norms")
    if divisors is not None and np.any(divisors):
        some = np.asarray(divisors)[np.asarray(divisors) > 0]
        low, high = _DIVISORS
        fits = low <= some.min() and some.max() <= high
        form = form._replace(wide=form.wide or (extent.largest > 0 and not fits))
    return form


def see(
    entry: Method,
    pool: Features,
    extent: magnitudes.Extent,
    form: Form,
    options: dict[str, Any],
    order: np.ndarray | None = None,
) -> Seen:
    """The rows in a form, in an order.

    Args:
      entry: the method.
      pool: as it was checked.
      extent, form: of the pool.
      options: the method's, with one value a row in that order.
      order: int `[n]` or None, the rows in the order wanted.

    Raises:
      UserError: rows that not even float64 can compare.
    """

    def ordered(rows: Any) -> Any:
        return rows if order is None else rows[order]

    if not form.wide:
        rows = ordered(in_unit(pool.rows, pool.given, extent, form.scale))
        if entry.rows == "unit":
            rows = unit_rows(rows)
        return Seen(rows, rows, narrow_options(options), None, form.scale)
    directions = jnp.asarray(ordered(magnitudes.by_own_powers(pool.given)))
    if entry.rows == "unit":
        directions = unit_rows(directions)
    if entry.compares in ("nothing", "directions"):
        narrow = narrow_options(options)
        return Seen(directions, directions, narrow, None, form.scale)
    d = pool.given.shape[1]
    wide = widen(entry, ordered(pool.entries), extent, form, options, d)
    found = wide.rows_of(ordered(pool.given), slice(None))
    with precision(True):
        return Seen(
            jnp.asarray(found), directions, wide.options, wide.powers, form.scale
        )


class Widening(NamedTuple):
    """How rows become what a method is given in float64.

    Attributes:
      rows_of: `(rows, where)`, some rows and their places (a slice, or int `[m]`), to
        float64 `[m, width]`.
      width: numbers a row.
      options: the method's.
      powers: as `Seen`.
    """

    rows_of: Callable[[Any, Any], np.ndarray]
    width: int | None
    options: dict[str, Any]
    powers: np.ndarray


def widen(
    entry: Method,
    entries: np.ndarray,
    extent: magnitudes.Extent,
    form: Form,
    options: dict[str, Any],
    d: int,
) -> Widening:
    """From the largest entries of all rows to what becomes of each.

    Args:
      entry: a method that compares lengths, residuals or distances.
      entries: float64 `[n]`, in the order of the rows.
      extent, form: of the pool.
      options: the method's, with one value a row in that order.
      d: numbers a row.
    """
    if entry.compares == "lengths" and "candidates" not in entry.options:
        return _lengths_alone(entry, entries, form, options, d)
    shifts = magnitudes.shifts_for(entries, extent, entry.compares)

    def rows_of(rows: Any, where: slice) -> np.ndarray:
        here = shifts if shifts.ndim == 0 else shifts[where]
        return magnitudes.shifted(rows, here)

    powers = magnitudes.powers_after(shifts, form.scale)
    return Widening(rows_of, None, options, powers)


def _lengths_alone(
    entry: Method, entries: np.ndarray, form: Form, options: dict[str, Any], d: int
) -> Widening:
    """The rows' weights in their place: their whole law, whatever their range."""
    settings = {**entry.options, **options}
    divisors = settings["input_norms"]
    top = magnitudes.top_of(entries, divisors, d)

    def rows_of(rows: Any, where: slice) -> np.ndarray:
        mantissas, powers = magnitudes.lengths_of(rows, settings["norm_ord"])
        here = None if divisors is None else divisors[where]
        return magnitudes.weights_of(mantissas, powers, here, top)

    # The l1 norm of a row of one number is that number.
    given = {**options, "norm_ord": 1.0, "input_norms": None}
    powers = np.asarray(magnitudes.exponent_of(form.scale) + top - 1000)
    return Widening(rows_of, 1, given, powers)


def narrow_options(options: dict[str, Any]) -> dict[str, Any]:
    """Options with float32 values a row."""
    if options.get("input_norms") is None:
        return options
    return {**options, "input_norms": np.asarray(options["input_norms"], np.float32)}


def in_gains_unit(
    picks: Picks, powers: np.ndarray, scale: float
) -> tuple[Picks, float]:
    """Picks of rows in float64 with float32 gains times the scale.

    Where the largest gain would leave float32 the scale becomes a smaller power of two.
    """
    rows = np.asarray(picks.indices)
    gains = np.asarray(picks.gains, np.float64)
    own = powers if powers.ndim == 0 else powers[np.maximum(rows, 0)]
    highest = np.max(np.frexp(gains)[1] + own, initial=0, where=np.isfinite(gains))
    excess = max(0, int(highest) - 127)
    info: dict[str, Any] = dict(picks.info)
    if "radius" in info:
        info["radius"] = np.float32(
            np.ldexp(np.float64(info["radius"]), powers - excess)
        )
    told: Any = magnitudes.gains_of(gains, powers - excess, rows)
    return picks._replace(gains=told, info=info), float(np.ldexp(scale, -excess))


def in_unit(
    rows: jax.Array, given: Any, extent: magnitudes.Extent, scale: float
) -> jax.Array:
    """float32 rows times a power of two, from the given ones where these hold more."""
    if scale == 1.0:
        return rows
    held = is_held(extent, scale)
    return magnitudes.scaled(rows if held else np.asarray(given), scale)


def is_held(extent: magnitudes.Extent, scale: float) -> bool:
    """Whether float32 holds the rows before they are scaled, if they are."""
    within = magnitudes.DIVIDED <= extent.least and extent.largest <= _HIGHEST
    return scale == 1.0 or within

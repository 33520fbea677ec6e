"""The door: features in, findings out, in bounded memory however many rows."""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxsel.arrays import as_numpy, table_of
from jaxsel.doctor import checks
from jaxsel.doctor.finding import Finding
from jaxsel.doctor.near import near_duplicates
from jaxsel.doctor.passes import Advance, Passes, nowhere
from jaxsel.doctor.repeats import first_equal
from jaxsel.doctor.spectrum import spectrum
from jaxsel.doctor.sweep import sweep
from jaxsel.errors import UserError
from jaxsel.frames import warn_of

NEAR = 0.999


def examine(
    features: Any,
    *,
    budget: int | None = None,
    ids: Sequence[str] | np.ndarray | str | None = None,
    columns: Any = None,
    n_classes: int | None = None,
    near: float = NEAR,
    advance: Advance = nowhere,
) -> list[Finding]:
    """Looks at features as selection will use them: as float32.

    Codes, with their severity:

    - `not-finite` (error): rows with NaN, infinity, or beyond float32. Nothing else is
      asked of them.
    - `budget` (error): fewer finite rows than are to be picked.
    - `classes` (warning): fewer picks than classes.
    - `zero-rows` (warning).
    - `duplicates` (warning): rows equal to an earlier one.
    - `near-duplicates` (warning from 1 % of the rows on): rows, none equal to another,
      with a cosine of at least `near` to another. All pairs are compared up to 20,000
      rows of 512 (`near.EXACT_WORK`); beyond, the number is a lower bound, which
      misses about one pair in 90 at the threshold and fewer that are closer.
    - `alike` (warning): a mean cosine of 0.98 and more.
    - `constant-columns` (note; warning: more than half of them).
    - `directions` (note; warning: collapsed, or too few for the classes): the
      effective rank, by entropy and by participation ratio.
    - `norms` (note), `equal-norms` or `unit-norms` (warning): always one of these, with
      quantiles and a histogram.
    - `long-rows` (warning): norms above 20 times the median.
    - `float16-overflow` (note).

    Memory: blocks of at most 2^21 numbers (100 MB with their copies), about 200 bytes a
    row, and `32 d^2` bytes (for more than 2,048 columns at most 900 MB). The rows are
    read two to four times, forwards; candidates for near-duplicates out of order.

    Args:
      features: real `[n, d]`: a NumPy array, memory-mapped too, of floats or integers,
        a table of them, or what `np.asarray` takes. It is not written to.
      budget: how many rows are to be picked, where that is known.
      ids: `[n]`, names for the rows; or the column of a table that has them.
      columns: of a table, the names of those that are the features; without it the rule
        of `jaxsel.columns` chooses, and a warning says what was left out.
      n_classes: how many classes there are, where that is known.
      near: the cosine from which rows are near-duplicates, between 0 and 1.
      advance: told how many more rows were read, `PASSES * n` in all.

    Returns:
      Findings in the order of the list above; the same at every call.

    Raises:
      UserError: no matrix of real numbers, ids that are not one a row, or a number out
        of its range.

    Example:
      >>> rows = np.random.default_rng(0).normal(size=(50, 8))
      >>> rows[7] = rows[3]
      >>> rows[9, 0] = np.nan
      >>> [(f.code, f.rows) for f in examine(rows)][:2]
      [('not-finite', (9,)), ('duplicates', (7,))]
    """
    found, ids, roles = table_of(features, columns, ids)
    warn_of(roles)
    rows = _matrix(found)
    n, d = rows.shape
    if ids is not None and (isinstance(ids, str) or len(ids) != n):
        raise UserError(f"expected {n} ids, one a row, found {len(ids)}")
    budget = _positive("budget", budget)
    n_classes = _positive("n_classes", n_classes)
    if isinstance(near, bool | str) or not 0 < near < 1:
        raise UserError(f"expected a cosine between 0 and 1 for near, found {near!r}")
    names = checks.namer(ids)
    passes = Passes(n, advance)
    seen = sweep(rows, passes.advance)
    passes.finish()
    usable = seen.finite
    first = first_equal(rows, seen.hashes, usable)
    turned = usable & (seen.norms > 0)
    alone = turned & (first == np.arange(n))
    constant = seen.low == seen.high
    centre = np.where(constant, seen.low, seen.mean).astype(np.float64)
    pairs = near_duplicates(rows, seen.norms, alone, near, advance=passes.advance)
    passes.finish()
    varied = spectrum(rows, usable, centre, advance=passes.advance)
    passes.finish()
    findings = [
        checks.not_finite(seen, names),
        checks.budget_fits(n, int(usable.sum()), budget),
        checks.classes_fit(budget, n_classes),
        checks.zero_rows(seen, names),
        checks.duplicates(first, names),
        checks.near_duplicates(pairs, near, names),
        checks.alike(_mean_cosine(seen.direction, int(turned.sum()))),
        checks.constant_columns(seen),
        checks.directions(varied, d, budget, n_classes),
        *checks.norms(seen.norms, names),
        checks.half_overflow(seen, names),
    ]
    return [finding for finding in findings if finding is not None]


def _mean_cosine(direction: np.ndarray, m: int) -> float | None:
    """Of all pairs of `m` unit rows with this mean: `(m |mean|^2 - 1) / (m - 1)`."""
    if m < 2:
        return None
    return min(1.0, float((m * (direction @ direction) - 1) / (m - 1)))


def _matrix(features: Any) -> np.ndarray:
    rows = as_numpy("features", features)
    # The kind of bfloat16, which JAX's arrays may be of, is not among NumPy's own.
    if rows.dtype.kind not in "fiu" and rows.dtype.name != "bfloat16":
        raise UserError(
            f"expected features that are real numbers, found {rows.dtype}: convert "
            "them to float32"
        )
    if rows.ndim != 2 or 0 in rows.shape:
        raise UserError(
            "expected features of shape [n, d], one row an example, found "
            f"{list(rows.shape)}"
        )
    return rows


def _positive(name: str, value: int | None) -> int | None:
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise UserError(f"expected {name} of at least 1, found {value!r}")
    return number

"""A straight line and a correlation, with intervals: does accuracy rise with the norm?

Everything is float64 and centred before it is multiplied, so that norms around
10⁴ that differ in the last places lose nothing.
"""

import math
from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError

_ROUNDING = 1e-12  # a spread this small beside the values is rounding alone


class Regression(NamedTuple):
    """The least-squares line of y on x, and Pearson's correlation."""

    slope: float  # units of y a unit of x
    intercept: float
    r: float
    r_low: float  # the interval of r
    r_high: float
    p: float  # of r = 0, two-sided
    n: int
    level: float


class RankCorrelation(NamedTuple):
    """Spearman's correlation."""

    rho: float
    low: float
    high: float
    p: float  # of rho = 0, two-sided
    n: int
    level: float


def regress(x: np.ndarray, y: np.ndarray, *, level: float = 0.95) -> Regression:
    r"""The least-squares line of y on x, and Pearson's r with its interval.

    With centred $\tilde x$ and $\tilde y$: slope
    $\sum \tilde x \tilde y / \sum \tilde x^2$, correlation
    $r = \sum \tilde x \tilde y / \sqrt{\sum \tilde x^2 \sum \tilde y^2}$. Fisher's
    $z = \operatorname{artanh} r$ is near normal with variance $1 / (n - 3)$, so the
    interval of r is $\tanh(z \pm \Phi^{-1}((1+\ell)/2) / \sqrt{n-3})$; and
    $t = r \sqrt{(n-2)/(1-r^2)}$ has Student's law with $n - 2$ degrees of freedom
    where y is normal and does not depend on x.

    Args:
      x: `[n]`, n at least 4.
      y: `[n]`.
      level: the coverage $\ell$ of the interval, in (0, 1).

    Returns:
      The line and the correlation.

    Raises:
      UserError: the shapes differ, there are fewer than 4 points, one is not finite,
        x or y does not vary, or `level` is not in (0, 1).

    Source: Fisher, "On the probable error of a coefficient of correlation", 1921;
    used for Fig. 7 of Bar & Giryes, arXiv 2406.01086.

    >>> fit = regress(np.arange(5), np.array([1.0, 3.0, 2.0, 5.0, 4.0]))
    >>> round(fit.slope, 3), round(fit.intercept, 3), round(fit.r, 3)
    (0.8, 1.4, 0.8)
    """
    x, y = _checked(x, y, level)
    centred_x, centred_y = x - x.mean(), y - y.mean()
    spread_x, spread_y = centred_x @ centred_x, centred_y @ centred_y
    together = centred_x @ centred_y
    slope = float(together / spread_x)
    r = float(np.clip(together / math.sqrt(spread_x) / math.sqrt(spread_y), -1, 1))
    low, high = _fisher_interval(r, 1 / math.sqrt(len(x) - 3), level)
    return Regression(
        slope,
        float(y.mean() - slope * x.mean()),
        r,
        low,
        high,
        _student_p(r, len(x)),
        len(x),
        level,
    )


def spearman(x: np.ndarray, y: np.ndarray, *, level: float = 0.95) -> RankCorrelation:
    r"""Spearman's rank correlation: Pearson's r of the ranks, ties at their mean rank.

    The interval is Fisher's with the standard error
    $\sqrt{(1 + \rho^2/2) / (n - 3)}$ of $\operatorname{artanh} \rho$; p is Student's,
    as for r. Both are approximations, good from some 25 points.

    Args:
      x: `[n]`, n at least 4.
      y: `[n]`.
      level: the coverage of the interval, in (0, 1).

    Returns:
      The correlation.

    Raises:
      UserError: as `regress`.

    Source: Bonett & Wright, "Sample size requirements for estimating Pearson, Kendall
    and Spearman correlations", 2000.

    >>> round(spearman(np.arange(5), np.array([1.0, 9.0, 4.0, 90.0, 91.0])).rho, 3)
    0.9
    """
    from scipy.stats import rankdata  # slow to import, and only needed here

    x, y = _checked(x, y, level)
    rho = regress(rankdata(x), rankdata(y), level=level).r
    error = math.sqrt((1 + rho**2 / 2) / (len(x) - 3))
    low, high = _fisher_interval(rho, error, level)
    return RankCorrelation(rho, low, high, _student_p(rho, len(x)), len(x), level)


def line_band(
    x: np.ndarray, y: np.ndarray, at: np.ndarray, *, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    r"""Where the true line lies at each abscissa, taken alone, with the given coverage.

    $\hat y(a) \pm t_{n-2,(1+\ell)/2}\, s \sqrt{1/n + (a - \bar x)^2 / \sum \tilde x^2}$
    with $s^2$ the sum of squared residuals over $n - 2$. It is a band for the mean of
    y; single points scatter far outside it.

    Args:
      x: `[n]`, n at least 4.
      y: `[n]`.
      at: `[m]`, the abscissas.
      level: the coverage $\ell$, in (0, 1).

    Returns:
      The lower and the upper edge, float64 `[m]` each.

    Raises:
      UserError: as `regress`.

    >>> x, y = np.arange(4), np.array([0.0, 2.0, 4.0, 6.0])
    >>> [edge.tolist() for edge in line_band(x, y, np.array([1.0]))]
    [[2.0], [2.0]]
    """
    from scipy.stats import t

    fit = regress(x, y, level=level)
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    at = np.asarray(at, np.float64)
    residuals = y - y.mean() - fit.slope * (x - x.mean())
    deviation = math.sqrt(residuals @ residuals / (fit.n - 2))
    leverage = 1 / fit.n + (at - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
    half = float(t.ppf(0.5 + level / 2, fit.n - 2)) * deviation * np.sqrt(leverage)
    line = y.mean() + fit.slope * (at - x.mean())
    return line - half, line + half


def _checked(
    x: np.ndarray, y: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 `[n]`, fit for a correlation."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 4:
        raise UserError(
            "expected x and y of one shape [n] with n at least 4, found "
            f"{list(x.shape)} and {list(y.shape)}; give one of each a point"
        )
    for name, values in (("x", x), ("y", y)):
        if not np.isfinite(values).all():
            raise UserError(
                f"expected finite numbers, found {int((~np.isfinite(values)).sum())} "
                f"that are not in {name}; leave out those points"
            )
        if np.ptp(values) <= _ROUNDING * np.abs(values).max():
            raise UserError(
                f"expected {name} to vary, found {values[0]:g} at every point; "
                "there is no correlation with a constant"
            )
    if not 0.0 < level < 1.0:
        raise UserError(f"expected an interval level between 0 and 1, found {level}")
    return x, y


def _fisher_interval(r: float, error: float, level: float) -> tuple[float, float]:
    """The interval of a correlation whose artanh has this standard error."""
    from scipy.stats import norm

    if abs(r) == 1.0:
        return r, r
    half = float(norm.ppf(0.5 + level / 2)) * error
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def _student_p(r: float, n: int) -> float:
    """How often |r| is at least this large where nothing is correlated."""
    from scipy.stats import t

    if abs(r) == 1.0:
        return 0.0
    return float(2 * t.sf(abs(r) * math.sqrt((n - 2) / ((1 - r) * (1 + r))), n - 2))

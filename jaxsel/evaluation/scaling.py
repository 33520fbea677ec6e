"""How time grows with size: the exponent of a power law, with its interval."""

import math
from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError


class PowerLaw(NamedTuple):
    """The fit `seconds ≈ factor · x ** exponent`."""

    exponent: float
    factor: float  # seconds at x = 1, an extrapolation
    half_width: float | None  # of the exponent's interval; None for 2 points
    n: int
    level: float


def exponent(x: np.ndarray, seconds: np.ndarray, *, level: float = 0.95) -> PowerLaw:
    r"""Least squares of $\log t_i = \log c + a \log x_i + \varepsilon_i$.

    The exponent a is 1 for time linear in the size and 2 for the square. Its interval
    is Student's, $t_{n-2,(1+\ell)/2}\, s / \sqrt{\sum_i (\log x_i - m)^2}$ to
    each side, m being the mean logarithm and $s^2$ the squared residuals over $n - 2$.
    It holds measurement noise, and the bend of a curve that is no power law: fixed
    costs at small sizes flatten it, so fit the sizes where they no longer matter.

    Args:
      x: `[n]`, sizes above 0, at least two different ones.
      seconds: `[n]`, above 0.
      level: the coverage $\ell$ of the interval, in (0, 1).

    Returns:
      The power law.

    Raises:
      UserError: the shapes differ, a number is not finite or not above 0, there are
        fewer than two different sizes, or `level` is not in (0, 1).

    >>> law = exponent(np.array([10, 20, 40]), np.array([3.0, 12.0, 48.0]))
    >>> round(law.exponent, 6), round(law.factor, 6)
    (2.0, 0.03)
    """
    x, seconds = np.asarray(x, np.float64), np.asarray(seconds, np.float64)
    if x.ndim != 1 or x.shape != seconds.shape:
        raise UserError(
            "expected sizes and seconds of one shape [n], found "
            f"{list(x.shape)} and {list(seconds.shape)}; give one time a size"
        )
    for name, values in (("sizes", x), ("seconds", seconds)):
        if not (np.isfinite(values) & (values > 0)).all():
            raise UserError(
                f"expected finite {name} above 0, found {values.tolist()}; "
                "a power law has no other; leave out those points"
            )
    if len(np.unique(x)) < 2:
        raise UserError(
            f"expected at least two different sizes, found {np.unique(x).tolist()}; "
            "measure another size"
        )
    if not 0.0 < level < 1.0:
        raise UserError(f"expected an interval level between 0 and 1, found {level}")
    n = len(x)
    log_x, log_seconds = np.log(x), np.log(seconds)
    centred = log_x - log_x.mean()
    spread = centred @ centred
    slope = float(centred @ (log_seconds - log_seconds.mean()) / spread)
    half_width = None
    if n > 2:
        from scipy.stats import t  # slow to import, and only needed here

        residuals = log_seconds - log_seconds.mean() - slope * centred
        error = math.sqrt(residuals @ residuals / (n - 2) / spread)
        half_width = float(t.ppf(0.5 + level / 2, n - 2)) * error
    factor = math.exp(log_seconds.mean() - slope * log_x.mean())
    return PowerLaw(slope, factor, half_width, n, level)

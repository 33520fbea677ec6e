"""Costs in whole units, so that sums of them are exact in a compiled program.

Amounts of money or minutes are decimal numbers, of which float32 holds few exactly: ten
labels at 0.1 would not fit into funds of 1.0. In the smallest decimal unit that holds
all of them they are whole numbers, and sums of whole numbers do not round.
"""

from typing import NamedTuple

import numpy as np

MOST = 1 << 29  # so that twice the funds are an int32
_DECIMALS = 7


class Money(NamedTuple):
    """Costs and funds in units.

    Attributes:
      costs: int64 `[n]`, at least 1; what the funds cannot pay is one more than them.
      funds: whole number, at most `MOST`.
      unit: what one is worth.
    """

    costs: np.ndarray
    funds: int
    unit: float


def in_units(costs: np.ndarray, funds: float) -> Money:
    """Costs and funds as whole numbers of one unit.

    The unit is the largest power of ten that all costs are multiples of, to float32's
    precision; where there is none of up to seven decimals, or funds would be above
    2^29 of it, it is that share of the funds, and costs are rounded up: never more is
    spent than there is.

    Args:
      costs: float64 `[n]`, above 0.
      funds: above 0.

    Example:
      >>> money = in_units(np.array([0.1, 0.25, 3.0]), 1.0)
      >>> money.costs.tolist(), money.funds
      ([10, 25, 101], 100)
    """
    for decimals in range(_DECIMALS + 1):
        factor = 10.0**decimals
        if funds * factor > MOST:
            break
        scaled = costs * factor
        whole = np.rint(scaled)
        # float32 holds seven digits of a number; money has no more.
        close = np.abs(scaled - whole) <= 1e-7 * scaled + 1e-9
        if ((whole >= 1) & close).all():
            left = int(np.floor(funds * factor * (1 + 1e-12)))
            return Money(_capped(whole, left), left, 1 / factor)
    unit = funds / MOST
    return Money(_capped(np.ceil(costs / unit), MOST), MOST, unit)


def _capped(units: np.ndarray, funds: int) -> np.ndarray:
    return np.clip(units, 1, funds + 1).astype(np.int64)

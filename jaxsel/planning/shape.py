"""A selection that need not be made: all that memory and time are forecast from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

FLOAT = 4


class Shape(NamedTuple):
    """A pool that need not exist.

    Attributes:
      n: rows.
      d: features of a row.
      dtype: what they are stored in, as NumPy names it.
      mapped: they lie in a file that is mapped rather than read, as of an `.npy`.
      gathered: rows are left out or put in another order first, which copies them.
    """

    n: int
    d: int
    dtype: str = "float32"
    mapped: bool = True
    gathered: bool = False

    @property
    def floats(self) -> int:
        """Bytes of the rows as float32."""
        return FLOAT * self.n * self.d

    @property
    def stored(self) -> int:
        """Bytes of the rows as they are stored."""
        # The kind of bfloat16 is not among NumPy's own.
        size = 2 if self.dtype == "bfloat16" else np.dtype(self.dtype).itemsize
        return size * self.n * self.d


def shape_of(rows: np.ndarray, gathered: bool = False) -> Shape:
    """The shape of rows that exist.

    Example:
      >>> shape_of(np.zeros((3, 2)))
      Shape(n=3, d=2, dtype='float64', mapped=False, gathered=False)
    """
    n, d = rows.shape
    return Shape(n, d, rows.dtype.name, isinstance(rows, np.memmap), gathered)


NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class Call(NamedTuple):
    """One call of `jaxsel.select`.

    Attributes:
      shape: of the pool.
      budget: rows to pick, 1 or more.
      labelled: how many rows have labels.
      options: the method's own.
    """

    shape: Shape
    budget: int
    labelled: int = 0
    options: Mapping[str, Any] = NO_OPTIONS

    def first_of_two(self) -> "Call":
        """That of the first of two stages, which proposes twice the budget."""
        return self._replace(budget=min(2 * self.budget, self.shape.n))

"""A query strategy in the manner of scikit-learn's active-learning libraries."""

from typing import Any

import numpy as np

from jaxsel.arrays import check_same_index, is_missing, missing_in
from jaxsel.errors import UserError
from jaxsel.selection.api import select


class QueryStrategy:
    """A selection method as an object with `query(X, y, batch_size=...)`.

    Holds no data between calls: every query looks at its own arguments only.

    Args:
      method: a name of `jaxsel.METHODS`; without one every query follows the rule of
        `jaxsel.select`, by the labels that there will be.
      seed: whole number; the same seed and arguments give the same rows.
      **options: the method's own, and `columns` of `jaxsel.select`.

    Example:
      >>> import numpy as np
      >>> rows = np.array([[3.0, 0.0], [2.0, 0.1], [0.0, 1.0]])
      >>> labels = np.array([0.0, np.nan, np.nan])
      >>> QueryStrategy("norm", deterministic=True).query(rows, labels, batch_size=1)
      array([1])
    """

    def __init__(self, method: str | None = None, seed: int = 0, **options: Any):
        self.method = method
        self.seed = seed
        self.options = options

    def query(self, X: Any, y: Any = None, *, batch_size: int = 1) -> np.ndarray:
        """The rows to label next, in pick order.

        Args:
          X: `[n, d]`, what `jaxsel.select` takes.
          y: one label a row; NaN, None, NA, NaT or masked where unlabelled; or None:
            no labels yet.
          batch_size: how many rows.

        Returns:
          int64 `[batch_size]` row indices.

        Raises:
          UserError: what `jaxsel.select` refuses, or labels of another length.
        """
        check_same_index(X, {"y": y})
        labelled = None if y is None else ~_missing(y)
        selection = select(
            X,
            batch_size,
            self.method,
            labelled=labelled,
            seed=self.seed,
            **self.options,
        )
        return selection.indices

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments, so that `sklearn.base.clone` works."""
        del deep
        return {"method": self.method, "seed": self.seed, **self.options}

    def set_params(self, **params: Any) -> "QueryStrategy":
        """Replaces constructor arguments."""
        for name, value in params.items():
            if name in ("method", "seed"):
                setattr(self, name, value)
            else:
                self.options[name] = value
        return self

    def __repr__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"QueryStrategy({self.method!r}, seed={self.seed}{given})"


def _missing(y: Any) -> np.ndarray:
    """Which labels are NaN, None, NA, NaT, masked or null in a Series: bool `[n]`."""
    masked = np.ma.getmaskarray(y) if isinstance(y, np.ma.MaskedArray) else False
    gaps = missing_in(y)
    if gaps is not None and gaps.ndim == 1:
        y = np.array(y, object)
        y[gaps] = None
    # A list of strings and NaN would become all strings.
    labels = np.asarray(y) if isinstance(y, np.ndarray) else np.asarray(y, object)
    if labels.ndim != 1:
        raise UserError(f"y must have shape [n], found {labels.shape}")
    kind = labels.dtype.kind
    if kind in "US":
        _refuse_written_gaps(labels)
    if kind in "fc":
        return np.isnan(labels) | masked
    if kind in "mM":
        return np.isnat(labels) | masked
    if kind == "O":
        return np.array([is_missing(label) for label in labels], bool) | masked
    return np.zeros(len(labels), bool) | masked


def _refuse_written_gaps(labels: np.ndarray) -> None:
    """NumPy writes a gap among texts as text, which would count as a label."""
    written = np.isin(labels.astype(str), ("nan", "None", "<NA>", "NaT"))
    if written.any():
        raise UserError(
            f"y must have None or NaN where a row is unlabelled, found the text "
            f"{str(labels[written.argmax()])!r} in row {int(written.argmax())}; pass a "
            "list, a Series, or an array of objects"
        )

"""Refuses a round that would not fit into memory, before anything is made for it."""

from collections.abc import Collection

import jax
import numpy as np

from jaxsel.errors import UserError
from jaxsel.planning.forecast import check_fits
from jaxsel.planning.free import free_bytes
from jaxsel.planning.shape import Call, shape_of


def check_memory(
    method: str,
    rows: np.ndarray,
    ids: np.ndarray,
    more: int,
    *,
    labelled: Collection[int] = (),
    excluded: Collection[int] = (),
) -> None:
    """Compares the forecast of a selection with what is free now.

    Args:
      method: of `jaxsel.METHODS`.
      rows: real `[n, d]`.
      ids: of the rows.
      more: how many are to be picked.
      labelled: rows that the method knows of.
      excluded: rows that it does not see.

    Raises:
      UserError: it would not fit; what does, and how to begin all the same.
    """
    # Rows that are left out, or whose ids do not ascend, are copied into their order.
    numbered = np.array_equal(ids, np.arange(len(ids)).astype(ids.dtype))
    gathered = bool(excluded) or not (numbered or bool(np.all(ids[1:] > ids[:-1])))
    try:
        check_fits(
            method,
            Call(shape_of(rows, gathered), more, len(labelled)),
            free=free_bytes(),
            device=jax.default_backend(),
        )
    except UserError as error:
        raise UserError(f"{error}; or --ignore-memory to begin all the same") from None

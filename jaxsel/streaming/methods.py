"""The methods that read their pool from disk, and what they do not take."""

from typing import Any

from jaxsel.errors import UserError
from jaxsel.selection.api import check_options
from jaxsel.selection.methods import METHODS
from jaxsel.streaming.gram_schmidt import GRAM_SCHMIDT
from jaxsel.streaming.k_center import K_CENTER
from jaxsel.streaming.one_pass import NORM, RANDOM
from jaxsel.streaming.procedure import Procedure

STREAMED: dict[str, Procedure] = {
    "random": RANDOM,
    "norm": NORM,
    "gram_schmidt": GRAM_SCHMIDT,
    "k_center": K_CENTER,
}


def check_streamed(method: str, given: dict[str, Any]) -> dict[str, Any]:
    """Checks a streamed method's options without its pool.

    Args:
      method: a name of `STREAMED`.
      given: its options.

    Returns:
      The options with numbers in the types that the methods take.

    Raises:
      UserError: as `jaxsel.select`; or a choice that would read the pool for each pick.
    """
    options = {**METHODS[method].options, **check_options(method, given)}
    if method == "gram_schmidt" and (
        options["algorithm"] == "sequential" or options["norm_ord"] != 2
    ):
        raise UserError(
            "expected Gram-Schmidt by blocks (l2) for a pool on disk, found "
            f"algorithm={options['algorithm']!r}, norm_ord={options['norm_ord']}: "
            "these read the pool for each pick; use jaxsel.select"
        )
    return options

"""The methods that read their pool from disk, and what they do not take."""

from typing import Any

from jaxsel.errors import UserError
from jaxsel.selection.api import check_options
from jaxsel.selection.methods import METHODS
from jaxsel.selection.validate import as_count
from jaxsel.streaming.gram_schmidt import GRAM_SCHMIDT
from jaxsel.streaming.k_center import K_CENTER
from jaxsel.streaming.one_pass import NORM, RANDOM
from jaxsel.streaming.probcover import PROBCOVER
from jaxsel.streaming.procedure import Procedure
from jaxsel.streaming.reference import CANDIDATES, REFERENCE
from jaxsel.streaming.typiclust import TYPICLUST

STREAMED: dict[str, Procedure] = {
    "random": RANDOM,
    "norm": NORM,
    "gram_schmidt": GRAM_SCHMIDT,
    "k_center": K_CENTER,
    "probcover": PROBCOVER,
    "typiclust": TYPICLUST,
}
# Options that only make sense where the pool is on disk.
OWN_OPTIONS: dict[str, dict[str, Any]] = {
    "probcover": {"reference": None, "candidates": None}
}


def procedure_of(method: str, options: dict[str, Any]) -> Procedure:
    """What runs: ProbCover against a sample where a `reference` is given."""
    if method == "probcover" and options["reference"] is not None:
        return REFERENCE
    return STREAMED[method]


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
    known = OWN_OPTIONS.get(method, {})
    own = {name: value for name, value in given.items() if name in known}
    others = {name: value for name, value in given.items() if name not in known}
    options = {**METHODS[method].options, **check_options(method, others), **known}
    options |= {
        name: None if value is None else as_count(name, value)
        for name, value in own.items()
    }
    if method == "gram_schmidt" and (
        options["algorithm"] == "sequential" or options["norm_ord"] != 2
    ):
        raise UserError(
            "expected Gram-Schmidt by blocks (l2) for a pool on disk, found "
            f"algorithm={options['algorithm']!r}, norm_ord={options['norm_ord']}: "
            "these read the pool for each pick; use jaxsel.select"
        )
    if method == "probcover":
        _check_probcover(options)
    return options


def _check_probcover(options: dict[str, Any]) -> None:
    if options["delta"] == "purity":
        raise UserError(
            'expected delta as a number or "auto" for a pool on disk, found "purity", '
            "which compares every row with all others: find it on a sample"
        )
    if options["reference"] is None:
        if options["candidates"] is not None:
            raise UserError(
                "expected candidates only beside a reference, found none: give "
                "reference=16384, or leave both out for exact ProbCover"
            )
    elif options["candidates"] is None:
        options["candidates"] = CANDIDATES

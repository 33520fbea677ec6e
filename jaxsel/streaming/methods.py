"""The methods that read their pool from disk, and what they do not take."""

from typing import Any

from jaxsel.errors import UserError
from jaxsel.selection.methods import METHODS
from jaxsel.selection.options import check_options
from jaxsel.selection.validate import as_count
from jaxsel.streaming.gram_schmidt import GRAM_SCHMIDT
from jaxsel.streaming.k_center import K_CENTER
from jaxsel.streaming.one_pass import NORM, RANDOM
from jaxsel.streaming.probcover import PROBCOVER
from jaxsel.streaming.procedure import Procedure
from jaxsel.streaming.reference import CANDIDATES, REFERENCE
from jaxsel.streaming.two_stage import two_stage
from jaxsel.streaming.typiclust import TYPICLUST

STREAMED: dict[str, Procedure] = {
    "random": RANDOM,
    "norm": NORM,
    "gram_schmidt": GRAM_SCHMIDT,
    "k_center": K_CENTER,
    "probcover": PROBCOVER,
    "typiclust": TYPICLUST,
}
_SECOND = {"norm": "norm", "gs": "gram_schmidt", "random": "random"}
STREAMED |= {
    f"{first}+{short}": two_stage(first, STREAMED[first], second)
    for first in ("probcover", "typiclust")
    for short, second in _SECOND.items()
}
# The options that are heeded: one that a selector takes in memory is refused here until
# it is, or it would be silently without effect.
_HEEDED: dict[str, tuple[str, ...]] = {
    "random": (),
    "norm": ("norm_ord", "deterministic", "input_norms", "tie"),
    "gram_schmidt": ("algorithm", "block_size", "norm_ord", "deterministic", "tie"),
    "k_center": ("tie",),
    "probcover": ("delta", "n_classes", "tie"),
    "typiclust": ("clusters", "max_clusters", "n_init", "distance"),
}
# Options that only make sense where the pool is on disk.
_SAMPLE: dict[str, Any] = {"reference": None, "n_candidates": None}
OWN_OPTIONS = {name: _SAMPLE for name in STREAMED if name.startswith("probcover")}


def procedure_of(method: str, options: dict[str, Any]) -> Procedure:
    """What runs: ProbCover against a sample where a `reference` is given."""
    if options.get("reference") is None:
        return STREAMED[method]
    first, _, short = method.partition("+")
    return two_stage(first, REFERENCE, _SECOND[short]) if short else REFERENCE


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
    first, _, short = method.partition("+")
    heeded = {*_HEEDED[first], *_HEEDED[_SECOND.get(short, first)], "candidates"}
    if strange := sorted(set(others) - heeded):
        raise UserError(
            f"expected options that {method} takes for a pool on disk, found "
            f"{', '.join(strange)}: leave them out, or use jaxsel.select"
        )
    if options.get("candidates") is not None:
        raise UserError(
            "expected the candidates to come from the first stage for a pool on disk, "
            "found them given: read those rows and use jaxsel.select"
        )
    if method == "gram_schmidt" and (
        options["algorithm"] == "sequential" or options["norm_ord"] != 2
    ):
        raise UserError(
            "expected Gram-Schmidt by blocks (l2) for a pool on disk, found "
            f"algorithm={options['algorithm']!r}, norm_ord={options['norm_ord']}: "
            "these read the pool for each pick; use jaxsel.select"
        )
    if method in OWN_OPTIONS:
        _check_probcover(options)
    return options


def _check_probcover(options: dict[str, Any]) -> None:
    if options["delta"] == "purity":
        raise UserError(
            'expected delta as a number or "auto" for a pool on disk, found "purity", '
            "which compares every row with all others: find it on a sample"
        )
    if options["reference"] is None:
        if options["n_candidates"] is not None:
            raise UserError(
                "expected n_candidates only beside a reference, found none: give "
                "reference=16384, or leave both out for exact ProbCover"
            )
    elif options["n_candidates"] is None:
        options["n_candidates"] = CANDIDATES

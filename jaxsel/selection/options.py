"""Options of the methods, checked without a pool."""

import math
from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.selection import gram_schmidt, validate
from jaxsel.selection.gram_schmidt import ALGORITHMS
from jaxsel.selection.methods import METHODS, Method

# Options that hold one value a row, and the type they are computed in.
ROW_OPTIONS = {"input_norms": np.float64, "clusters": np.int32}
CHOICES: dict[str, tuple[Any, ...]] = {
    "algorithm": ALGORITHMS,
    "distance": ("sqeuclidean", "euclidean"),
    "norm_ord": (1, 2, math.inf),
    "tie": ("lowest", "random"),
    "deterministic": (False, True),
}
COUNTS = ("block_size", "max_clusters", "n_init", "n_classes")
# Options that hold a positive number, and the words that they take as well.
WIDTHS = {"delta": ("auto", "purity"), "bandwidth": ("auto",)}


def method_of(name: Any) -> Method:
    """The method of a name.

    Raises:
      UserError: there is none; the message lists those there are.
    """
    if not isinstance(name, str) or name not in METHODS:
        raise UserError(f"unknown method {name!r}; known methods: {', '.join(METHODS)}")
    return METHODS[name]


def check_options(method: str, given: dict[str, Any]) -> dict[str, Any]:
    """Checks all that can be known of a method's options without its pool.

    Args:
      method: a name of `jaxsel.METHODS`.
      given: its options; those with one value a row are left as they are.

    Returns:
      The options with numbers in the types that the methods take.

    Raises:
      UserError: an unknown method or option, or a value that it does not take.
    """
    known = method_of(method).options
    for option in given:
        if option not in known:
            listed = ", ".join(known) or "none"
            raise UserError(
                f"unknown option {option!r} for method {method!r}; "
                f"its options: {listed}"
            )
    checked = {
        option: _checked(option, value, known[option])
        for option, value in given.items()
    }
    if "algorithm" in known:
        settings = {**known, **checked}
        gram_schmidt.resolve(settings["algorithm"], settings["norm_ord"])
    if checked.get("delta") == "purity" and checked.get("n_classes") is None:
        raise UserError(
            'delta="purity" needs the number of classes: give n_classes or delta="auto"'
        )
    return checked


def _checked(option: str, value: Any, default: Any) -> Any:
    if option in ROW_OPTIONS or (value is None and default is None):
        return value
    if option == "norm_ord" and isinstance(value, str) and value == "inf":
        value = math.inf
    if option in CHOICES:
        is_flag = isinstance(value, bool)
        listed = ", ".join(map(str, CHOICES[option]))
        # True is 1 to Python, but no order of a norm.
        same = (c for c in CHOICES[option] if isinstance(c, bool) == is_flag)
        plain = isinstance(value, str | int | float)
        if not plain or value not in tuple(same):
            raise UserError(f"{option} must be one of {listed}; found {value!r}")
    if option == "norm_ord":
        return float(value)
    if option in COUNTS:
        return validate.as_count(option, value)
    if option in WIDTHS:
        if not isinstance(value, str):
            return validate.as_width(option, value)
        if value not in WIDTHS[option]:
            words = " or ".join(f'"{word}"' for word in WIDTHS[option])
            raise UserError(f"{option} must be a number or {words}; found {value!r}")
    return value

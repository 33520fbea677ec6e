"""The registry: every selection method, what it reads and what it promises."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jaxsel.selection.contract import Picks
from jaxsel.selection.gram_schmidt import select_gram_schmidt
from jaxsel.selection.norm import select_norm
from jaxsel.selection.uniform import select_random


class Method(NamedTuple):
    """One entry of the registry.

    Attributes:
      function: `(key, features [n, d], labelled [n], *, budget, **options) -> Picks`.
      rows: "raw" or "unit", the rows it is given.
      prefix: a smaller budget's picks are a prefix of a larger one's.
      order_invariant: with ids, picks are the same ids whatever the row order *and
        the tile sizes*, for these options; None where no options promise it.
      coverage: it claims to cover the pool, so its coverage is reported.
    """

    function: Callable[..., Picks]
    rows: str
    prefix: bool
    order_invariant: Mapping[str, Any] | None
    coverage: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """Option names with their defaults, from the function's signature."""
        parameters = inspect.signature(self.function).parameters.values()
        return {
            p.name: p.default
            for p in parameters
            if p.kind is p.KEYWORD_ONLY and p.name != "budget"
        }


METHODS: dict[str, Method] = {
    "random": Method(select_random, "raw", True, None),
    "norm": Method(select_norm, "raw", True, {"deterministic": True}),
    "gram_schmidt": Method(select_gram_schmidt, "raw", True, {"deterministic": True}),
}


def method_options(name: str) -> dict[str, Any]:
    """The options of a method with their defaults.

    Example:
      >>> method_options("norm")["deterministic"]
      False
    """
    return METHODS[name].options

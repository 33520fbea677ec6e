"""The registry: every selection method, what it reads and what it promises."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from jaxsel.selection.contract import Picks
from jaxsel.selection.gram_schmidt import select_gram_schmidt
from jaxsel.selection.k_center import select_k_center
from jaxsel.selection.max_herding import select_max_herding
from jaxsel.selection.norm import select_norm
from jaxsel.selection.probcover import select_probcover
from jaxsel.selection.two_stage import two_stage
from jaxsel.selection.typiclust import select_typiclust
from jaxsel.selection.uniform import select_random


class Method(NamedTuple):
    """One entry of the registry.

    Attributes:
      function: `(key, features [n, d], labelled [n], *, budget, **options) -> Picks`.
      rows: "raw" or "unit", the rows it is given.
      compares: "nothing", "directions", "lengths", "residuals" or "distances" of rows,
        see `jaxsel.selection.magnitudes`.
      prefix: a smaller budget's picks are a prefix of a larger one's.
      coverage: it claims to cover the pool, so `select` reports how well.
    """

    function: Callable[..., Picks]
    rows: str
    compares: str
    prefix: bool
    coverage: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """Option names with their defaults, from the function's signature."""
        parameters = inspect.signature(self.function).parameters.values()
        return {
            p.name: p.default
            for p in parameters
            if p.kind is p.KEYWORD_ONLY and p.name not in ("budget", "rules")
        }


_FIRST: dict[str, Callable[..., Picks]] = {
    "probcover": select_probcover,
    "typiclust": select_typiclust,
}
_SECOND: dict[str, Callable[..., Picks]] = {
    "norm": select_norm,
    "gs": select_gram_schmidt,
    "random": select_random,
}
# Of two stages: what the second compares is more than the first's directions.
_COMPARES = {"norm": "lengths", "gs": "residuals", "random": "directions"}

METHODS: dict[str, Method] = {
    "random": Method(select_random, "raw", "nothing", True),
    "norm": Method(select_norm, "raw", "lengths", True),
    "gram_schmidt": Method(select_gram_schmidt, "raw", "residuals", True),
    "probcover": Method(select_probcover, "unit", "directions", True, True),
    "typiclust": Method(select_typiclust, "unit", "directions", False, True),
    "k_center": Method(select_k_center, "raw", "distances", True),
    "max_herding": Method(select_max_herding, "unit", "directions", True, True),
    **{
        f"{a}+{b}": Method(two_stage(first, second), "raw", _COMPARES[b], False)
        for a, first in _FIRST.items()
        for b, second in _SECOND.items()
    },
}


def method_options(name: str) -> dict[str, Any]:
    """The options of a method with their defaults.

    Example:
      >>> method_options("norm")["deterministic"]
      False
    """
    return METHODS[name].options

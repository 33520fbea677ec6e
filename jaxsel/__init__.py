"""jaxsel: I have N unlabelled examples and can afford b labels; which b?

Example:
  >>> import jaxsel, numpy as np
  >>> pool = np.random.default_rng(0).normal(size=(100, 8))
  >>> len(jaxsel.select(pool, budget=5).indices)
  5
"""

import importlib
from typing import TYPE_CHECKING

from jaxsel.errors import UserError

if TYPE_CHECKING:
    from jaxsel.selection.api import Selection, select
    from jaxsel.selection.constraints import Constraints
    from jaxsel.selection.methods import METHODS
    from jaxsel.selection.sharded.mesh import pool_mesh

__all__ = ["METHODS", "Constraints", "Selection", "UserError", "pool_mesh", "select"]

# Where each lazy name lives: importing jaxsel must not pay for JAX.
_HOMES = {
    "Constraints": "jaxsel.selection.constraints",
    "METHODS": "jaxsel.selection.methods",
    "Selection": "jaxsel.selection.api",
    "pool_mesh": "jaxsel.selection.sharded.mesh",
    "select": "jaxsel.selection.api",
}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'jaxsel' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

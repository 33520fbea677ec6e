"""jaxsel: I have N unlabelled examples and can afford b labels; which b?

Example:
  >>> import jaxsel, numpy as np
  >>> pool = np.random.default_rng(0).normal(size=(100, 8))
  >>> len(jaxsel.select(pool, budget=5).indices)
  5

`select` takes features, as NumPy, JAX, torch, pandas, polars or Arrow hold them, and
`examine` says what is wrong with them. `open_source` reads a folder of images, a file
of features or a table, and `embed` makes features of images. `select_round`,
`export_round`, `import_round` and `backfill_round` are the verbs of the command line:
from a folder to the annotation queue, back, and on.
"""

import importlib
from typing import TYPE_CHECKING

from jaxsel.errors import InternalError, UserError

# pyproject.toml reads it from here.
__version__ = "0.1.0"

if TYPE_CHECKING:
    from jaxsel.doctor.examine import examine
    from jaxsel.selection.api import Selection, select
    from jaxsel.selection.constraints import Constraints
    from jaxsel.selection.methods import METHODS
    from jaxsel.selection.sharded.mesh import pool_mesh
    from jaxsel.sources.opening import open_source
    from jaxsel.streaming.api import select_from_disk
    from jaxsel.verbs.backfill import backfill_round
    from jaxsel.verbs.embed import Embedding, embed
    from jaxsel.verbs.export import export_round
    from jaxsel.verbs.importing import import_round
    from jaxsel.verbs.in_python import select_round

__all__ = [
    "METHODS",
    "Constraints",
    "Embedding",
    "InternalError",
    "Selection",
    "UserError",
    "backfill_round",
    "embed",
    "examine",
    "export_round",
    "import_round",
    "open_source",
    "pool_mesh",
    "select",
    "select_from_disk",
    "select_round",
]

# Where each lazy name lives: importing jaxsel must not pay for JAX.
_HOMES = {
    "Constraints": "jaxsel.selection.constraints",
    "Embedding": "jaxsel.verbs.embed",
    "METHODS": "jaxsel.selection.methods",
    "Selection": "jaxsel.selection.api",
    "backfill_round": "jaxsel.verbs.backfill",
    "embed": "jaxsel.verbs.embed",
    "examine": "jaxsel.doctor.examine",
    "export_round": "jaxsel.verbs.export",
    "import_round": "jaxsel.verbs.importing",
    "open_source": "jaxsel.sources.opening",
    "pool_mesh": "jaxsel.selection.sharded.mesh",
    "select": "jaxsel.selection.api",
    "select_from_disk": "jaxsel.streaming.api",
    "select_round": "jaxsel.verbs.in_python",
}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'jaxsel' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""Training on a selection: many runs, one compiled program."""

from jaxsel.training.flexmatch import FlexMatch
from jaxsel.training.frameworks import (
    FRAMEWORKS,
    REPLICATE_MODES,
    Framework,
    group_shape,
)
from jaxsel.training.linear_probe import LinearProbe
from jaxsel.training.simmatch import SimMatch
from jaxsel.training.supervised import Supervised
from jaxsel.training.task import Metrics, Task, check_indices

__all__ = [
    "FRAMEWORKS",
    "REPLICATE_MODES",
    "FlexMatch",
    "Framework",
    "LinearProbe",
    "Metrics",
    "SimMatch",
    "Supervised",
    "Task",
    "check_indices",
    "group_shape",
]

"""The kinds of figures: each a function of a figure and a folder that draws it."""

import pathlib
from collections.abc import Callable

from jaxsel.reproduce.figure import Figure, Product
from jaxsel.reproduce.kinds import (
    accuracy,
    correlation,
    extremes,
    frechet,
    norms,
    pruning,
    speed,
    table,
)

KINDS: dict[str, Callable[[Figure, pathlib.Path], Product]] = {
    "accuracy": accuracy.draw,
    "correlation": correlation.draw,
    "extremes": extremes.draw,
    "frechet": frechet.draw,
    "norms": norms.draw,
    "pruning": pruning.draw,
    "speed": speed.draw,
    "table": table.draw,
}

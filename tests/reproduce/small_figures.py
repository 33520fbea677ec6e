"""Figures of the digits' pixels that take seconds, of one study that they share."""

import pathlib
from typing import Any

from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure, Part
from tests.experiment.tiny_study import tiny

BEATS = Claim("norm", "norm beats random", "better", "norm")


def pixels(study: str = "digits-rgb", **grid: Any) -> Part:
    """A grid of the study; by default three methods at two budgets with three seeds."""
    plain = {
        "methods": ("random", "norm", "near", "far"),
        "budgets": (10, 20),
        "seeds": (0, 1, 2),
    }
    config = tiny(**{**plain, **grid})
    for label, delta in (("near", "0.3"), ("far", "0.75")):
        with config.ignore_type(), config.unlocked():
            config.selectors[label] = {"method": "probcover", "delta": delta}
    return Part(study, config)


def network(**grid: Any) -> Part:
    """The same with the features of a narrow untrained network."""
    part = pixels("digits-random", **grid)
    part.config.features.encoder = "random_resnet18"
    part.config.features.width = 4
    return part


def figure(kind: str, *parts: Part, claims=(BEATS,), **options: Any) -> Figure:
    """A figure of a kind."""
    return Figure("fig", "A figure", "Shown.", kind, parts, claims, options=options)


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}

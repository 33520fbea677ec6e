"""Studies behind figures: what a part asks for is run where it is missing, and read."""

import pathlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsel.data.folders import cache_root
from jaxsel.evaluation.rows import ResultRow, read_results
from jaxsel.experiment.grid import Run, grid_of, runs_of
from jaxsel.experiment.inputs import Inputs, read_inputs
from jaxsel.experiment.run import Finished, complete
from jaxsel.experiment.settings import Settings, check
from jaxsel.reproduce.figure import Part


class Done(NamedTuple):
    """A part with nothing missing.

    Attributes:
      part: what was asked for.
      study: settings, inputs, picks and manifest of the whole study.
      rows: results of the part's grid alone.
    """

    part: Part
    study: Finished
    rows: list[ResultRow]


def finish(parts: Iterable[Part], folder: pathlib.Path) -> list[Done]:
    """Runs what is missing of every part's study.

    Args:
      parts: of figures.
      folder: of the studies, one below it for every name.

    Returns:
      The parts, in order.

    Raises:
      UserError: as for `jaxsel.experiment.run.run`.
    """
    done = []
    for part in parts:
        workdir = folder / part.study
        study = complete(part.config, workdir)
        wanted = set(runs_of([grid_of(part.config.to_dict())]))
        rows = [
            row
            for row in read_results(workdir / "results.csv")
            if Run(row.framework, row.method, row.budget, row.seed) in wanted
        ]
        done.append(Done(part, study, rows))
    return done


def rows_of(done: Iterable[Done]) -> list[ResultRow]:
    """The results of several parts, each run once."""
    return list({row.key: row for each in done for row in each.rows}.values())


def inputs_of(part: Part) -> tuple[Settings, Inputs]:
    """Examples and features of a part's study, when nothing of it need be run."""
    settings = check(part.config)
    return settings, read_inputs(settings, cache_root(None))


def picks_of(done: Done, method: str, budget: int, seed: int) -> np.ndarray:
    """int64 `[m]`: what a method picked, as rows of the training set."""
    return np.array(done.study.picked[method, budget, seed]["indices"])


_OF_A_START = ("commit", "started", "ended", "seconds", "machine", "devices")


def facts_of(done: Sequence[Done]) -> dict[str, Any]:
    """What a figure's manifest says of its studies."""
    facts: dict[str, Any] = {}
    for each in done:
        manifest = each.study.manifest
        facts[each.part.study] = {
            "identity": manifest["identity"],
            "data": manifest["data"],
            "features": manifest["features"],
            "starts": [
                {name: start.get(name) for name in _OF_A_START}
                for start in manifest["starts"]
            ],
            "versions": manifest["starts"][-1]["versions"],
        }
    return facts

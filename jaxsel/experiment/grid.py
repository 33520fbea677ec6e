"""Grids: which methods, budgets, seeds and frameworks every start of a study asks for.

A study is the union of its starts' grids. So a start may ask for more seeds of one
framework, or for larger budgets of two methods, and nothing else is computed.
"""

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple


class Run(NamedTuple):
    """One training: a framework on what a method picked."""

    framework: str
    method: str
    budget: int
    seed: int


class Grid(NamedTuple):
    """Every combination of four lists."""

    methods: tuple[str, ...]
    budgets: tuple[int, ...]
    seeds: tuple[int, ...]
    frameworks: tuple[str, ...]

    def holds(self, other: "Grid") -> bool:
        """Whether every combination of another grid is one of this.

        Example:
          >>> wide = Grid(("random", "norm"), (10, 20), (0, 1), ("linear_probe",))
          >>> [wide.holds(wide._replace(seeds=seeds)) for seeds in ((1,), (2,))]
          [True, False]
        """
        pairs = zip(self, other, strict=True)
        return all(set(mine) >= set(theirs) for mine, theirs in pairs)


def grid_of(lists: dict[str, Any]) -> Grid:
    """The grid of a resolved config or of an entry of the manifest."""
    return Grid(*(tuple(lists[field]) for field in Grid._fields))


def joined(grids: Iterable[Grid], more: Grid) -> list[Grid]:
    """The grids with one more, which takes the place of those that it holds.

    Example:
      >>> one = Grid(("random",), (10,), (0,), ("linear_probe",))
      >>> two = one._replace(seeds=(0, 1))
      >>> joined([one], two) == [two], joined([two], one) == [two]
      (True, True)
    """
    grids = list(grids)
    if any(grid.holds(more) for grid in grids):
        return grids
    return [*(grid for grid in grids if not more.holds(grid)), more]


def runs_of(grids: Iterable[Grid]) -> list[Run]:
    """Every run of the grids once, seeds outermost within a framework, so that a part
    of them is already a comparison.

    Example:
      >>> grid = Grid(("random", "norm"), (20, 10), (0,), ("linear_probe",))
      >>> [(run.method, run.budget) for run in runs_of([grid])]
      [('random', 10), ('norm', 10), ('random', 20), ('norm', 20)]
    """
    return list(
        dict.fromkeys(
            Run(framework, method, budget, seed)
            for grid in grids
            for framework, seed, budget, method in product(
                grid.frameworks, grid.seeds, sorted(grid.budgets), grid.methods
            )
        )
    )


def selections_of(grids: Iterable[Grid]) -> dict[int, dict[str, list[int]]]:
    """By seed and method, the budgets that are to be picked, ascending.

    Example:
      >>> grid = Grid(("random",), (20, 10), (0,), ("linear_probe",))
      >>> selections_of([grid, grid._replace(budgets=(5,))])
      {0: {'random': [5, 10, 20]}}
    """
    wanted: dict[int, dict[str, list[int]]] = {}
    for run in runs_of(grids):
        budgets = wanted.setdefault(run.seed, {}).setdefault(run.method, [])
        if run.budget not in budgets:
            budgets.append(run.budget)
            budgets.sort()
    return wanted

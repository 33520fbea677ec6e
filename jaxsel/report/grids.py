"""The headline grid of a setting, methods by budgets, as Markdown or HTML fills it."""

from collections.abc import Iterable
from typing import NamedTuple

from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import (
    Estimate,
    PairedDifference,
    Setting,
    accuracy_cells,
    paired_differences,
)
from jaxsel.report.palette import in_order


class Grid(NamedTuple):
    """The accuracies of one setting and its comparisons with the baseline."""

    setting: Setting
    methods: list[str]
    budgets: list[int]
    accuracy: dict[tuple[str, int], Estimate]  # by (method, budget); gaps allowed
    differences: list[PairedDifference]  # by method in order, the pooled one last

    @property
    def common_n(self) -> int | None:
        """The number of seeds, when it is the same in every cell."""
        counts = {result.n for result in self.accuracy.values()}
        return counts.pop() if len(counts) == 1 else None

    def best(self, budget: int) -> str | None:
        """The method of the highest mean at a budget; None if tied or alone."""
        means = {
            method: self.accuracy[method, budget].mean
            for method in self.methods
            if (method, budget) in self.accuracy
        }
        top = [method for method in means if means[method] == max(means.values())]
        return top[0] if len(top) == 1 and len(means) > 1 else None


def grids(rows: Iterable[ResultRow], *, baseline: str = "random") -> list[Grid]:
    """The grid of every setting that the rows speak of.

    Args:
      rows: finished runs, each once.
      baseline: the method that the others are compared with.

    Returns:
      The grids, in the order in which their settings first appear.

    Raises:
      UserError: a run appears twice.
    """
    rows = list(rows)
    cells = accuracy_cells(rows)
    differences = paired_differences(rows, baseline=baseline)
    result = []
    for setting in dict.fromkeys(cell.setting for cell in cells):
        here = [cell for cell in cells if cell.setting == setting]
        methods = in_order(cell.method for cell in here)
        compared = [other for other in differences if other.setting == setting]
        result.append(
            Grid(
                setting,
                methods,
                sorted({cell.budget for cell in here}),
                {(cell.method, cell.budget): cell.accuracy for cell in here},
                sorted(compared, key=lambda other: methods.index(other.method)),
            )
        )
    return result


def caption(grid: Grid) -> str:
    """What the numbers of a grid are."""
    n = grid.common_n
    if n == 1:
        return "Test accuracy in %, one seed (n=1), so without a standard error."
    seeds = f"over {n} seeds" if n else "over the seeds finished (n in each cell)"
    return f"Test accuracy in %, mean ± standard error {seeds}."

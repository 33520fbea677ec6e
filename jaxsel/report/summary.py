"""`summary.md`: the accuracies and the paired differences, as tables and in words."""

from collections.abc import Callable, Iterable, Sequence

from jaxsel.evaluation.labels_worth import Worth, labels_worth
from jaxsel.evaluation.rows import ResultRow
from jaxsel.report.grids import Grid, caption, grids
from jaxsel.report.words import (
    interval,
    labels_cell,
    level,
    percent,
    points,
    sentence,
    setting_name,
    verdict,
)
from jaxsel.report.worth import NOTE, headline, worth_rows, worth_sentence

INTERVAL_NOTE = (
    "Differences are taken within each seed, in percentage points; “all” averages "
    "each seed over the budgets first. The intervals are Student's over the seeds, "
    "each for its own comparison, with no correction for their number."
)
BEST_NOTE = "Bold is the highest mean of a column, which need not be a resolved one."


def summary_markdown(
    rows: Iterable[ResultRow],
    *,
    baseline: str = "random",
    title: str | None = None,
    recommended: Callable[[int], str] | None = None,
) -> str:
    """The results as Markdown: one section per setting, its table, its comparisons.

    The last lines say what the labels are worth that the recommended method picked.

    Args:
      rows: finished runs, each once; may be few, or none yet.
      baseline: the method that the others are compared with.
      title: the heading; by default the data sets of the rows.
      recommended: the method that the default rule gives for a number of labels.

    Returns:
      The text of `summary.md`, ending in a newline.

    Raises:
      UserError: a run appears twice.

    >>> row = ResultRow("digits", "raw", "probe", "norm", 20, 0, 0.5, 9, 0.1, 1.0)
    >>> print(summary_markdown([row]).splitlines()[8])
    | norm   | 50.0 (n=1) |
    """
    rows = list(rows)
    sections = grids(rows, baseline=baseline)
    if title is None:
        title = "Results: " + ", ".join(sorted({row.dataset for row in rows}))
    if not sections:
        return "# Results\n\nNo run has finished yet.\n"
    settings = [grid.setting for grid in sections]
    blocks = [f"# {_plain(title)}"]
    worths = labels_worth(rows, baseline=baseline)
    repeated = []
    for grid in sections:
        here = [worth for worth in worths if worth.setting == grid.setting]
        name = setting_name(grid.setting, settings)
        blocks.append(f"## {_plain(name)}")
        if len({setting.features for setting in settings}) == 1:
            blocks.append(f"Selection sees: {_plain(grid.setting.features)} features.")
        blocks.append(_accuracy_table(grid))
        blocks.append(f"{caption(grid)} {BEST_NOTE if len(grid.methods) > 1 else ''}")
        blocks.extend(_comparisons(grid, baseline))
        blocks.extend(_worth(here, baseline))
        best = headline(here, recommended)
        if best is not None:
            repeated.append(f"**{_plain(name)}: {_plain(worth_sentence(best))}**")
    blocks.extend(repeated)
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def _accuracy_table(grid: Grid) -> str:
    """Methods by budgets."""
    with_n = grid.common_n is None
    header = ["labels", *(f"{budget:,}" for budget in grid.budgets)]
    body = []
    for method in grid.methods:
        cells = [_plain(method)]
        for budget in grid.budgets:
            result = grid.accuracy.get((method, budget))
            text = "–" if result is None else percent(result, with_n=with_n)
            cells.append(f"**{text}**" if grid.best(budget) == method else text)
        body.append(cells)
    return markdown_table(header, body)


def _comparisons(grid: Grid, baseline: str) -> list[str]:
    """The paired differences, tabulated and then said."""
    heading = f"### Paired differences to {_plain(baseline)}"
    if not grid.differences:
        missing = "no seed and budget that both have"
        if baseline not in grid.methods:
            missing = f"no finished run of {_plain(baseline)}"
        elif len(grid.methods) == 1:
            missing = "no finished run of another method"
        return [heading, f"None: there is {missing}."]
    coverage = f"{level(grid.differences[0])} interval"
    header = ["method", "labels", "points", coverage, "seeds", "verdict"]
    body = [
        [
            _plain(difference.method),
            labels_cell(difference.budgets),
            points(difference).split(" ±")[0],
            interval(difference),
            str(difference.n),
            verdict(difference),
        ]
        for difference in grid.differences
    ]
    # The pooled difference is each method's last and says the most.
    last = {each.method: each for each in grid.differences}
    said = "\n".join(f"- {_plain(sentence(each))}" for each in last.values())
    return [heading, markdown_table(header, body), INTERVAL_NOTE, said]


def _worth(found: Sequence[Worth], baseline: str) -> list[str]:
    """How many random labels the picked ones are worth."""
    if not found:
        return []
    header, body = worth_rows(found)
    table = markdown_table(header, [[_plain(m), *cells] for m, *cells in body])
    return [f"### Worth in labels of {_plain(baseline)}", table, NOTE]


def markdown_table(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    widths = [
        max(3, *(len(line[column]) for line in (header, *body)))
        for column in range(len(header))
    ]

    def line(cells: Sequence[str]) -> str:
        padded = [cells[0].ljust(widths[0])]
        padded += [
            cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(header), line(rule), *map(line, body)])


def _plain(text: str) -> str:
    r"""Text that Markdown shows as it is; underscores between letters are safe."""
    for special in "\\`*|<>[]":
        text = text.replace(special, "\\" + special)
    return " ".join(text.split())

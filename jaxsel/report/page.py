"""`report.html`: the whole outcome of a job on one page that needs no other file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from jaxsel.evaluation.labels_worth import labels_worth
from jaxsel.evaluation.picks import Pick
from jaxsel.evaluation.rows import ResultRow
from jaxsel.report.contact_sheet import contact_sheet, first_seed_picks, sheet_budget
from jaxsel.report.curves import accuracy_figure
from jaxsel.report.document import Part, document
from jaxsel.report.drawing import inline_svg
from jaxsel.report.grids import Grid, grids
from jaxsel.report.norms import norm_figure, norm_spread
from jaxsel.report.palette import in_order
from jaxsel.report.provenance import manifest_tables
from jaxsel.report.summary import INTERVAL_NOTE
from jaxsel.report.tables import accuracy_table, cost_table, difference_table
from jaxsel.report.words import sentence, setting_name
from jaxsel.report.worth import headline, worth_html, worth_sentence


class ReportInputs(NamedTuple):
    """All that the page may speak of; what is absent leaves its section out.

    Attributes:
      rows: finished runs, each once.
      manifest: what was run and on what, as `manifest.json` holds it.
      picks: rows of `selections.csv`.
      images: `images[pick.index]` is uint8 `[h, w]` or `[h, w, c]`: the pool, or a
        mapping with at least the chosen rows.
      class_names: the name of each label.
      feature_norms: by the name of the features, the norms `[n]` of the pool's rows,
        in the pool's order (`jaxsel.report.norms.row_norms`).
      baseline: the method that the others are compared with.
      budget: the budget of the contact sheet; by default the largest of at most 60.
      title: the heading; by default the data set's name.
      recommended: the method that the default rule gives for a number of labels.
    """

    rows: Sequence[ResultRow]
    manifest: Mapping[str, Any] = {}
    picks: Sequence[Pick] = ()
    images: Mapping[int, np.ndarray] | np.ndarray | None = None
    class_names: Sequence[str] = ()
    feature_norms: Mapping[str, np.ndarray] = {}
    baseline: str = "random"
    budget: int | None = None
    title: str | None = None
    recommended: Callable[[int], str] | None = None


def report_html(inputs: ReportInputs) -> str:
    """The report as one self-contained HTML document.

    Nothing in it is fetched: styles and drawings are inline, thumbnails are data
    URIs, and there is no script. All text that comes from outside is escaped.

    Args:
      inputs: the results and whatever else there is to show.

    Returns:
      The document's text.

    Raises:
      UserError: a run appears twice, or a chosen image is missing or malformed.

    >>> row = ResultRow("digits", "raw", "probe", "norm", 20, 0, 0.5, 9, 0.1, 1.0)
    >>> report_html(ReportInputs([row])).splitlines()[5]
    '<title>jaxsel: digits</title>'
    """
    sections = grids(inputs.rows, baseline=inputs.baseline)
    budget = inputs.budget
    if budget is None:
        budget = sheet_budget(inputs.picks)
    chosen = first_seed_picks(inputs.picks, budget) if budget is not None else {}

    parts = [
        Part("accuracy", "Accuracy", _accuracy(inputs, sections)),
        Part(
            "differences", f"Against {inputs.baseline}", _differences(inputs, sections)
        ),
        Part("worth", "What the labels are worth", _worth(inputs, sections)),
        Part("chosen", "What was chosen", _sheet(inputs, chosen, budget)),
        Part("norms", "Feature norms", _norms(inputs, chosen)),
        Part("classes", "Classes found, time spent", _costs(inputs, sections)),
        Part("run", "What was run, and on what", _manifest(inputs)),
    ]
    title = inputs.title or ", ".join(sorted({row.dataset for row in inputs.rows}))
    intro = f'<p class="lede">{_lede(inputs)}</p>'
    return document(title or "no results yet", intro, parts)


def _lede(inputs: ReportInputs) -> str:
    """How much was run, in a sentence."""
    rows = inputs.rows
    if not rows:
        return "No run has finished yet."
    counts = (
        (len({row.method for row in rows}), "method"),
        (len({row.budget for row in rows}), "budget"),
        (len({row.seed for row in rows}), "seed"),
        (len({row.framework for row in rows}), "framework"),
    )
    listed = ", ".join(f"{n} {noun}{'s' if n != 1 else ''}" for n, noun in counts)
    features = " and ".join(sorted({row.features for row in rows}))
    runs = f"{len(rows):,} finished run{'s' if len(rows) != 1 else ''}"
    return f"{runs}: {listed}. Selection sees: {escape(features)} features."


def _accuracy(inputs: ReportInputs, sections: Sequence[Grid]) -> str:
    """The curves, then the headline table of every setting."""
    if not sections:
        return ""
    chance = 1 / len(inputs.class_names) if len(inputs.class_names) > 1 else None
    guess = f" Chance is {100 * chance:.3g} %." if chance else ""
    best = [
        f"{setting_name(grid.setting, [grid.setting])}, {grid.budgets[-1]} labels: "
        f"{grid.best(grid.budgets[-1])}"
        for grid in sections
        if grid.best(grid.budgets[-1])
    ]
    description = "Test accuracy against the number of labels, a line a method."
    if best:
        description += f" Highest mean at the right end: {'; '.join(best)}."
    drawing = inline_svg(
        accuracy_figure(inputs.rows, chance=chance),
        name="curves",
        description=description + " The numbers are in the tables below.",
    )
    blocks = [
        f"<figure>{drawing}<figcaption>Mean over the seeds; bands are one standard "
        f"error to each side.{guess}</figcaption></figure>"
    ]
    for heading, grid in _headed(sections):
        blocks.append(heading + accuracy_table(grid))
    return "\n".join(blocks)


def _differences(inputs: ReportInputs, sections: Sequence[Grid]) -> str:
    """The paired differences, first in words over all budgets, then tabulated."""
    if not sections:
        return ""
    blocks = []
    for heading, grid in _headed(sections):
        if not grid.differences:
            blocks.append(
                f"{heading}<p>Nothing to compare: no seed and budget at which both "
                f"{escape(inputs.baseline)} and another method have finished.</p>"
            )
            continue
        # The pooled difference is each method's last and says the most.
        last = {each.method: each for each in grid.differences}
        said = "".join(f"<li>{escape(sentence(last[name]))}</li>" for name in last)
        blocks.append(
            f'{heading}<ul class="said">{said}</ul>{difference_table(grid.differences)}'
        )
    blocks.append(f'<p class="note">{INTERVAL_NOTE}</p>')
    return "\n".join(blocks)


def _worth(inputs: ReportInputs, sections: Sequence[Grid]) -> str:
    """How many random labels the picked ones are worth."""
    worths = labels_worth(inputs.rows, baseline=inputs.baseline)
    blocks = []
    for heading, grid in _headed(sections):
        here = [worth for worth in worths if worth.setting == grid.setting]
        if not here:
            continue
        best = headline(here, inputs.recommended)
        said = f"<p>{escape(worth_sentence(best))}</p>" if best else ""
        blocks.append(heading + said + worth_html(here))
    return "\n".join(blocks)


def _sheet(
    inputs: ReportInputs, chosen: Mapping[str, Sequence[Pick]], budget: int | None
) -> str:
    """The contact sheet."""
    if inputs.images is None or not chosen:
        return ""
    labels = f"{budget:,} label{'s' if budget != 1 else ''}"
    return (
        f"<p>The picks at {labels}, in pick order, each with its rank and label.</p>"
        f"{contact_sheet(chosen, inputs.images, inputs.class_names)}"
    )


def _norms(inputs: ReportInputs, chosen: Mapping[str, Sequence[Pick]]) -> str:
    """A histogram for each kind of features, with the picks of the contact sheet.

    The picks are drawn only when there is one kind of features: a row of
    `selections.csv` does not say which kind its method saw.
    """
    figures = []
    for place, (name, norms) in enumerate(inputs.feature_norms.items()):
        picked = {}
        if len(inputs.feature_norms) == 1:
            picked = {
                method: norms[[pick.index for pick in picks]]
                for method, picks in chosen.items()
            }
        description = (
            f"Histogram of the norms of {len(norms):,} {name} features: mean "
            f"{np.mean(norms):.3g}, from {np.min(norms):.3g} to {np.max(norms):.3g}."
        )
        means = [f"{method} {picked[method].mean():.3g}" for method in in_order(picked)]
        if means:
            description += f" Mean norm of the picks: {', '.join(means)}."
        drawing = inline_svg(
            norm_figure(norms, picked), name=f"norms-{place}", description=description
        )
        ticks = " Below: a tick a pick, the marker at their mean." if means else ""
        figures.append(
            f"<figure>{drawing}<figcaption>{escape(name)} features, "
            f"{len(norms):,} examples; norm sampling draws in proportion to the norm, "
            f"and the 99 % quantile is {norm_spread(norms):.3g} times the 1 % quantile."
            f"{ticks}</figcaption></figure>"
        )
    return "\n".join(figures)


def _costs(inputs: ReportInputs, sections: Sequence[Grid]) -> str:
    """Classes found and time spent."""
    ordered = in_order(row.method for row in inputs.rows)
    rows = sorted(inputs.rows, key=lambda row: ordered.index(row.method))
    return "\n".join(
        heading + cost_table(rows, grid.setting) for heading, grid in _headed(sections)
    )


def _manifest(inputs: ReportInputs) -> str:
    """Provenance."""
    return manifest_tables(inputs.manifest) if inputs.manifest else ""


def _headed(sections: Sequence[Grid]) -> Iterable[tuple[str, Grid]]:
    """Each grid with the heading that names its setting."""
    settings = [grid.setting for grid in sections]
    for grid in sections:
        yield f"<h3>{escape(setting_name(grid.setting, settings))}</h3>", grid

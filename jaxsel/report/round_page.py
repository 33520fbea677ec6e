"""A round's `report.html`: what was picked, what it stands for, and on what ground."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from jaxsel.evaluation.coverage import Coverage
from jaxsel.report.budget_curve import budget_figure, coverage_sentence, percent
from jaxsel.report.document import Part, document
from jaxsel.report.drawing import inline_svg
from jaxsel.report.norms import norm_figure, norm_spread
from jaxsel.report.pick_sheet import ShownPick, pick_sheet, pick_table, shown
from jaxsel.report.pool_map import NUMBERED, PoolMap, map_figure
from jaxsel.report.provenance import manifest_tables
from jaxsel.report.round_styles import ROUND_STYLES


class Remark(NamedTuple):
    """A finding about the features.

    Attributes:
      severity: "error", "warning" or "note".
      sentence: for people.
      names: of the first few rows concerned.
      total: of all rows concerned.
    """

    severity: str
    sentence: str
    names: Sequence[str] = ()
    total: int = 0


class RoundPage(NamedTuple):
    """All that the page speaks of; what is empty or `None` leaves its section out.

    Attributes:
      title: the heading.
      lede: what was picked and why, a sentence or two, plain text.
      noun: what a row of the pool is: "image", "row".
      method: its name.
      picks: by rank.
      coverage: of the usable picks.
      plane: the pool with the picks in it.
      norms: float `[n]`, of the rows as they came; NaN for rows that were left out.
      images: of the picks, by row; `None` for features.
      remarks: on the features.
      constraints: what the picks had to respect, by a short name.
      provenance: as `provenance.manifest_tables` takes it.
    """

    title: str
    lede: str
    noun: str
    method: str
    picks: Sequence[ShownPick]
    coverage: Coverage
    plane: PoolMap
    norms: np.ndarray
    images: Mapping[int, np.ndarray] | None = None
    remarks: Sequence[Remark] = ()
    constraints: Mapping[str, str] = {}
    provenance: Mapping[str, Any] = {}


def round_html(page: RoundPage) -> str:
    """The page as one self-contained HTML document, without a script.

    All text from outside is escaped, and the page's own policy forbids scripts and
    whatever would have to be fetched.

    Args:
      page: what to speak of.

    Returns:
      The document's text.

    Raises:
      UserError: the image of a pick is missing.
    """
    parts = [
        Part("picks", "The picks, in order", _picks(page)),
        Part("coverage", "Coverage against budget", _coverage(page)),
        Part("map", "The pool and the picks", _map(page)),
        Part("norms", "Feature norms", _norms(page)),
        Part("findings", "What the doctor found", _remarks(page.remarks)),
        Part("constraints", "Constraints", _constraints(page.constraints)),
        Part("provenance", "Where this comes from", _provenance(page.provenance)),
    ]
    parts = [part._replace(content=_tied(part.content)) for part in parts]
    intro = f'<p class="lede">{escape(page.lede)}</p>\n{_facts(page)}'
    return document(page.title, intro, parts, ROUND_STYLES)


def _facts(page: RoundPage) -> str:
    cover = page.coverage
    usable = sum(pick.state != "unusable" for pick in page.picks)
    bad = len(page.picks) - usable
    label = ("pick" if usable == 1 else "picks") + (f", {bad:,} unusable" * bool(bad))
    facts = [
        (f"{usable:,}", label),
        (f"{len(page.norms):,}", f"{page.noun}s in the pool"),
        (percent(cover.shares[-1]), "of the pool covered"),
        (percent(cover.random[:, -1].mean()), "by as many random picks"),
    ]
    cells = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>"
        for value, label in facts
    )
    return f'<dl class="facts">{cells}</dl>'


def _picks(page: RoundPage) -> str:
    if page.images is None:
        return pick_table(page.picks)
    words = (
        f"<p>Each with its rank and name. <em>For 12</em>: so many {page.noun}s of the "
        "pool have no nearer pick.</p>"
    )
    return words + pick_sheet(page.picks, page.images)


def _coverage(page: RoundPage) -> str:
    cover = page.coverage
    sentence = coverage_sentence(cover)
    drawing = inline_svg(
        budget_figure(cover, page.method),
        name="budget",
        description=f"Share of the pool covered, by number of labels. {sentence}",
    )
    cosine = 1 - cover.radius**2 / 2
    start = (
        " The curve begins with what earlier labels cover."
        if cover.shares[0] > 0
        else ""
    )
    return (
        f'<p class="headline">{escape(sentence)}</p>\n'
        f"<figure>{drawing}<figcaption>Covered: a pick is nearer than "
        f"{cover.radius:.3g} at length 1 (a cosine above {cosine:.2f}), "
        f"{escape(cover.rule)}.{start} Grey: the mean of {len(cover.random)} draws of "
        "random picks, and all of them within the band.</figcaption></figure>"
    ).replace("above -", "above −")


def _map(page: RoundPage) -> str:
    plane = page.plane
    drawing = inline_svg(
        map_figure(plane, page.method),
        name="plane",
        description=(
            f"The pool in a plane, {len(plane.pool):,} points, with "
            f"{len(plane.picks):,} picks over it."
        ),
    )
    drawn = (
        f"{len(plane.pool):,} of {len(page.norms):,} {page.noun}s, evenly spread"
        if len(plane.pool) < len(page.norms)
        else f"All {len(page.norms):,} {page.noun}s"
    )
    numbers = f"the first {NUMBERED}" if len(plane.picks) > NUMBERED else "the picks"
    return (
        f"<figure>{drawing}<figcaption>{drawn}, along the two directions in which they "
        f"differ most, which hold {percent(plane.share)} of the variance: what is far "
        "apart here is far apart, but neighbours here need not be alike. Numbers: the "
        f"ranks of {numbers}.</figcaption></figure>"
    )


def _norms(page: RoundPage) -> str:
    picked = {page.method: page.norms[[pick.index for pick in page.picks]]}
    norms = page.norms[np.isfinite(page.norms)]
    description = (
        f"Histogram of {len(norms):,} norms: mean {norms.mean():.3g}, from "
        f"{norms.min():.3g} to {norms.max():.3g}; mean of the picks "
        f"{picked[page.method].mean():.3g}."
    )
    drawing = inline_svg(
        norm_figure(norms, picked), name="norms", description=description
    )
    return (
        f"<figure>{drawing}<figcaption>Mean {norms.mean():.3g}, of the picks "
        f"{picked[page.method].mean():.3g}; the 99 % quantile is "
        f"{norm_spread(norms):.3g} times the 1 % quantile. Below: a tick a pick, the "
        "marker at their mean.</figcaption></figure>"
    )


def _remarks(remarks: Sequence[Remark]) -> str:
    if not remarks:
        return "<p>Nothing to remark.</p>"
    order = ("error", "warning", "note")
    items = []
    for remark in sorted(remarks, key=lambda remark: order.index(remark.severity)):
        names = ""
        if remark.names:
            listed = ", ".join(shown(name) for name in remark.names)
            more = remark.total - len(remark.names)
            listed += f" and {more:,} more" if more > 0 else ""
            names = f'<p class="names">{escape(listed)}</p>'
        items.append(
            f'<li><span class="severity {remark.severity}">{remark.severity}</span>'
            f"<div><p>{escape(remark.sentence)}</p>{names}</div></li>"
        )
    return f'<ul class="remarks">{"".join(items)}</ul>'


def _constraints(constraints: Mapping[str, str]) -> str:
    if not constraints:
        return ""
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>"
        for name, text in constraints.items()
    )
    return f'<dl class="rules">{rows}</dl>'


def _provenance(provenance: Mapping[str, Any]) -> str:
    return manifest_tables(provenance) if provenance else ""


def _tied(text: str) -> str:
    """HTML in which a number and its per cent sign stay on one line."""
    return re.sub(r"(?<=\d) %", "&nbsp;%", text)

"""Accuracy against the number of labels: most of the paper's figures."""

import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxsel.evaluation.claims import verdicts
from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import (
    Setting,
    accuracy_cells,
    paired_differences,
    setting_of,
)
from jaxsel.experiment.pools import pool_size
from jaxsel.report.cover import Covered, cover_figure
from jaxsel.report.curves import accuracy_figure
from jaxsel.report.words import sentence
from jaxsel.reproduce.figure import Figure, Product
from jaxsel.reproduce.studies import Done, facts_of, finish, rows_of


def draw(figure: Figure, workdir: pathlib.Path) -> Product:
    """Curves with standard errors, paired differences, verdicts.

    Options: `covered`, a label of ProbCover with a fixed delta: how much of the pool is
    covered after every pick is drawn as well. `whole`, names of studies whose one run
    on all labels is drawn as a line.

    Args:
      figure: its parts' runs are drawn together, a panel a setting.
      workdir: of all figures.

    Returns:
      What came out.
    """
    done = finish(figure.parts, workdir / "studies")
    whole = figure.options.get("whole", ())
    rows = rows_of(each for each in done if each.part.study not in whole)
    chance = chance_of(done)
    reference = _whole_data(rows, [each for each in done if each.part.study in whole])
    drawings = {"": accuracy_figure(rows, chance=chance, reference=reference)}
    tables: dict[str, Sequence[Mapping[str, Any]]] = {
        "": accuracy_table(rows),
        "differences": difference_table(rows),
        "runs": [row._asdict() for row in rows],
    }
    said = _differences(rows)
    for setting, accuracy in reference.items():
        said.append(
            f"With all labels of the pool: {100 * accuracy:.1f} % "
            f"({setting.dataset}, {setting.framework})."
        )
    label = figure.options.get("covered")
    if label:
        covered, lines, points = _covered(done, label)
        drawings["covered"] = cover_figure(covered)
        tables["covered"] = points
        said += lines
    return Product(
        drawings, tables, verdicts(figure.claims, rows, chance), said, facts_of(done)
    )


def _differences(rows: Sequence[ResultRow]) -> list[str]:
    """norm at the second smallest budget, whatever came out; then, averaged over the
    budgets, what is resolved, and how much is not.
    """
    single = [each for each in paired_differences(rows) if len(each.budgets) == 1]
    said = []
    for setting in dict.fromkeys(each.setting for each in single):
        norm = [e for e in single if e.setting == setting and e.method == "norm"]
        said += [_panel(rows, setting) + sentence(e) for e in norm[:2][-1:]]
    most = pooled(rows)
    resolved = [each for each in most if each.resolved]
    said += [_panel(rows, each.setting) + sentence(each) for each in resolved]
    if len(resolved) < len(most):
        said.append(
            f"{len(most) - len(resolved)} of {len(most)} differences to random, "
            "averaged over the budgets where there are several, are not resolved."
        )
    return list(dict.fromkeys(said))  # At a single budget the two may be one.


def chance_of(done: Iterable[Done]) -> dict[str, float]:
    """The accuracy of a guess, by data set."""
    return {
        str(each.part.config.data.name): 1 / each.study.inputs.n_classes
        for each in done
    }


def pooled(rows: Sequence[ResultRow], baseline: str = "random") -> list[Any]:
    """The difference of every method and setting that says most: over all budgets."""
    last = {
        (each.setting, each.method): each
        for each in paired_differences(rows, baseline=baseline)
    }
    return list(last.values())


def accuracy_table(rows: Iterable[ResultRow]) -> list[dict[str, Any]]:
    """What is drawn, a row a point."""
    return [
        {
            **cell.setting._asdict(),
            "method": cell.method,
            "budget": cell.budget,
            "accuracy": cell.accuracy.mean,
            "standard_error": cell.accuracy.standard_error,
            "seeds": cell.accuracy.n,
        }
        for cell in accuracy_cells(rows)
    ]


def difference_table(rows: Iterable[ResultRow]) -> list[dict[str, Any]]:
    """Paired differences to random; those over several budgets say so."""
    return [
        {
            **each.setting._asdict(),
            "method": each.method,
            "baseline": each.baseline,
            "budgets": " ".join(map(str, each.budgets)),
            "difference": each.mean,
            "low": each.low,
            "high": each.high,
            "seeds": each.n,
            "resolved": each.resolved,
        }
        for each in paired_differences(rows)
    ]


def _panel(rows: Sequence[ResultRow], setting: Setting) -> str:
    """Names a panel where there are several."""
    settings = list(dict.fromkeys(map(setting_of, rows)))
    if len(settings) == 1:
        return ""
    parts = [
        name
        for name, values in (
            (setting.dataset, {s.dataset for s in settings}),
            (f"{setting.features} features", {s.features for s in settings}),
            (setting.framework, {s.framework for s in settings}),
        )
        if len(values) > 1
    ]
    return f"{', '.join(parts)}: "


def _whole_data(
    rows: Sequence[ResultRow], done: Sequence[Done]
) -> dict[Setting, float]:
    """Accuracy with every label of the pool, for the settings that are drawn."""
    drawn = set(map(setting_of, rows))
    found: dict[Setting, list[float]] = {}
    for row in rows_of(done):
        if setting_of(row) in drawn:
            found.setdefault(setting_of(row), []).append(row.accuracy)
    return {setting: sum(values) / len(values) for setting, values in found.items()}


def _covered(
    done: Sequence[Done], label: str
) -> tuple[list[Covered], list[str], list[dict[str, Any]]]:
    """How the picks of a fixed delta cover the pool, study by study."""
    curves, lines, table = [], [], []
    for each in {part.part.study: part for part in done}.values():
        settings = each.study.settings
        entries = [e for e in each.study.picked.values() if e["method"] == label]
        if not entries:
            continue
        largest = max(entry["budget"] for entry in entries)
        entries = [entry for entry in entries if entry["budget"] == largest]
        n = len(each.study.inputs.train.ids)
        pool = pool_size(n, settings.resolved["data"]["holdout"])
        # A new round begins once nothing is left to cover, and counts from zero.
        shares = np.minimum(
            np.cumsum([entry["gains"] for entry in entries], axis=1) / pool, 1.0
        )
        needed = [int(np.argmax(row >= 1)) + 1 if row[-1] >= 1 else 0 for row in shares]
        curves.append(Covered(each.part.study, shares))
        delta = settings.selectors[label][1]["delta"]
        all_covered = [count for count in needed if count]
        lines.append(
            f"{each.part.study}, ProbCover with delta {delta:g}: "
            + (
                f"everything is covered after {_span(all_covered)} of {largest} picks "
                f"({len(all_covered)} of {len(needed)} seeds). A program that goes on "
                "with the row of largest remaining gain picks row 0 from there on."
                if all_covered
                else f"{largest} picks cover {100 * shares[:, -1].mean():.1f} % of the "
                "pool."
            )
        )
        table += [
            {
                "study": each.part.study,
                "seed": entry["seed"],
                "delta": delta,
                "budget": largest,
                "first_pick_covers": float(row[0]),
                "covered": float(row[-1]),
                "picks_until_all_covered": count or "",
            }
            for entry, row, count in zip(entries, shares, needed, strict=True)
        ]
    return curves, lines, table


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"

"""The report stage: table, picture and page out of the files of a workdir."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsel.evaluation.picks import Pick, read_picks
from jaxsel.evaluation.rows import read_results
from jaxsel.experiment.inputs import Inputs
from jaxsel.experiment.settings import Settings
from jaxsel.files import replacing, write_text
from jaxsel.report.contact_sheet import (
    MOST_A_METHOD,
    first_seed_picks,
    sheet_budget,
)
from jaxsel.report.curves import accuracy_figure
from jaxsel.report.drawing import png_bytes
from jaxsel.report.norms import row_norms
from jaxsel.report.page import ReportInputs, report_html
from jaxsel.report.summary import summary_markdown
from jaxsel.selection.choice import default_method


def write_report(
    workdir: pathlib.Path,
    settings: Settings,
    inputs: Inputs,
    manifest: dict[str, Any],
) -> str:
    """Writes `summary.md`, `accuracy.png` and `report.html`.

    Args:
      workdir: holds `results.csv` and `selections.csv`.
      settings: the checked config.
      inputs: images and features.
      manifest: as in `manifest.json`.

    Returns:
      The summary's text.
    """
    rows = read_results(workdir / "results.csv")
    title = f"{settings.name}, {settings.resolved['features']['encoder']} features"

    def recommended(budget: int) -> str:
        pool = len(inputs.train_features.rows)
        return default_method(budget, pool, learned=True).method

    summary = summary_markdown(rows, title=title, recommended=recommended)
    write_text(workdir / "summary.md", summary)
    with replacing(workdir / "accuracy.png") as part:
        part.write_bytes(png_bytes(accuracy_figure(rows, chance=1 / inputs.n_classes)))
    picks = [p for p in read_picks(workdir / "selections.csv") if p.rank >= 0]
    page = report_html(
        ReportInputs(
            rows=rows,
            manifest=manifest,
            picks=picks,
            images=_sheet_images(inputs, picks),
            class_names=inputs.train.class_names,
            feature_norms={
                settings.resolved["features"]["encoder"]: row_norms(
                    inputs.train_features.rows
                )
            },
            title=title,
            recommended=recommended,
        )
    )
    write_text(workdir / "report.html", page)
    return summary


def _sheet_images(
    inputs: Inputs, picks: list[Pick]
) -> np.ndarray | Mapping[int, np.ndarray]:
    """The images of the contact sheet; of a streamed set only those that it shows."""
    if inputs.train.images is not None:
        return inputs.train.images
    budget = sheet_budget(picks)
    if budget is None:
        return {}
    shown = {
        pick.index
        for chosen in first_seed_picks(picks, budget).values()
        for pick in chosen[:MOST_A_METHOD]
    }
    rows = np.array(sorted(shown))
    return dict(zip(rows.tolist(), inputs.train.take(rows), strict=True))

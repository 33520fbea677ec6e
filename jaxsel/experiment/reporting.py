"""The report stage: table, picture and page out of the files of a workdir."""

import pathlib
from typing import Any

from jaxsel.evaluation.picks import read_picks
from jaxsel.evaluation.rows import read_results
from jaxsel.experiment.inputs import Inputs
from jaxsel.experiment.settings import Settings
from jaxsel.files import replacing, write_text
from jaxsel.report.curves import accuracy_figure
from jaxsel.report.drawing import png_bytes
from jaxsel.report.norms import row_norms
from jaxsel.report.page import ReportInputs, report_html
from jaxsel.report.summary import summary_markdown


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
    summary = summary_markdown(rows, title=title)
    write_text(workdir / "summary.md", summary)
    with replacing(workdir / "accuracy.png") as part:
        part.write_bytes(png_bytes(accuracy_figure(rows, chance=1 / inputs.n_classes)))
    picks = read_picks(workdir / "selections.csv")
    page = report_html(
        ReportInputs(
            rows=rows,
            manifest=manifest,
            picks=[pick for pick in picks if pick.rank >= 0],
            images=inputs.train.images,
            class_names=inputs.train.class_names,
            feature_norms={
                settings.resolved["features"]["encoder"]: row_norms(
                    inputs.train_features.rows
                )
            },
            title=title,
        )
    )
    write_text(workdir / "report.html", page)
    return summary

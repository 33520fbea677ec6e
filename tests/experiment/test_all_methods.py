"""Every selection method goes through the main job, from images to a report."""

import pathlib

import pytest
from tiny_study import tiny

from jaxsel.evaluation.rows import read_results
from jaxsel.experiment import run as job
from jaxsel.selection.coverage import CoverageWarning
from jaxsel.selection.methods import METHODS


@pytest.mark.slow
@pytest.mark.filterwarnings(f"ignore::{CoverageWarning.__module__}.CoverageWarning")
def test_all_methods_in_one_study(tmp_path: pathlib.Path) -> None:
    config = tiny(methods=tuple(METHODS), budgets=(5,), seeds=(0,))
    summary = job.run(config, tmp_path)
    rows = read_results(tmp_path / "results.csv")
    assert {row.method for row in rows} == set(METHODS)
    assert all(method in summary for method in METHODS)
    page = (tmp_path / "report.html").read_text()
    assert all(method in page for method in METHODS)

"""A data set that is streamed walks the same road as one in memory."""

import pathlib

import pytest

from configs import digits
from jaxsel.data.catalog import DATASETS
from jaxsel.evaluation.picks import read_picks
from jaxsel.evaluation.rows import read_results
from jaxsel.experiment.run import run
from jaxsel.experiment.splits import read_split


@pytest.mark.slow
def test_a_streamed_set_runs_to_a_report(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATASETS, "digits", DATASETS["digits"]._replace(streamed=True))
    config = digits.get_config("smoke")
    config.data.image_size = 8
    config.features.encoder = "rgb"
    config.methods = ("random", "norm")
    config.budgets = (10,)
    config.supervised.width = 2
    config.supervised.epochs = 1
    config.selectors.norm.input_norms = True
    config.replicates.supervised_chunk = 2
    assert read_split(config.data.to_dict(), "train").images is None

    run(config, tmp_path)

    rows = read_results(tmp_path / "results.csv")
    assert len(rows) == 2 * 2 * 2
    assert len(read_picks(tmp_path / "selections.csv")) == 2 * 2 * 10
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2 * 10

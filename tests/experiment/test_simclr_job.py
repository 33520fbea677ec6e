"""The main job with an encoder that it trains first."""

import json
import pathlib

import numpy as np
import pytest
from tiny_study import tiny

from jaxsel.errors import UserError
from jaxsel.evaluation.rows import read_results
from jaxsel.experiment import pretraining as stage
from jaxsel.experiment import run as job
from jaxsel.experiment.featuring import make_features
from jaxsel.experiment.settings import check


def config(**training: object):
    study = tiny(budgets=(10,), seeds=(0,))
    study.features.encoder = "simclr"
    study.features.width = 2
    study.simclr.epochs = 1
    study.simclr.flip = False
    study.simclr.knn_queries = 50
    study.simclr.update(training)
    return study


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
def test_train_encode_select_probe(
    tmp_path: pathlib.Path, own_cache: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.run(config(), tmp_path / "first")
    rows = read_results(tmp_path / "first" / "results.csv")
    assert {(row.features, row.method) for row in rows} == {
        ("simclr", "random"),
        ("simclr", "norm"),
    }
    (folder,) = (own_cache / "encoders").glob("simclr-digits-*")
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    assert 0 <= json.loads(lines[-1])["knn_accuracy"] <= 1
    stated = json.loads((tmp_path / "first" / "manifest.json").read_text())
    weights = json.loads((folder / "manifest.json").read_text())["sha256"]
    assert stated["identity"]["features"]["weights"] == weights

    # The feature stage alone finds what the study made, and the other way round.
    monkeypatch.setattr("jaxsel.pretraining.pretrain._train", None)
    assert "by simclr" in make_features(config())
    # Another training is refused before it starts.
    with pytest.raises(UserError, match=r"simclr\.epochs = 1 .* found 2"):
        job.run(config(epochs=2), tmp_path / "first")


def test_streamed_images_and_mistakes_are_refused_by_the_check() -> None:
    study = config()
    study.data.name = "imagenet2012"
    with pytest.raises(UserError, match=r"fits in memory .* imagenet2012"):
        check(study)
    with pytest.raises(UserError, match=r"config\.simclr\.temperature above 0"):
        check(config(temperature=0.0))


def test_samples_are_spread_over_the_split() -> None:
    class Ten:
        images = np.arange(10)
        labels = np.arange(10)

    assert stage._first(Ten, 4)[0].tolist() == [0, 3, 6, 9]
    assert len(stage._first(Ten, 0)[0]) == 10

"""Every encoder and every selection method go through the main job together."""

import functools
import pathlib

import numpy as np
import pytest
from tiny_dino import TINY, safetensors, tensors_of_dino
from tiny_inception import TINY as TINY_INCEPTION
from tiny_inception import tensors_of_inception
from tiny_study import tiny

from jaxsel.evaluation.rows import read_results
from jaxsel.experiment import run as job
from jaxsel.features import encoders
from jaxsel.features.dino import dino_vits16, random_vits16
from jaxsel.features.encoders import ENCODERS
from jaxsel.features.inception import inception_fid
from jaxsel.selection.coverage import CoverageWarning
from jaxsel.selection.methods import METHODS

# Random weights of the small networks.
OWN_WEIGHTS = {"dino_vits16": tensors_of_dino, "inception_fid": tensors_of_inception}


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.filterwarnings(f"ignore::{CoverageWarning.__module__}.CoverageWarning")
def test_all_methods_in_one_study(
    encoder: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {dino_vits16: TINY, random_vits16: TINY, inception_fid: TINY_INCEPTION}
    for kind, network in small.items():
        made = functools.partial(kind, network=network)
        monkeypatch.setattr(encoders, kind.__name__, made)
    config = tiny(methods=tuple(METHODS), budgets=(5,), seeds=(0,))
    config.features.encoder = encoder
    config.features.width = 2
    config.simclr.epochs = 1
    config.simclr.knn_queries = 50
    if encoder == "file":
        for name, path in own_features(tmp_path).items():
            config.features[name] = str(path)
    if encoder in OWN_WEIGHTS:
        path = tmp_path / "small.safetensors"
        path.write_bytes(safetensors(OWN_WEIGHTS[encoder]()))
        config.features.weights = str(path)
    summary = job.run(config, tmp_path / "study")
    rows = read_results(tmp_path / "study" / "results.csv")
    assert {(row.features, row.method) for row in rows} == {
        (encoder, method) for method in METHODS
    }
    assert all(method in summary for method in METHODS)
    page = (tmp_path / "study" / "report.html").read_text()
    assert all(method in page for method in METHODS)


def own_features(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """Rows for the digits, by row number."""
    rng = np.random.default_rng(0)
    found = {}
    for name, n in (("path", 1297), ("test_path", 500)):
        found[name] = folder / f"{name}.npy"
        np.save(found[name], rng.normal(size=(n, 12)).astype(np.float32))
    return found

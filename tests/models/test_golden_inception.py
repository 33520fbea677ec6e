"""The Inception of the Fréchet distance against numbers from the PyTorch reference."""

import jax
import numpy as np
import pytest

from jaxsel.features.inception_weights import tree_from_inception
from jaxsel.models.inception import Inception, resized
from tests.models import torch_weights as torch

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not torch.GOLDEN.exists(), reason="no ../shared folder"),
]

NAME = "c08_inception_fid"
LIMIT = 5e-6
INPUTS = ("rand32", "smooth64x48")


@pytest.fixture(scope="module")
def golden():
    return np.load(torch.GOLDEN / f"{NAME}.npz")


@pytest.fixture(scope="module")
def variables():
    return tree_from_inception(torch.stated_parameters(NAME), Inception())


def error(found, expected) -> float:
    return float(np.abs(np.asarray(found) - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("name", INPUTS)
def test_averages_on_the_way(golden, variables, name) -> None:
    found = jax.jit(Inception().pools)(*variables, golden[f"{name}_images"])
    for pool, rows in found._asdict().items():
        assert error(rows, golden[f"{name}_{pool}"]) < LIMIT
        assert error(rows, golden[f"{name}_{pool}_f64"]) < LIMIT


@pytest.mark.parametrize("name", INPUTS)
def test_the_images_it_takes(golden, name) -> None:
    found = np.asarray(resized(golden[f"{name}_images"]))
    first = found[0].transpose(2, 0, 1)
    corner, centre = first[:, :24, :24], first[:, 145:153, 145:153]
    assert error(corner, golden[f"{name}_resized_corner_f64"]) < LIMIT
    assert error(centre, golden[f"{name}_resized_center_f64"]) < LIMIT
    means = found.mean((1, 2, 3), dtype=np.float64)
    assert np.abs(means - golden[f"{name}_resized_mean_f64"]).max() < 1e-6

"""Features of real digits are as good as such pixels are known to be."""

import pathlib

from benchmarks import encoders
from configs import digits
from jaxsel.experiment.settings import check
from jaxsel.experiment.splits import read_split


def test_pixels_of_digits_by_neighbours_and_a_linear_probe(
    tmp_path: pathlib.Path,
) -> None:
    config = digits.get_config("smoke")
    config.features.encoder = "rgb"
    settings = check(config)
    splits = [read_split(settings.resolved["data"], name) for name in ("train", "test")]
    found = encoders.measure(settings, *splits, tmp_path)
    assert 88 < found["knn"] < 99
    assert 88 < found["linear"] < 99
    assert found["dimension"] == 192

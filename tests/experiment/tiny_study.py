"""A config smaller than `:smoke`, and the part of a table that repeats."""

import pathlib

from ml_collections import ConfigDict

from configs import digits


def tiny(**changes: object) -> ConfigDict:
    """Digits, raw pixels, the linear probe: seconds, most of them compilation."""
    config = digits.get_config("smoke")
    config.methods = ("random", "norm")
    config.features.encoder = "rgb"
    config.frameworks = ("linear_probe",)
    config.linear_probe.epochs = 3
    config.replicates.linear_probe_chunk = 2
    config.supervised.epochs = 2
    config.supervised.width = 4
    with config.ignore_type():
        config.update(changes)
    return config


def without_seconds(workdir: pathlib.Path) -> list[str]:
    """The rows of `results.csv` without its last two columns, the times."""
    lines = (workdir / "results.csv").read_text().splitlines()
    return [line.rsplit(",", 2)[0] for line in lines]

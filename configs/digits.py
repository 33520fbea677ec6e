"""The demo: 1,797 real 8×8 images of digits that come with scikit-learn.

    python -m jaxsel.main --config configs/digits.py

Six methods pick 10 to 160 digits by their pixels, a linear probe is trained on what
each picked, 20 times over: enough to say how many random labels the picked ones are
worth. No network, about two minutes on two cores.
`:networks` also trains networks from scratch, on random-initialised features, with the
paper's seven methods and 3 seeds; the network is an eighth as wide as the paper's.
`:paper` has the paper's budgets and epochs on a network of a quarter the width.
`:choosing`: every single method at 10 to 400 labels, linear probes on the pixels, 20
seeds: what docs/choosing.md rests on.
`:semi_quick`: framework (iii), FlexMatch and SimMatch, on a tiny network.
"""

from ml_collections import ConfigDict

from configs import common
from jaxsel.selection.methods import METHODS


def get_config(variant: str = "") -> ConfigDict:
    common.check_variant(
        variant, ("networks", "paper", "choosing", "semi_quick", "quick", "smoke")
    )
    config = common.base("digits", variant, classes=10)
    common.random_features(config)
    half = (0.5, 0.5, 0.5)
    config.features.mean = config.features.std = half
    config.features.width = 16
    config.supervised.mean = config.supervised.std = half
    # A mirrored digit is another sign, and 4 of 8 pixels are half the image.
    config.supervised.flip = False
    config.supervised.pad = 1
    for section in (config.flexmatch, config.simmatch):
        section.mean = section.std = half
        section.flip, section.pad = False, 1
    if variant == "semi_quick":
        common.semi(config, variant)
        for section in (config.flexmatch, config.simmatch):
            section.operations = 1  # Three leave little of 64 pixels.
            section.iterations, section.eval_every = 800, 100
            section.unlabelled_ratio = 3
        return config
    if variant == "paper":
        config.supervised.width = 16
        return config
    if variant in ("", "choosing"):
        config.features.encoder = "rgb"
        config.frameworks = ("linear_probe",)
        config.seeds = tuple(range(20))
        if variant == "choosing":
            config.methods = tuple(name for name in METHODS if "+" not in name)
            config.budgets = (10, 20, 50, 100, 200, 400)
            return config
        config.methods = (
            *("random", "norm", "gram_schmidt"),
            *("probcover", "typiclust", "max_herding"),
        )
        # Random needs four times the labels of the comparison that is to be repeated.
        config.budgets = (10, 20, 40, 80, 160)
        return config
    config.budgets = (10, 20, 40)
    config.supervised.width = 8
    config.supervised.epochs = 40
    config.supervised.learning_rate = 0.1
    if variant == "quick":
        config.budgets = (10, 40)
    if variant == "smoke":
        common.smoke(config)
    return config

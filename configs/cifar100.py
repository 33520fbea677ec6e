"""CIFAR-100 with the paper's protocol: budgets 100 to 600, 3 seeds.

    python -m jaxsel.main --config configs/cifar100.py

Made for a GPU, not run on one yet: time and accuracy are still to be measured.
The features are SimCLR's, trained first. `:random_features`, `:quick`, `:smoke` and the
`:semi` variants as for CIFAR-10.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(variant: str = "") -> ConfigDict:
    common.check_variant(variant, ("random_features", *common.SEMI, "quick", "smoke"))
    config = common.base("cifar100", variant, classes=100)
    # Training normalises with CIFAR-10's statistics, as the reference does; the
    # features have SimCLR's for CIFAR-100.
    config.features.mean = common.SIMCLR_CIFAR100_MEAN
    config.features.std = common.SIMCLR_CIFAR100_STD
    for section in (config.flexmatch, config.simmatch):
        section.mean = (129.3 / 255, 124.1 / 255, 112.4 / 255)
        section.std = (68.2 / 255, 65.4 / 255, 70.4 / 255)
    if variant in common.SEMI:
        common.semi(config, variant)
    if variant == "random_features":
        common.random_features(config)
    if variant == "quick":
        common.quick(config)
    if variant == "smoke":
        common.smoke(config)
    return config

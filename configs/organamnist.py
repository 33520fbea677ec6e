"""OrganAMNIST (abdominal CT, 11 organs) with the paper's protocol: budgets 11 to 66.

    python -m jaxsel.main --config configs/organamnist.py

Made for a GPU, not run on one yet: time and accuracy are still to be measured.
The features are SimCLR's, trained first. `:random_features`, `:quick` and `:smoke` as
for CIFAR-10. The grey images are repeated to three channels; tested on the official
test split.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(variant: str = "") -> ConfigDict:
    common.check_variant(variant, ("random_features", "quick", "smoke"))
    config = common.base("organamnist", variant, classes=11)
    half = (0.5, 0.5, 0.5)
    config.features.mean = config.features.std = half
    for section in (config.supervised, config.flexmatch, config.simmatch):
        section.mean = section.std = half
    if variant == "random_features":
        common.random_features(config)
    if variant == "quick":
        common.quick(config)
    if variant == "smoke":
        common.smoke(config)
    return config

"""The demo: 1,797 real 8×8 images of digits that come with scikit-learn.

    python -m jaxsel.main --config configs/digits.py

The paper's protocol at the size of the images: budgets 10 to 60, 3 seeds, frameworks
(i) and (ii), random-initialised features, all stages, no network.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(variant: str = "") -> ConfigDict:
    common.check_variant(variant, ("quick", "smoke"))
    config = common.base("digits", variant, classes=10)
    half = (0.5, 0.5, 0.5)
    config.features.mean = config.features.std = half
    config.features.width = 16
    config.supervised.mean = config.supervised.std = half
    config.supervised.width = 16
    # A mirrored digit is another sign, and 4 of 8 pixels are half the image.
    config.supervised.flip = False
    config.supervised.pad = 1
    if variant == "quick":
        config.budgets = (10, 30, 60)
    if variant == "smoke":
        common.smoke(config)
    return config

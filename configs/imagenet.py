"""ImageNet-1k with the paper's protocol: budgets 1,000 to 6,000, 100 epochs, batch 50.

    python -m jaxsel.main --config configs/imagenet.py

Needs ImageNet's two archives in tfds' manual folder, DINO's ViT-S/16 (fetched from its
hub, or `--config.features.weights=FILE.safetensors`), and a GPU. Images are streamed
from disk; only the picked ones are held in memory. Not run yet: time and accuracy are
still to be measured; `:smoke` too reads every training image once, for its features.
`:random_features`: those of an untrained ResNet-18, which `:quick` and `:smoke` have.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(variant: str = "") -> ConfigDict:
    common.check_variant(variant, ("random_features", "quick", "smoke"))
    config = common.base("imagenet", variant, classes=1000)
    config.data.name = "imagenet2012"
    config.data.holdout = 0.0
    config.features.encoder = "dino_vits16"
    config.features.mean = config.supervised.mean = common.IMAGENET_MEAN
    config.features.std = config.supervised.std = common.IMAGENET_STD
    config.features.stem = "reference"
    config.supervised.crop = "resized"
    config.supervised.epochs = 100
    config.supervised.batch_cap = 50
    if variant == "random_features":
        common.random_features(config)
    if variant == "quick":
        common.quick(config)
    if variant == "smoke":
        common.smoke(config)
    return config

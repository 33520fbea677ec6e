"""Tiny-ImageNet with the paper's protocol: budgets 200 to 1,200, 3 seeds.

    python -m jaxsel.main --config configs/tiny_imagenet.py

Made for a GPU, not run on one yet: time and accuracy are still to be measured.
The features are SimCLR's, trained first. `:random_features`, `:quick`, `:smoke` and the
`:semi` variants as for CIFAR-10. `:quick32` and `:semi_quick32`: on the images at 32
pixels a side (the data set tiny_imagenet32), for a CPU.

`:pretrained`: features of EfficientNet-Lite0, which was trained on ImageNet's labels.
All 200 classes here are ImageNet's, and so are the images: the network has seen the
answers, and what is measured on its features says nothing of data that are new to it.
"""

from ml_collections import ConfigDict

from configs import common

_SMALL = ("quick32", "semi_quick32")


def get_config(variant: str = "") -> ConfigDict:
    common.check_variant(
        variant,
        (*_SMALL, "pretrained", "random_features", *common.SEMI, "quick", "smoke"),
    )
    config = common.base("tiny_imagenet", variant, classes=200)
    config.data.holdout = 0.05
    # The reference normalises SimCLR's input with CIFAR-100's statistics.
    config.features.mean = common.SIMCLR_CIFAR100_MEAN
    config.features.std = common.SIMCLR_CIFAR100_STD
    config.features.stem = "tiny"
    config.supervised.mean = common.IMAGENET_MEAN
    config.supervised.std = common.IMAGENET_STD
    config.supervised.crop = "resized"
    for section in (config.flexmatch, config.simmatch):
        section.pad = 8  # An eighth of the side, as on smaller images.
    if variant in common.SEMI:
        common.semi(config, variant)
    if variant == "pretrained":
        common.pretrained(config)
    if variant == "random_features":
        common.random_features(config)
    if variant == "quick":
        common.quick(config)
    if variant == "smoke":
        common.smoke(config)
    if variant in _SMALL:
        _small(config, variant)
    return config


def _small(config: ConfigDict, variant: str) -> None:
    config.data.name = "tiny_imagenet32"
    config.features.stem = "cifar"
    if variant == "semi_quick32":
        common.semi(config, "semi_quick")
        for section in (config.flexmatch, config.simmatch):
            section.pad = 4
        return
    common.quick(config)
    config.methods = ("random", "norm", "gram_schmidt")
    config.budgets = (200, 400)
    config.supervised.epochs = 50

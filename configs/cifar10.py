"""CIFAR-10 with the paper's protocol: budgets 10 to 60, 3 seeds, frameworks (i), (ii).

    python -m jaxsel.main --config configs/cifar10.py
    python -m jaxsel.main --config configs/cifar10.py:quick

Default: ResNet-18 at full width, 200 epochs. Made for a GPU; on two CPU cores a run
takes minutes and the study a day (it can be killed and goes on where it was).
`:quick`: see `quick` below. `:smoke`: every stage, seconds a run.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(variant: str = "") -> ConfigDict:
    common.check_variant(variant, ("quick", "smoke"))
    config = common.base("cifar10", variant, classes=10)
    if variant == "quick":
        common.quick(config)
    if variant == "smoke":
        common.smoke(config)
    return config

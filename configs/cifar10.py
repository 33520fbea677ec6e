"""CIFAR-10 with the paper's protocol: budgets 10 to 60, 3 seeds, frameworks (i), (ii).

    python -m jaxsel.main --config configs/cifar10.py
    python -m jaxsel.main --config configs/cifar10.py:quick

Default: ResNet-18 at full width, 200 epochs; made for a GPU. On two CPU cores a
supervised run takes about five minutes (it can be killed and goes on where it was).

`:quick`: 3 budgets, a quarter of the width, 100 epochs. With the methods random, norm
and gram_schmidt, on two Xeon cores: 13 minutes, supervised accuracy at 50 labels
22.5 ± 1.2 % (random), 19.9 ± 1.0 (norm), 22.9 ± 1.1 (gram_schmidt), 3 seeds; see
benchmarks/results/cifar10_quick. `:smoke`: every stage, seconds a run.
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

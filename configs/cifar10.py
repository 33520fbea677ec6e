"""CIFAR-10 with the paper's protocol: budgets 10 to 60, 3 seeds, frameworks (i), (ii).

    python -m jaxsel.main --config configs/cifar10.py
    python -m jaxsel.main --config configs/cifar10.py:quick

Default: features of a ResNet-18 that is first trained with SimCLR for 500 epochs; then
runs of a ResNet-18 at full width, 200 epochs. Made for a GPU. (On two CPU cores a
supervised run took 7 and 10 minutes, and SimCLR would take days; all of it can be
killed and goes on where it was.) `:random_features`: the same on the features of an
untrained ResNet-18, the ablation of the paper's Fig. 4.

`:quick`: untrained features, 3 budgets, a quarter of the width, 100 epochs. With the
methods random, norm and gram_schmidt, on two Xeon cores: 13 minutes, supervised
accuracy at 50 labels 22.5 ± 1.2 % (random), 19.9 ± 1.0 (norm), 22.9 ± 1.1
(gram_schmidt), 3 seeds; see benchmarks/results/cifar10_quick. `:smoke`: every stage,
seconds a run.

`:cpu_simclr`: the paper's kind of features on two CPU cores: SimCLR on a network of a
quarter the width with max-pool, 10 epochs of all 50,000 images, both views as anchors,
in 55 minutes; 46.4 % by 100 nearest neighbours, untrained 31.1 %. Then a small study
with the linear probe on its features; see benchmarks/results/cifar10_cpu_simclr.

`:pretrained`: features of EfficientNet-Lite0, which has learned ImageNet's labels, on
images enlarged to 96 pixels; ready in minutes on a CPU. Nine of the ten classes are
ImageNet's too in one form or another, so this is no evidence for classes of a new kind.
The runs of framework (i) start from scratch as ever.

`:semi`: framework (iii), FlexMatch and SimMatch at the paper's size, days a run.
`:semi_gpu_hour`: WRN-28-2, 15,000 steps, two methods, one budget, 50 epochs of SimCLR;
not yet run on a GPU.
`:semi_quick`: the same with a tiny network and 300 steps, for a CPU.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(variant: str = "") -> ConfigDict:
    common.check_variant(
        variant,
        (
            "cpu_simclr",
            "pretrained",
            "random_features",
            *common.SEMI,
            "quick",
            "smoke",
        ),
    )
    config = common.base("cifar10", variant, classes=10)
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
    if variant == "cpu_simclr":
        _cpu_simclr(config)
    return config


def _cpu_simclr(config: ConfigDict) -> None:
    common.cpu_simclr(config)
    config.methods = ("random", "norm", "gram_schmidt")
    config.budgets = config.budgets[::2]
    config.frameworks = ("linear_probe",)

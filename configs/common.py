"""The fields that every experiment has, at the values of the paper's protocol.

Bar & Giryes, arXiv 2406.01086, section 4: frameworks (i) supervised and (ii) linear
probe, budgets b, 2b, … 6b for b classes, mean over 3 seeds; and framework (iii), the
semi-supervised FlexMatch and SimMatch, as variants.
"""

from ml_collections import ConfigDict

from jaxsel.errors import UserError
from jaxsel.pretraining.settings import default_section
from jaxsel.selection.methods import METHODS, method_options
from jaxsel.training.frameworks import FRAMEWORKS

CIFAR_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR_STD = (0.2470, 0.2435, 0.2616)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# SimCLR's own statistics, of the network that the features come from.
SIMCLR_CIFAR10_STD = (0.2023, 0.1994, 0.2010)
SIMCLR_CIFAR100_MEAN = (0.5071, 0.4867, 0.4408)
SIMCLR_CIFAR100_STD = (0.2675, 0.2565, 0.2761)

# The curves of the paper's Fig. 2 and 3.
PAPER_METHODS = (
    "random",
    "norm",
    "gram_schmidt",
    "typiclust",
    "typiclust+norm",
    "probcover",
    "probcover+norm",
)


def base(name: str, variant: str, classes: int) -> ConfigDict:
    """An experiment with the paper's protocol for a data set of `classes` classes."""
    config = ConfigDict()
    config.name = name
    config.variant = variant

    # Data: where it is (empty: $TFDS_DATA_DIR or ~/tensorflow_datasets), and the share
    # of the training set that is held out of the pool, as the reference does.
    config.data = ConfigDict()
    config.data.name = name
    config.data.dir = ""
    config.data.holdout = 0.1
    config.data.image_size = 224  # of a streamed set; others come as they are

    # Features: simclr, efficientnet_lite0 and dino_vits16 (both trained on ImageNet),
    # inception_fid, random_resnet18, random_vits16, rgb, or file (path: .npz, .parquet,
    # .npy, or a folder that `jaxsel features` wrote).
    config.features = ConfigDict()
    config.features.encoder = "simclr"
    config.features.seed = 0
    config.features.width = 64
    config.features.stem = "cifar"
    config.features.mean = CIFAR_MEAN
    config.features.std = SIMCLR_CIFAR10_STD
    config.features.weights = ""  # a file; empty for the encoder's own, downloaded once
    config.features.batch_size = 256
    config.features.dtype = "float32"  # of what is stored: float16, bfloat16 for half
    config.features.path = ""
    config.features.test_path = ""

    # How the encoder simclr is trained, besides the network above.
    config.simclr = ConfigDict(default_section())

    # Selection: labels to run; selectors[label] gives method and options.
    config.methods = PAPER_METHODS
    config.selectors = ConfigDict()
    for method in METHODS:
        options = {
            option: value
            for option, value in method_options(method).items()
            if value is not None
        }
        if "input_norms" in method_options(method):  # True: those of the pool's images
            options["input_norms"] = False
        if "norm_ord" in options:  # text, so that inf can be given on the command line
            options["norm_ord"] = str(options["norm_ord"])
        config.selectors[method] = ConfigDict({"method": method, **options})
    config.initial_pool = 0
    config.budgets = tuple(classes * i for i in range(1, 7))
    config.seeds = (0, 1, 2)

    # Training and evaluation.
    config.frameworks = ("supervised", "linear_probe")
    for framework, entry in FRAMEWORKS.items():
        config[framework] = ConfigDict(entry.settings()._asdict())
    config.supervised.mean = CIFAR_MEAN
    config.supervised.std = CIFAR_STD

    # Devices that share the rows of a pool, and the runs of a call: 0 for all of them.
    config.mesh = ConfigDict()
    config.mesh.pool = 0
    config.mesh.replicates = 0

    # Runs that share a compiled program and a call, 0 for as many as fit into memory
    # where they run side by side; fixed in plan.json for resumption. `together` of them
    # are side by side in the mode chunks.
    config.replicates = ConfigDict()
    config.replicates.mode = "auto"
    config.replicates.together = 8
    for framework in FRAMEWORKS:
        config.replicates[f"{framework}_chunk"] = 0
    return config


def check_variant(variant: str, known: tuple[str, ...]) -> None:
    """Refuses a word after the colon that the config does not know."""
    if variant not in ("", *known):
        raise UserError(
            "expected the config's variant to be one of "
            f"{', '.join(':' + k for k in known)} or nothing, found ':{variant}'"
        )


def smoke(config: ConfigDict) -> None:
    """Every stage in under a minute on two cores; the accuracies mean nothing."""
    random_features(config)
    config.features.width = 8
    config.methods = ("random", "norm", "gram_schmidt")
    config.budgets = config.budgets[:2]
    config.seeds = (0, 1)
    config.supervised.width = 4
    config.supervised.epochs = 2
    config.linear_probe.epochs = 20


def quick(config: ConfigDict) -> None:
    """A meaningful answer on a CPU: half of budgets and epochs, a quarter of width.

    Its features are those of an untrained network, for a trained one takes an hour.
    """
    random_features(config)
    config.features.width = 16
    config.budgets = config.budgets[::2]
    config.supervised.width = 16
    config.supervised.epochs = 100


def random_features(config: ConfigDict) -> None:
    """The ablation of Fig. 4: nothing is trained before anything is selected."""
    config.features.encoder = "random_resnet18"


def pretrained(config: ConfigDict) -> None:
    """Features of a network that has learned ImageNet's labels, at once on a CPU.

    Not the paper's: its features have seen no labels. Classes that are ImageNet's too
    look better by them than classes would that nobody has labelled.
    """
    config.features.encoder = "efficientnet_lite0"
    config.features.batch_size = 32


def cpu_simclr(config: ConfigDict) -> None:
    """SimCLR in an hour of two CPU cores: a narrow network, 10 epochs."""
    config.features.width = 16
    config.features.stem = "reference"
    config.simclr.epochs = 10
    config.simclr.batch_size = 256  # More steps in few epochs.
    config.simclr.symmetric = True  # Twice the anchors for the same images.
    config.simclr.log_steps = 13  # 15 lines an epoch of 195 steps.
    config.simclr.knn_epochs = 2
    config.simclr.knn_bank = 10_000
    config.simclr.knn_queries = 2_000


SEMI = ("semi", "semi_gpu_hour", "semi_quick")


def semi(config: ConfigDict, variant: str) -> None:
    """Framework (iii): the paper's, a study for a GPU and an hour, or one for a CPU.

    The paper's runs are a million steps of a WRN-28-10 each: days on one GPU. The
    smaller variants have a narrower network and few steps, and compare two methods.
    """
    config.frameworks = ("flexmatch", "simmatch")
    if variant == "semi":
        return
    config.methods = ("random", "norm")
    config.budgets = config.budgets[3:4]
    config.simclr.epochs = 50
    for framework in config.frameworks:
        section = config[framework]
        section.widen = 2
        section.iterations, section.eval_every = 15_000, 1500
        if variant == "semi_quick":
            section.depth, section.widen = 10, 1
            section.iterations, section.eval_every = 300, 150
            section.labelled_batch, section.unlabelled_ratio = 16, 2
            section.average_decay = 0.98
    if variant == "semi_quick":
        config.simmatch.first_steps = 50
        random_features(config)
        config.features.width = 16

"""Parts of the paper's figures: a study (data set, features, scale) and a grid of it.

Figures whose parts name the same study share its workdir, so that no selection and no
run of it is made twice. (Studies of other features have their own runs on what `random`
picks, though neither picks nor networks look at the features.)
"""

import importlib
from collections.abc import Iterable
from typing import Any

from ml_collections import ConfigDict

from configs import common
from jaxsel.data.catalog import DATASETS
from jaxsel.errors import UserError
from jaxsel.experiment.pools import pool_size
from jaxsel.reproduce.figure import SCALES, Part

# The data sets of the paper's main figures that a scale has the time for.
DATA = {
    "cpu": ("cifar10",),
    "gpu": ("cifar10", "cifar100", "tiny_imagenet"),
    "paper": ("cifar10", "cifar100", "tiny_imagenet", "imagenet"),
}
KNOWN = ("digits", "cifar10", "cifar100", "tiny_imagenet", "tiny_imagenet32")
KNOWN += ("organamnist", "imagenet")
FEATURES = ("learned", "random", "rgb", "dino")
# The framework of the ablations: networks, as in the paper, where there is a GPU.
ABLATION = {"cpu": "linear_probe", "gpu": "supervised", "paper": "supervised"}
# Rows of the pool where a CPU selects by raw pixels.
POOL_OF_PIXELS = 10_000
_MODULES = {"tiny_imagenet32": "tiny_imagenet"}

# Selectors of the ablations, by the labels that the figures give them.
VARIANTS: dict[str, dict[str, Any]] = {
    **{
        f"{method}_l{order}": {"method": method, "norm_ord": order}
        for method in ("norm", "gram_schmidt", "probcover+norm", "typiclust+norm")
        for order in ("1", "inf")
    },
    "norm_input": {"method": "norm", "input_norms": True},
    "norm_max": {"method": "norm", "deterministic": True},
    "gram_schmidt_max": {"method": "gram_schmidt", "deterministic": True},
    "probcover_75": {"method": "probcover", "delta": "0.75"},
}


def part(
    data: str,
    scale: str,
    framework: str,
    *,
    features: str = "learned",
    methods: Iterable[str] = common.PAPER_METHODS,
    multiples: Iterable[int] = (),
    budgets: Iterable[int] = (),
    seeds: int = 0,
    first_seed: int = 0,
    initial_pool: bool = False,
) -> Part:
    """A grid of one framework in one study.

    Args:
      data: one of `KNOWN`.
      scale: one of `SCALES`.
      framework: a name of `jaxsel.training.frameworks.FRAMEWORKS`.
      features: one of `FEATURES`; learned ones are the paper's for the data set.
      methods: labels.
      multiples: budgets as multiples of the number of classes; by default 1 to 6,
        and 1, 3, 6 for networks on a CPU.
      budgets: further budgets, as they are.
      seeds: how many; 0 for 10 linear probes, or 3 networks.
      first_seed: the first of them.
      initial_pool: whether a label a class is drawn uniformly first.

    Returns:
      The part.
    """
    if framework in ("flexmatch", "simmatch") and data in ("organamnist", "imagenet"):
        raise UserError(
            f"expected a data set with settings for {framework}, found {data}: take "
            "another one (--data)"
        )
    config = study(data, features, scale)
    classes = classes_of(config)
    probe = framework == "linear_probe"
    if not (multiples := tuple(multiples)) and not (budgets := tuple(budgets)):
        multiples = (1, 3, 6) if scale == "cpu" and not probe else range(1, 7)
    config.methods = tuple(methods)
    config.budgets = tuple(sorted({classes * m for m in multiples} | set(budgets)))
    count = seeds or (10 if probe else 3)
    config.seeds = tuple(range(first_seed, first_seed + count))
    config.frameworks = (framework,)
    name = f"{config.data.name}-{config.features.encoder}"
    if initial_pool:
        config.initial_pool = classes
        name += "-pool"
    return Part(name, config)


def each(
    data: tuple[str, ...], scale: str, framework: str, **grid: Any
) -> tuple[Part, ...]:
    """A part for every data set; those of the scale where none is given."""
    return tuple(part(name, scale, framework, **grid) for name in data or DATA[scale])


def only(data: tuple[str, ...]) -> str:
    """The data set of a figure that has one; CIFAR-10 where none is given."""
    if len(data) > 1:
        raise UserError(
            f"expected one data set for this figure, found {', '.join(data)}: draw it "
            "for each, in a --workdir of its own"
        )
    return data[0] if data else "cifar10"


def domains(
    features: tuple[str, ...],
    data: tuple[str, ...],
    scale: str,
    dino: str,
    multiples: Iterable[int] = (),
) -> tuple[Part, ...]:
    """Networks from scratch on what is picked by several kinds of features.

    DINO's are left out at the scale cpu where no weights are given.
    """
    return tuple(
        part(
            name,
            scale,
            "supervised",
            features=kind,
            methods=(*common.PAPER_METHODS, "probcover_75"),
            multiples=multiples,
        )
        for name in data or ("cifar10",)
        for kind in features
        if kind != "dino" or dino or scale != "cpu"
    )


def clouds(data: tuple[str, ...], scale: str) -> tuple[Part, ...]:
    """Random subsets: 500 each of 20 and 30 labels, 100 each of 200 and 300.

    Every size has seeds of its own, or the smaller sets would lie in the larger. At the
    scale cpu these are probes, and 60 networks on 30 labels stand beside them.
    """
    sizes = {20: (0, 500), 30: (500, 500), 200: (1000, 100), 300: (1100, 100)}
    grids = [(ABLATION[scale], size, *seeds) for size, seeds in sizes.items()]
    if scale == "cpu":
        grids.append(("supervised", 30, 0, 60))
    return tuple(
        part(
            name,
            scale,
            framework,
            methods=("random",),
            budgets=(size,),
            first_seed=first,
            seeds=seeds,
        )
        for name in data
        for framework, size, first, seeds in grids
    )


def whole(name: str, scale: str, framework: str) -> Part:
    """A run on every label of the pool, for a line to compare with.

    A network has batches of 100 then; the study is one of its own.
    """
    one = part(name, scale, framework, methods=("random",), seeds=1)
    config = one.config
    pool = pool_size(min(DATASETS[config.data.name].train.sizes), config.data.holdout)
    config.budgets = (pool,)
    config.supervised.batch_cap = 100
    if scale != "paper":
        config.supervised.epochs = 20
    return Part(f"{one.study}-whole", config)


def classes_of(config: ConfigDict) -> int:
    """Classes of a config's data set: the smallest budget of the paper's."""
    return config.budgets[0]


def study(data: str, features: str, scale: str) -> ConfigDict:
    """The config of a study at a scale, with the paper's grid.

    Args:
      data: one of `KNOWN`.
      features: one of `FEATURES`.
      scale: "paper" has the paper's protocol; "gpu" a fifth of SimCLR's epochs and
        semi-supervised runs of 15,000 steps of a WRN-28-2; "cpu" narrow networks and
        few epochs throughout.

    Returns:
      The config.

    Raises:
      UserError: an unknown name, or a data set that is out of a CPU's reach.
    """
    for what, name, known in (
        ("--data", data, KNOWN),
        ("features", features, FEATURES),
        ("--scale", scale, SCALES),
    ):
        if name not in known:
            raise UserError(
                f"expected {what} to be one of {', '.join(known)}, found {name!r}"
            )
    if scale == "cpu" and data == "imagenet":
        raise UserError("ImageNet needs --scale gpu or paper: see README")
    module = importlib.import_module(f"configs.{_MODULES.get(data, data)}")
    config = module.get_config("paper" if data == "digits" and scale != "cpu" else "")
    config.data.name = {"imagenet": "imagenet2012"}.get(data, data)
    if data == "tiny_imagenet32":
        config.features.stem = "cifar"
    if data not in ("organamnist", "imagenet"):
        _semi(config, module.get_config(_semi_variant(data, scale)))
    if scale == "cpu":
        _on_a_cpu(config, data)
    elif scale == "gpu":
        config.simclr.epochs = 100
    if features == "random":
        common.random_features(config)
    elif features != "learned":
        if scale == "cpu" and features == "rgb" and data != "digits":
            # Thousands of columns: coverage costs n² d.
            n = min(DATASETS[config.data.name].train.sizes)
            config.data.holdout = 1 - POOL_OF_PIXELS / n
        config.features.encoder = {"rgb": "rgb", "dino": "dino_vits16"}[features]
    for label, entry in VARIANTS.items():
        plain = dict(config.selectors[entry["method"]])
        config.selectors[label] = ConfigDict({**plain, **entry})
    return config


def _semi_variant(data: str, scale: str) -> str:
    if data == "digits":
        return "semi_quick"
    if scale == "cpu":
        return "semi_quick32" if data == "tiny_imagenet32" else "semi_quick"
    return "semi" if scale == "paper" else "semi_gpu_hour"


def _semi(config: ConfigDict, other: ConfigDict) -> None:
    config.flexmatch, config.simmatch = other.flexmatch, other.simmatch
    if config.data.name == "tiny_imagenet32":
        config.flexmatch.pad = config.simmatch.pad = 4


def _on_a_cpu(config: ConfigDict, data: str) -> None:
    """An hour of SimCLR, and ten seconds a supervised run."""
    if data == "digits":  # Their own config is small already.
        config.budgets = tuple(10 * i for i in range(1, 7))
        config.supervised.width = 4
        config.supervised.epochs = 20
        for section in (config.flexmatch, config.simmatch):
            section.iterations, section.eval_every = 200, 100
        return
    common.cpu_simclr(config)
    config.supervised.width = 8
    config.supervised.epochs = 60
    for section in (config.flexmatch, config.simmatch):
        section.iterations, section.eval_every = 100, 100
        section.unlabelled_ratio = 1

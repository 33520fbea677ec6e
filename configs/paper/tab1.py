"""Table 1: FlexMatch and SimMatch."""

from typing import Any

from configs.paper.parts import part
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure

METHODS = ("random", "norm", "probcover", "probcover+norm", "probcover+gs")
SETS = {"cpu": ("cifar10",), "gpu": ("cifar10",), "paper": ("cifar10", "cifar100")}
SEEDS = {"cpu": 3, "gpu": 3, "paper": 3}
# Accuracy in per cent, Table 1 of the paper.
_ROWS = {
    ("cifar10", "flexmatch"): (61.66, 63.84, 63.70, 65.51, 79.90),
    ("cifar10", "simmatch"): (38.03, 39.68, 54.68, 57.08, 76.02),
    ("cifar100", "flexmatch"): (17.81, 22.80, 35.68, 33.93, 40.04),
    ("cifar100", "simmatch"): (17.10, 22.30, 36.34, 34.56, 40.88),
}
PRINTED = {key: dict(zip(METHODS, row, strict=True)) for key, row in _ROWS.items()}


def topic(scale: str, name: str) -> str:
    """None at the scale cpu: a hundred steps bear on no claim of the abstract."""
    return "" if scale == "cpu" else name


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="tab1",
        title="Table 1: FlexMatch and SimMatch with one label a class on average",
        shows="""Semi-supervised training on what each method picks and all other images
        without labels. The paper (a million steps of a WRN-28-10): norm beats random,
        and Gram-Schmidt on top of ProbCover beats all. Smaller scales have a smaller
        network and few steps (a WRN-10-1 and 100 steps on a CPU), and their numbers are
        not comparable to the paper's.""",
        kind="table",
        parts=tuple(
            part(
                name,
                scale,
                framework,
                methods=METHODS,
                multiples=(1,),
                seeds=SEEDS[scale],
            )
            for name in data or SETS[scale]
            for framework in ("flexmatch", "simmatch")
        ),
        claims=(
            Claim(topic(scale, "versatile"), "norm beats random", "better", "norm"),
            Claim(
                topic(scale, "combination"),
                "ProbCover gains by norm",
                "better",
                "probcover+norm",
                "probcover",
                datasets=("cifar10",),
            ),
            Claim(
                topic(scale, "combination"),
                "ProbCover gains by Gram-Schmidt",
                "better",
                "probcover+gs",
                "probcover",
            ),
        ),
        minutes=MINUTES["tab1"],
        options={"printed": PRINTED},
    )

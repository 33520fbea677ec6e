"""Fig. 2: networks from scratch on what each method picks."""

from typing import Any

from configs.paper.parts import each
from configs.paper.said import BEST, COMBINED, MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="fig2",
        title="Fig. 2: fully supervised, accuracy against the number of labels",
        shows="""A ResNet-18 is trained from scratch on what each method picks. The
        paper: drawing by norm is well above random choice, Gram-Schmidt adds to it on
        CIFAR, and the norm on top of TypiClust and ProbCover is as good or better.""",
        kind="accuracy",
        parts=each(data, scale, "supervised"),
        claims=(
            Claim("norm", "norm beats random", "better", "norm"),
            Claim(
                "",
                "Gram-Schmidt beats norm",
                "better",
                "gram_schmidt",
                "norm",
                datasets=("cifar10", "cifar100"),
            ),
            *COMBINED,
            BEST,
        ),
        minutes=MINUTES["fig2"],
    )

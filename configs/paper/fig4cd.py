"""Fig. 4c,d: other norms for norm sampling and Gram-Schmidt."""

from typing import Any

from configs.paper.parts import ABLATION, each
from configs.paper.said import MANY, MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="fig4cd",
        title="Fig. 4c,d: l1, l2 and linf norms, and norms over those of the images",
        shows="""norm and Gram-Schmidt draw by the l1, l2 or linf norm (Gram-Schmidt
        projects by the Euclidean product throughout); norm_input divides a feature's
        norm by its image's. The paper: linf is good for norm sampling, l1 is better
        than l2 on CIFAR-10, Gram-Schmidt wants l2, and dividing by the input's norm
        does not matter. The paper trains networks; at the scale cpu it is the
        probe.""",
        kind="accuracy",
        parts=each(
            data,
            scale,
            ABLATION[scale],
            seeds=MANY if ABLATION[scale] == "linear_probe" else 0,
            methods=(
                "random",
                "norm",
                "norm_l1",
                "norm_linf",
                "norm_input",
                "gram_schmidt",
                "gram_schmidt_l1",
                "gram_schmidt_linf",
            ),
        ),
        claims=(
            Claim("", "norm with linf beats random", "better", "norm_linf"),
            Claim(
                "",
                "norm with l1 beats l2",
                "better",
                "norm_l1",
                "norm",
                datasets=("cifar10",),
            ),
            Claim("", "norm over input norm is alike", "alike", "norm_input", "norm"),
            Claim(
                "",
                "Gram-Schmidt is worse with l1",
                "worse",
                "gram_schmidt_l1",
                "gram_schmidt",
            ),
            Claim(
                "",
                "Gram-Schmidt is worse with linf",
                "worse",
                "gram_schmidt_linf",
                "gram_schmidt",
            ),
        ),
        minutes=MINUTES["fig4cd"],
    )

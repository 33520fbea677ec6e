"""Fig. 7: accuracy of random subsets against their mean feature norm."""

from typing import Any

from configs.paper.parts import clouds
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="fig7",
        title="Fig. 7: accuracy against the mean feature norm of random subsets",
        shows="""Uniformly drawn sets, 500 each of 20 and 30 labels and 100 each of 200
        and 300; accuracy against the mean norm of the set's features. The paper
        (networks): a low but consistent positive correlation. At the scale cpu the
        full number is of linear probes, beside a smaller one of networks.""",
        kind="correlation",
        parts=clouds(data or ("cifar10",), scale),
        claims=(
            Claim(
                "correlation", "accuracy rises with the mean norm", "better", "random"
            ),
        ),
        minutes=MINUTES["fig7"],
    )

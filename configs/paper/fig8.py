"""Fig. 8: OrganAMNIST, with the accuracy of all labels as a line."""

from typing import Any

from configs.paper.parts import ABLATION, part, whole
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="fig8",
        title="Fig. 8: medical images, with the accuracy of all labels",
        shows="""OrganAMNIST (or another set, --data), and a line for training on every
        label of the pool: the probe in one batch, a network in batches of 100 and at
        the scale gpu in 20 epochs. The paper: norm and Gram-Schmidt help, particularly
        at the higher budgets, and all stay far below the full set. The paper trains
        networks; at the scale cpu it is the probe.""",
        kind="accuracy",
        parts=tuple(
            each_part
            for name in data or ("organamnist",)
            for each_part in (
                part(name, scale, ABLATION[scale]),
                whole(name, scale, ABLATION[scale]),
            )
        ),
        claims=(
            Claim("norm", "norm beats random", "better", "norm"),
            Claim("versatile", "Gram-Schmidt beats random", "better", "gram_schmidt"),
        ),
        minutes=MINUTES["fig8"],
        needs="OrganAMNIST, which is fetched (--data cifar10 draws another set)",
        options={
            "whole": tuple(
                whole(name, scale, ABLATION[scale]).study
                for name in data or ("organamnist",)
            )
        },
    )

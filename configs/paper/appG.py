"""Appendix G: Fig. 7 with DINO's features."""

from typing import Any

from configs.paper.parts import clouds, part
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="appG",
        title="Appendix G: Fig. 7 with other features",
        shows="""The subsets and runs of Fig. 7, against the mean norm of DINO's
        features where its weights are at hand (--dino), and otherwise of the untrained
        network's. The paper (DINO): a positive correlation again.""",
        kind="correlation",
        parts=clouds(data or ("cifar10",), scale),
        claims=(
            Claim(
                # The paper speaks of DINO's features alone.
                "correlation" if given["dino"] or scale != "cpu" else "",
                "accuracy rises with the mean norm",
                "better",
                "random",
            ),
        ),
        minutes=MINUTES["appG"],
        options={
            "norms": tuple(
                part(
                    name,
                    scale,
                    "supervised",
                    features="dino" if given["dino"] or scale != "cpu" else "random",
                )
                for name in data or ("cifar10",)
            )
        },
        needs="DINO's weights (--dino FILE); at the scale cpu it goes without them",
    )

"""Fig. 6a,b: a uniform second stage."""

from typing import Any

from configs.paper.parts import ABLATION, each
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="fig6ab",
        title="Fig. 6a,b: a uniform choice in place of the norm's",
        shows="""The second stage keeps half of what the baseline proposes, by norm or
        uniformly. The paper: uniformly it is worse than the baseline or comparable; by
        norm it gains. The paper trains networks; at the scale cpu it is the probe.""",
        kind="accuracy",
        parts=each(
            data,
            scale,
            ABLATION[scale],
            methods=(
                "random",
                "typiclust",
                "typiclust+norm",
                "typiclust+random",
                "probcover",
                "probcover+norm",
                "probcover+random",
            ),
        ),
        claims=tuple(
            claim
            for label, name in (("typiclust", "TypiClust"), ("probcover", "ProbCover"))
            for claim in (
                Claim(
                    "",
                    f"{name} gains nothing by a uniform second stage",
                    "not better",
                    f"{label}+random",
                    label,
                ),
                Claim(
                    "combination",
                    f"after {name}, norm beats a uniform second stage",
                    "better",
                    f"{label}+norm",
                    f"{label}+random",
                ),
            )
        ),
        minutes=MINUTES["fig6ab"],
    )

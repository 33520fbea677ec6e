"""Appendix D: Gram-Schmidt on top of the baselines."""

from typing import Any

from configs.paper.parts import each
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="appD",
        title="Appendix D: Gram-Schmidt on top of TypiClust and ProbCover",
        shows="""The second stage is Gram-Schmidt among what the baseline proposes. The
        paper: it helps mainly with the linear probe.""",
        kind="accuracy",
        parts=each(
            data,
            scale,
            "linear_probe",
            methods=(
                "random",
                "typiclust",
                "typiclust+norm",
                "typiclust+gs",
                "probcover",
                "probcover+norm",
                "probcover+gs",
            ),
        ),
        claims=tuple(
            Claim(
                "combination",
                f"{name} gains by Gram-Schmidt",
                "better",
                f"{label}+gs",
                label,
            )
            for label, name in (("typiclust", "TypiClust"), ("probcover", "ProbCover"))
        ),
        minutes=MINUTES["appD"],
    )

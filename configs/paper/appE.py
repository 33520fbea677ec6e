"""Appendix E: larger budgets."""

from typing import Any

from configs.paper.parts import ABLATION, each
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure

LABELS_A_CLASS = {"cpu": (10,), "gpu": (10, 30, 60), "paper": (10, 30, 60)}


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="appE",
        title="Appendix E: larger budgets",
        shows="""Ten labels a class and more. The paper: with the norm on top,
        accuracy is comparable or better. The paper trains networks; at the scale cpu
        it is the probe.""",
        kind="accuracy",
        parts=each(
            data, scale, ABLATION[scale], multiples=LABELS_A_CLASS[scale], seeds=3
        ),
        claims=(
            Claim("", "norm is as good as random", "not worse", "norm"),
            Claim(
                "",
                "TypiClust with norm is as good as alone",
                "not worse",
                "typiclust+norm",
                "typiclust",
            ),
            Claim(
                "",
                "ProbCover with norm is as good as alone",
                "not worse",
                "probcover+norm",
                "probcover",
            ),
        ),
        minutes=MINUTES["appE"],
    )

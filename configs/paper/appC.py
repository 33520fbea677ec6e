"""Appendix C: other norms for the second stage."""

from typing import Any

from configs.paper.parts import ABLATION, each
from configs.paper.said import MINUTES
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="appC",
        title="Appendix C: l1, l2 and linf norms on top of TypiClust and ProbCover",
        shows="""The second stage draws by the l1, l2 or linf norm among what the
        baseline proposes. (The appendix is not public; its claims are not known.)""",
        kind="accuracy",
        parts=each(
            data,
            scale,
            ABLATION[scale],
            methods=(
                "random",
                *(
                    f"{first}+norm{order}"
                    for first in ("typiclust", "probcover")
                    for order in ("", "_l1", "_linf")
                ),
            ),
        ),
        minutes=MINUTES["appC"],
    )

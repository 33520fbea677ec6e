"""Fig. 5a,b: with a random initial pool."""

from typing import Any

from configs.paper.parts import ABLATION, each
from configs.paper.said import COMBINED, MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="fig5ab",
        title="Fig. 5a,b: a random initial pool of one label a class",
        shows="""As many labels as there are classes are drawn uniformly first; every
        method goes on from them, and the abscissa counts them. The paper: norm and
        Gram-Schmidt beat random, Gram-Schmidt not norm; the norm helps TypiClust. The
        paper trains networks; at the scale cpu it is the probe.""",
        kind="accuracy",
        parts=each(
            data,
            scale,
            ABLATION[scale],
            multiples=(2, 4, 6) if scale == "cpu" else range(2, 7),
            seeds=6 if scale == "cpu" else 0,
            initial_pool=True,
        ),
        claims=(
            Claim("norm", "norm beats random", "better", "norm"),
            Claim("", "Gram-Schmidt beats random", "better", "gram_schmidt"),
            Claim(
                "",
                "Gram-Schmidt adds nothing to norm",
                "not better",
                "gram_schmidt",
                "norm",
            ),
            COMBINED[0],
            Claim(
                "",
                "ProbCover with norm is as ProbCover alone",
                "alike",
                "probcover+norm",
                "probcover",
            ),
        ),
        minutes=MINUTES["fig5ab"],
    )

"""Fig. 6c: randomised against deterministic."""

from typing import Any

from configs.paper.parts import ABLATION, each
from configs.paper.said import MANY, MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="fig6c",
        title="Fig. 6c: drawn by norm against largest norm first",
        shows="""norm_max and gram_schmidt_max take the largest (remaining) norm in
        place of a draw. The paper: without randomisation, norm is only marginally
        above a guess, and both lose. The paper trains networks; at the scale cpu it is
        the probe. (Deterministic picks hardly differ from seed to seed: their intervals
        cover the chance of hold-out and training, not that of the choice.)""",
        kind="accuracy",
        parts=each(
            data,
            scale,
            ABLATION[scale],
            seeds=MANY if ABLATION[scale] == "linear_probe" else 0,
            methods=("random", "norm", "norm_max", "gram_schmidt", "gram_schmidt_max"),
        ),
        claims=(
            Claim(
                "", "drawing by norm beats the largest", "better", "norm", "norm_max"
            ),
            Claim(
                "",
                "Gram-Schmidt is better randomised",
                "better",
                "gram_schmidt",
                "gram_schmidt_max",
            ),
            Claim(
                "",
                "the largest norms are hardly above a guess",
                "alike",
                "norm_max",
                "chance",
                margin=0.05,
            ),
        ),
        minutes=MINUTES["fig6c"],
    )

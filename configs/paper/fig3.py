"""Fig. 3: the linear probe on what each method picks."""

from typing import Any

from configs.paper.parts import each
from configs.paper.said import BEST, COMBINED, MANY, MINUTES, QUICK
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="fig3",
        title="Fig. 3: linear probe, accuracy against the number of labels",
        shows="""One linear layer is trained on the self-supervised features of what
        each method picks. The paper: norm is as good as random choice or slightly
        better, Gram-Schmidt improves on norm, and the norm on top of the baselines
        generally helps.""",
        kind="accuracy",
        parts=(
            *each(data, scale, "linear_probe"),
            # More seeds for those that take a moment to pick.
            *each(data, scale, "linear_probe", methods=QUICK, seeds=MANY),
        ),
        claims=(
            # The paper: similar or slightly better; its introduction: better.
            Claim("norm", "norm beats random", "better", "norm"),
            Claim("", "norm is as good as random", "not worse", "norm"),
            Claim("", "Gram-Schmidt beats norm", "better", "gram_schmidt", "norm"),
            *COMBINED,
            BEST,
        ),
        minutes=MINUTES["fig3"],
    )

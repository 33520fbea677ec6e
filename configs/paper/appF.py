"""Appendix F: what pruning leaves of examples of high and of low norm."""

from typing import Any

from configs.paper.parts import only, part
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="appF",
        title="Appendix F: a pruned network and the norms of its features",
        shows="""The encoder's smallest weights are set to zero, more and more of them
        and without training after it. By decile of a test image's feature norm before:
        how much of the norm is left, and whether a classifier on the features says the
        same as before. The paper: pruned networks are biased to high norms.""",
        kind="pruning",
        parts=(part(only(data), scale, "linear_probe"),),
        claims=(
            Claim("pruning", "higher norms keep more of it", "better", "retained"),
            Claim("pruning", "higher norms keep predictions", "better", "kept"),
        ),
        minutes=MINUTES["appF"],
        # The claims are judged where much is pruned and much is left.
        options={"sparsities": (0.2, 0.4, 0.6, 0.8, 0.9), "judged": 0.6},
    )

"""Selection time against pool size and budget."""

from typing import Any

from configs.paper.parts import only, part
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="speed",
        title="Selection time: Gram-Schmidt O(sNd) against ProbCover O(N²d)",
        shows="""Seconds from a NumPy array to indices, compilation apart, against the
        size of the pool and against the budget, with the exponents that fit. The paper
        gives the two costs; both are of this project's programs here.""",
        kind="speed",
        parts=(part(only(data), scale, "linear_probe"),),
        claims=(
            Claim(
                "",
                "Gram-Schmidt is faster than ProbCover",
                "better",
                "gram_schmidt",
                "probcover",
            ),
        ),
        minutes=MINUTES["speed"],
        options={
            "methods": ("norm", "gram_schmidt", "typiclust", "probcover"),
            "sizes": (1000, 3000, 10_000, 30_000),
            "budgets": (10, 30, 60, 100, 300),
            "size": 10_000,
            "budget": 60,
        },
    )

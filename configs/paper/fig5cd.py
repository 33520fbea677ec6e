"""Fig. 5c,d: histograms of feature norms."""

from typing import Any

from configs.paper.parts import DATA, part
from configs.paper.said import MINUTES
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="fig5cd",
        title="Fig. 5c,d: histograms of feature norms",
        shows="""The norms that norm sampling draws by, over the training set. The
        paper: they are diverse, so that the law is not vacuous.""",
        kind="norms",
        parts=tuple(
            part(name, scale, "linear_probe", features=features)
            for name in data or DATA[scale]
            for features in ("learned", "random")
        ),
        minutes=MINUTES["fig5cd"],
    )

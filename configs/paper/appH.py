"""Appendix H: the images of highest and of lowest norm."""

from typing import Any

from configs.paper.parts import part
from configs.paper.said import MINUTES
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="appH",
        title="Appendix H: the images of highest and of lowest feature norm",
        shows="""The paper: images of high norm are easier to recognise for a person.
        Judge for yourself.""",
        kind="extremes",
        parts=tuple(part(name, scale, "linear_probe") for name in data or ("cifar10",)),
        minutes=MINUTES["appH"],
    )

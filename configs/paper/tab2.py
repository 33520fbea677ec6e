"""Table 2: Fréchet distance of what is picked to the rest."""

from typing import Any

from configs import common
from configs.paper.parts import only, part
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure, Part

# Table 2 of the paper: FID of sets of CIFAR-10 by size and method.
PRINTED = {
    (size, method): value
    for size, row in {
        20: (271.62, 251.01, 267.20, 244.81, 240.68, 253.29, 250.31),
        40: (215.95, 214.48, 213.52, 211.66, 209.56, 207.85, 207.28),
        60: (188.98, 188.39, 186.63, 185.88, 184.96, 182.04, 179.89),
    }.items()
    for method, value in zip(common.PAPER_METHODS, row, strict=True)
}


def _parts(name: str, scale: str, inception: str) -> tuple[Part, ...]:
    """The picks, and where its weights are at hand the space of Inception-v3."""
    picked = part(name, scale, "linear_probe", multiples=(2, 4, 6))
    if not inception:
        return (picked,)
    space = part(name, scale, "supervised")
    space.config.features.encoder = "inception_fid"
    return picked, Part(f"{name}-inception_fid", space.config)


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="tab2",
        title="Table 2: Fréchet distance of the picks to the rest of the pool",
        shows="""How far the distribution of what was picked is from the rest of the
        pool: always in the space of the experiment's own features, and with Inception's
        weights at hand (--inception) the FID of the paper's table, whose numbers stand
        beside it. The paper: norm on top lowers it.""",
        kind="frechet",
        parts=_parts(only(data), scale, given["inception"]),
        claims=(
            Claim("", "norm is closer than random", "worse", "norm"),
            Claim(
                "",
                "norm on TypiClust is closer",
                "worse",
                "typiclust+norm",
                "typiclust",
            ),
            Claim(
                "",
                "norm on ProbCover is closer",
                "worse",
                "probcover+norm",
                "probcover",
            ),
        ),
        minutes=MINUTES["tab2"],
        needs="Inception-v3's weights for the FID itself (--inception FILE)",
        options={
            "printed": PRINTED if (data or ("cifar10",)) == ("cifar10",) else {},
            "inception": tuple(
                p.study for p in _parts(only(data), scale, given["inception"])[1:]
            ),
        },
    )

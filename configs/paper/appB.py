"""Appendix B: selection by raw pixels, and the domains on CIFAR-100."""

from typing import Any

from configs.paper.parts import domains
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure, Part

APP_B = {
    "cpu": ("cifar10",),
    "gpu": ("cifar10", "cifar100"),
    "paper": ("cifar10", "cifar100"),
}


def more(data: tuple[str, ...], scale: str, dino: str) -> tuple[Part, ...]:
    """The domains of Fig. 4a,b, on CIFAR-100."""
    return domains(("random", "dino"), data or ("cifar100",), scale, dino)


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="appB",
        title="Appendix B: selection by raw pixels, networks from scratch",
        shows="""As Fig. 4a,b with the pixels themselves as features, and at the larger
        scales both on CIFAR-100. The paper cites that ProbCover suffers in the RGB
        space, and says that norm and Gram-Schmidt do not; the appendix is not
        public. At the scale cpu the pool has 10,000 images.""",
        kind="accuracy",
        parts=domains(
            ("rgb",),
            data or APP_B[scale],
            scale,
            given["dino"],
            (3,) if scale == "cpu" else (),
        )
        + (() if scale == "cpu" else more(data, scale, given["dino"])),
        claims=(
            Claim("versatile", "norm beats random", "better", "norm"),
            Claim("versatile", "Gram-Schmidt beats random", "better", "gram_schmidt"),
            *(
                Claim(
                    "",
                    f"{name} is no better than random on pixels",
                    "not better",
                    label,
                    features="rgb",
                )
                for label, name in (
                    ("typiclust", "TypiClust"),
                    ("probcover", "ProbCover"),
                )
            ),
        ),
        minutes=MINUTES["appB"],
        options={"covered": "probcover_75"},
    )

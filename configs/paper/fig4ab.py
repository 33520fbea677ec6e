"""Fig. 4a,b: selection by features that have learned nothing, and by DINO's."""

from typing import Any

from configs.paper.parts import domains
from configs.paper.said import MINUTES
from jaxsel.evaluation.claims import Claim
from jaxsel.reproduce.figure import Figure


def get_config(scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    return Figure(
        id="fig4ab",
        title="Fig. 4a,b: the features that selection sees, networks from scratch",
        shows="""Selection sees the features of an untrained network, or DINO's where
        its weights are at hand (--dino); what is trained sees images alone. The paper:
        norm and Gram-Schmidt help with both, and with the untrained network ProbCover
        falls to the level of a guess. The code that it builds on has a fixed delta, .75
        for CIFAR-10; on such features one ball of that radius can hold the whole pool,
        and a program that goes on picking by remaining gain then returns row 0 again
        and again. The second picture counts
        the picks until everything is covered (probcover_75: ProbCover with that delta
        and without duplicates; probcover: with a delta chosen for the pool).""",
        kind="accuracy",
        parts=domains(("random", "dino"), data, scale, given["dino"]),
        claims=(
            Claim("versatile", "norm beats random", "better", "norm"),
            Claim("versatile", "Gram-Schmidt beats random", "better", "gram_schmidt"),
            Claim(
                "",
                "ProbCover is a guess on untrained features",
                "alike",
                "probcover_75",
                "chance",
                features="random_resnet18",
            ),
            Claim(
                "",
                "TypiClust is little better than random on untrained features",
                "alike",
                "typiclust",
                features="random_resnet18",
            ),
        ),
        minutes=MINUTES["fig4ab"],
        needs="DINO's weights for its panel (--dino FILE); without them it is left out",
        options={"covered": "probcover_75"},
    )

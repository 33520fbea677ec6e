"""What several figures say or assume."""

from jaxsel.evaluation.claims import Claim

COMBINED = tuple(
    Claim("combination", f"{name} gains by norm", "better", f"{label}+norm", label)
    for label, name in (("typiclust", "TypiClust"), ("probcover", "ProbCover"))
)
BEST = Claim(
    "sota",
    "the best of the paper's methods beats the best of the others",
    "better",
    "norm|gram_schmidt|typiclust+norm|probcover+norm",
    "random|typiclust|probcover",
)
# Seeds of linear probes on what takes a moment to pick.
MANY = 40
QUICK = ("random", "norm", "gram_schmidt")

# Rough time on CIFAR-10 by figure and scale, for what no other figure has run before.
MINUTES: dict[str, dict[str, str]] = {
    name: {}
    for name in (
        *("fig2", "fig3", "fig4ab", "fig4cd", "fig5ab", "fig5cd", "fig6ab", "fig6c"),
        *("fig7", "fig8", "tab1", "tab2", "appB", "appC", "appD", "appE", "appF"),
        *("appG", "appH", "speed"),
    )
}

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

# On CIFAR-10, two cores of a Xeon at 2.8 GHz, in minutes: what a figure took once those
# above it had been drawn, mostly beside other work. Larger scales were not measured.
MINUTES: dict[str, dict[str, str]] = {
    name: {"cpu": f"{minutes} min"}
    for name, minutes in {
        "fig2": "11",
        "fig3": "18",
        "fig4ab": "23",
        "fig4cd": "3",
        "fig5ab": "10",
        "fig5cd": "1",
        "fig6ab": "1",
        "fig6c": "1",
        "fig7": "15",
        "fig8": "1",
        "tab1": "18",
        "tab2": "1",
        "appB": "14",
        "appC": "1",
        "appD": "1",
        "appE": "3",
        "appF": "1",
        "appG": "1",
        "appH": "1",
        "speed": "6",
    }.items()
}

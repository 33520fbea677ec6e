"""docs/choosing.md names a leader only where the committed runs resolve one."""

import pathlib

import pytest

from jaxsel.evaluation.claims import OPEN, SUPPORTED, Claim, verdicts
from jaxsel.evaluation.rows import read_results

ROOT = pathlib.Path(__file__).parents[2]
DIGITS = "benchmarks/results/choosing_digits/results.csv"
PHOTOGRAPHS = "docs/paper/fig3/fig3-runs.csv"


@pytest.mark.parametrize(
    ("file", "methods", "budgets", "word", "before"),
    [
        (PHOTOGRAPHS, "typiclust|typiclust+norm", (), SUPPORTED, "by "),
        (DIGITS, "max_herding", (10, 20), OPEN, "has "),
        (DIGITS, "k_center", (200, 400), OPEN, "("),
    ],
)
def test_who_leads_the_best_of_the_others(file, methods, budgets, word, before):
    rows = [
        row for row in read_results(ROOT / file) if not budgets or row.budget in budgets
    ]
    others = dict.fromkeys(row.method for row in rows)
    for method in methods.split("|"):
        del others[method]
    claim = Claim("", "leads", "better", methods, "|".join(others))
    (verdict,) = verdicts([claim], rows, {})
    assert verdict.word == word
    numbers = "{:+.1f} [{:+.1f}, {:+.1f}]".format(*(100 * v for v in verdict[3:6]))
    said = " ".join((ROOT / "docs/choosing.md").read_text().split())
    assert before + numbers.replace("-", "−") in said

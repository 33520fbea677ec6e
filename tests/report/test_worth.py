"""The sentence that a person repeats: right numbers, and no more than was measured."""

import math

import pytest

from jaxsel.evaluation.labels_worth import Worth
from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import Setting
from jaxsel.report.page import ReportInputs, report_html
from jaxsel.report.summary import summary_markdown
from jaxsel.report.worth import headline, worth_sentence

WHERE = Setting("digits", "raw", "probe")
MEASURED = (10, 20, 40, 80)


def rows():
    """Random labels reach m / 100; typiclust's picks are worth twice as many."""
    worth = {"random": 1, "typiclust": 2}
    return [
        ResultRow("digits", "raw", "probe", method, m, seed, k * m / 200, 9, 0.0, 0.0)
        for method, k in worth.items()
        for m in MEASURED
        for seed in range(5)
    ]


def test_the_summary_ends_with_the_recommended_methods_worth():
    text = summary_markdown(rows(), recommended=lambda budget: "typiclust")
    last = text.strip().splitlines()[-1]
    # 20 is the largest number of which four times as many random labels were measured.
    assert last == (
        "**probe: 20 labels picked by typiclust are worth 40 random ones "
        "(95 % interval 40 to 40).**"
    )
    assert "| typiclust     | 20 [20, 20] | 40 [40, 40] | 80 [80, 80] |" in text


def test_the_page_says_the_same():
    page = report_html(ReportInputs(rows(), recommended=lambda budget: "typiclust"))
    assert "20 labels picked by typiclust are worth 40 random ones" in page
    assert "40 [40, 40]" in page and "&gt; 80" in page


def test_no_sentence_without_a_rule_or_without_enough_random_labels():
    assert "are worth" not in summary_markdown(rows())
    few = [row for row in rows() if row.budget in (20, 40)]
    assert "are worth" not in summary_markdown(few, recommended=lambda b: "typiclust")


@pytest.mark.parametrize(
    ("labels", "low", "high", "said"),
    [
        (
            math.inf,
            61.0,
            math.inf,
            "more than 80 random ones (95 % interval 61 to > 80",
        ),
        (10.0, 10.0, 12.0, "at most 10 random ones (95 % interval ≤ 10 to 12)"),
    ],
)
def test_what_lies_beyond_the_measured_numbers_is_not_claimed(labels, low, high, said):
    worth = Worth(WHERE, "norm", 20, labels, low, high, 10, 80, 5, 0.95)
    assert said in worth_sentence(worth)


def test_the_headline_is_the_rules_and_not_the_best():
    best = Worth(WHERE, "norm", 20, 70.0, 60.0, 75.0, 10, 80, 5, 0.95)
    ours = best._replace(method="typiclust", labels=30.0)
    assert headline([best, ours], lambda budget: "typiclust") == ours
    assert headline([best], lambda budget: "typiclust") is None

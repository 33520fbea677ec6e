"""summary.md: the right numbers in the right cells, and no claim beyond them."""

import pytest

from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import PairedDifference, Setting
from jaxsel.report.summary import summary_markdown
from jaxsel.report.words import sentence

WHERE = Setting("digits", "raw", "probe")


def _rows(accuracies, framework="probe"):
    """Rows from {(method, budget): [accuracy of seed 0, 1, ...]}."""
    return [
        ResultRow("digits", "raw", framework, m, b, seed, value, 5, 0.1, 1.0)
        for (m, b), values in accuracies.items()
        for seed, value in enumerate(values)
    ]


def _cells(text, start):
    """The cells of the first table line whose first cell is `start`."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0] == start:
            return cells[1:]
    raise AssertionError(f"no line {start} in\n{text}")


def test_means_errors_and_seeds_are_shown():
    # Mean 0.5; standard error sqrt(0.0002 / 2 / 3) = 0.57735 points.
    text = summary_markdown(
        _rows({("norm", 20): [0.49, 0.50, 0.51], ("random", 20): [0.4, 0.4, 0.4]})
    )
    assert _cells(text, "norm") == ["**50.0 ± 0.6**"]
    assert _cells(text, "random") == ["40.0 ± 0.0"]
    assert "over 3 seeds" in text
    assert "norm beats random by 10.0 ± 2.5 points at 20 labels (95 % interval, 3" in (
        text
    )


def test_one_seed_claims_nothing():
    text = summary_markdown(_rows({("norm", 20): [0.5], ("random", 20): [0.4]}))
    assert _cells(text, "norm") == ["**50.0 (n=1)**"]
    assert "±" not in _cells(text, "random")[0]
    assert "beats" not in text
    assert "no interval and nothing resolved" in text


def test_unequal_seeds_are_counted_in_each_cell_and_gaps_are_dashes():
    text = summary_markdown(
        _rows({("norm", 10): [0.2, 0.4], ("norm", 20): [0.5], ("random", 10): [0.1]})
    )
    assert _cells(text, "norm") == ["**30.0 ± 10.0 (n=2)**", "50.0 (n=1)"]
    assert _cells(text, "random") == ["10.0 (n=1)", "–"]


def test_each_framework_has_its_section_in_order_of_appearance():
    rows = _rows({("random", 10): [0.3]}, "supervised")
    rows += _rows({("random", 10): [0.4]}, "linear")
    text = summary_markdown(rows)
    assert text.index("## supervised") < text.index("## linear")
    assert text.count("no finished run of another method") == 2


def test_missing_baseline_and_no_rows_are_said():
    text = summary_markdown(_rows({("norm", 10): [0.3, 0.4]}))
    assert "no finished run of random" in text
    assert "No run has finished yet" in summary_markdown([])


def test_markup_in_names_stays_text():
    text = summary_markdown(_rows({("a|b<i>", 10): [0.3]}))
    assert "a\\|b\\<i\\>" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "norm beats random by 1.2 ± 0.8 points at 20 labels (95 % interval, 3 "),
        ({"mean": -0.012}, "norm trails random by 1.2 ± 0.8 points at 20 labels"),
        ({"mean": -0.003}, "not resolved at 20 labels: −0.3 ± 0.8 points"),
        ({"mean": -0.0001}, "not resolved at 20 labels: 0.0 ± 0.8 points"),
        ({"budgets": (1,)}, "at 1 label (95 %"),
        ({"budgets": (10, 1000)}, "at 10 to 1,000 labels (95 % interval, 3 seeds, 2 b"),
        ({"half_width": None, "n": 1}, "+1.2 points in a single seed (n=1)"),
        ({"level": 0.999}, "(99.9 % interval"),
    ],
)
def test_the_sentence_says_what_the_interval_says(change, said):
    base = PairedDifference(WHERE, "norm", "random", (20,), 0.012, 0.008, 3, 0.95)
    assert said in sentence(base._replace(**change))

"""Claims against intervals: by hand, by what widths must not decide, and by SciPy."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from jaxsel.errors import UserError
from jaxsel.evaluation.bests import difference_of_bests
from jaxsel.evaluation.claims import (
    KINDS,
    OPEN,
    REFUTED,
    SUPPORTED,
    Claim,
    judged,
    place,
    verdicts,
)
from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import Setting

PROBE = Setting("digits", "raw", "linear_probe")
GUESS = {"digits": 0.1}
FINITE = st.floats(-2, 2, allow_nan=False)
WIDTHS = st.floats(0, 1)
MARGINS = st.floats(0.001, 0.5)


@pytest.mark.parametrize(
    "kind, low, high, word",
    [
        ("better", 0.001, 0.3, SUPPORTED),
        ("better", -0.1, 0.3, OPEN),
        ("better", 0.0, 0.3, OPEN),  # zero is not better, and nearly all of it is
        ("better", -0.3, 0.0, REFUTED),
        ("better", -0.3, -0.1, REFUTED),
        ("worse", -0.3, -0.1, SUPPORTED),
        ("worse", 0.0, 0.1, REFUTED),
        ("not worse", -0.01, 0.3, SUPPORTED),
        ("not worse", -0.03, 0.3, OPEN),
        ("not worse", -0.3, -0.02, REFUTED),
        ("not better", -0.3, 0.01, SUPPORTED),
        ("not better", -0.3, 0.03, OPEN),
        ("not better", 0.02, 0.3, REFUTED),
        ("alike", -0.01, 0.01, SUPPORTED),
        ("alike", -0.01, 0.03, OPEN),
        ("alike", 0.03, 0.05, REFUTED),
        ("alike", -0.05, -0.03, REFUTED),
        *((kind, -math.inf, math.inf, OPEN) for kind in KINDS),
    ],
)
def test_words_by_hand_with_a_margin_of_two_points(kind, low, high, word):
    assert judged(kind, low, high, 0.02) == word


@pytest.mark.parametrize(
    "kind, low, high, message",
    [
        ("best", 0.0, 1.0, "among better, worse"),
        ("better", 1.0, 0.0, "from low to high"),
        ("better", math.nan, 1.0, "from low to high"),
    ],
)
def test_what_cannot_be_judged_is_refused(kind, low, high, message):
    with pytest.raises(UserError, match=message):
        judged(kind, low, high)


@given(st.sampled_from(sorted(KINDS)), FINITE, WIDTHS, WIDTHS, WIDTHS, MARGINS)
def test_less_knowledge_never_decides(kind, low, width, left, right, margin):
    narrow = judged(kind, low, low + width, margin)
    wide = judged(kind, low - left, low + width + right, margin)
    assert wide in (narrow, OPEN)


@given(st.sampled_from(sorted(KINDS)), FINITE, WIDTHS, MARGINS)
def test_the_mirrored_claim_of_the_mirrored_interval(kind, low, width, margin):
    mirrored = {
        "better": "worse",
        "worse": "better",
        "not worse": "not better",
        "not better": "not worse",
        "alike": "alike",
    }
    high = low + width
    assert judged(kind, low, high, margin) == judged(
        mirrored[kind], -high, -low, margin
    )


@given(FINITE, WIDTHS, MARGINS)
def test_claims_that_contradict_each_other_are_not_both_right(low, width, margin):
    words = {kind: judged(kind, low, low + width, margin) for kind in KINDS}
    assert [words["better"], words["worse"]].count(SUPPORTED) <= 1
    # What is better is not worse, and what is neither is alike.
    if words["better"] == SUPPORTED:
        assert words["not worse"] == SUPPORTED
    if words["not worse"] == REFUTED:
        assert words["better"] == REFUTED
    both = words["not worse"] == words["not better"] == SUPPORTED
    assert (words["alike"] == SUPPORTED) == both


def _rows(accuracies, setting=PROBE, budgets=(10, 20, 30)):
    """Rows of `{method: [budgets, seeds]}`."""
    return [
        ResultRow(*setting, method, budget, seed, float(accuracy), 5, 0.1, 1.0)
        for method, table in accuracies.items()
        for budget, line in zip(budgets, np.asarray(table), strict=True)
        for seed, accuracy in enumerate(line)
    ]


def _study(seed, methods, seeds=5):
    generator = np.random.default_rng(seed)
    ease = generator.normal(0.5, 0.05, (3, seeds))  # what a seed does to every method
    return {
        method: ease + generator.normal(lead, 0.02, (3, seeds))
        for method, lead in methods.items()
    }


def _interval(values):
    """Mean, low, high by SciPy, in float64."""
    values = np.asarray(values, np.float64)
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values)
    return values.mean(), values.mean() - half, values.mean() + half


@pytest.mark.parametrize("seed", range(3))
def test_a_paired_difference_over_all_budgets_is_scipys(seed):
    table = _study(seed, {"random": 0.0, "norm": 0.03})
    (verdict,) = verdicts(
        [Claim("", "norm beats random", "better", "norm")], _rows(table), GUESS
    )
    gaps = (table["norm"] - table["random"]).mean(axis=0)  # a number a seed
    expected = _interval(gaps)
    np.testing.assert_allclose(verdict[3:6], expected, rtol=1e-12)
    assert verdict.word == judged("better", *expected[1:])
    assert (verdict.unit, verdict.n) == ("points", 5)
    assert verdict.where == "digits, raw features, linear_probe" == place(PROBE)


def test_an_accuracy_above_a_guess_is_scipys():
    table = _study(0, {"norm": -0.35})
    (verdict,) = verdicts(
        [Claim("", "a guess", "alike", "norm", "chance", margin=0.1)],
        _rows(table),
        GUESS,
    )
    expected = _interval(table["norm"].mean(axis=0) - 0.1)
    np.testing.assert_allclose(verdict[3:6], expected, rtol=1e-12)
    assert verdict.word == SUPPORTED


def test_seeds_that_lack_a_budget_do_not_count_towards_a_guess():
    table = _study(7, {"norm": 0.0})
    claim = Claim("", "a guess", "better", "norm", "chance")
    rows = [row for row in _rows(table) if (row.budget, row.seed) != (30, 2)]
    (verdict,) = verdicts([claim], rows, GUESS)
    full = np.delete(table["norm"].mean(axis=0), 2) - 0.1
    np.testing.assert_allclose(verdict[3:6], _interval(full), rtol=1e-12)
    apart = [row for row in rows if row.budget == 10 * (row.seed % 2) + 10]
    (verdict,) = verdicts([claim], apart, GUESS)
    assert (verdict.word, verdict.n, verdict.low) == (OPEN, 0, -math.inf)


def _best_of(rows, ours="a|b", theirs="random|c", kind="better"):
    (verdict,) = verdicts([Claim("", "ours", kind, ours, theirs)], rows, GUESS)
    return verdict


@pytest.mark.parametrize("seed", range(3))
def test_the_best_of_several_allows_for_the_choice(seed):
    leads = {"random": 0.0, "a": 0.1, "b": 0.101, "c": 0.001}
    table = _study(seed, leads)
    means = {label: values.mean(axis=0) for label, values in table.items()}
    expected = difference_of_bests(
        np.stack([means["a"], means["b"]]), np.stack([means["random"], means["c"]])
    )
    verdict = _best_of(_rows(table))
    np.testing.assert_allclose(verdict[3:6], expected[:3], rtol=1e-9)
    assert verdict.word == judged("better", expected.low, expected.high)
    assert (verdict.unit, verdict.n) == ("points", 5)


def test_nothing_is_resolved_where_nothing_differs():
    # A best chosen by the other seeds came out "better" or "worse" 13 times in 100.
    words = [
        _best_of(
            _rows(_study(seed, dict.fromkeys(["a", "b", "random", "c"], 0.0), 10))
        ).word
        for seed in range(60)
    ]
    assert words.count(OPEN) >= 55  # 5 % of 60 are 3; more than 5 are of 1 in 12


def test_bests_are_compared_at_the_budgets_that_all_of_them_have():
    table = _study(0, {"random": 0.0, "a": 0.1, "b": 0.05, "c": 0.02})
    expected = _best_of(_rows(table))
    # A method that the claim does not name, and a further budget of one that it does.
    other = _rows({"a": [[0.9] * 5], "else": [[0.9] * 5]}, budgets=(40,))
    assert _best_of(_rows(table) + other)[1:] == expected[1:]
    # With a run less, the seed is not of the same quantity.
    without = [r for r in _rows(table) if (r.method, r.budget, r.seed) != ("b", 20, 3)]
    less = {
        label: values if label != "b" else np.delete(values, 3, axis=1)
        for label, values in table.items()
    }
    found = _best_of(without)
    means = {label: values.mean(axis=0) for label, values in less.items()}
    b = np.insert(means["b"], 3, np.nan)
    expected = difference_of_bests(
        np.stack([means["a"], b]), np.stack([means["random"], means["c"]])
    )
    np.testing.assert_allclose(found[3:6], expected[:3], rtol=1e-9)
    assert found.n == 4


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_bests_of_a_few_seeds_are_not_resolved(seeds):
    table = _study(1, {"random": 0.0, "a": 0.1, "b": 0.1, "c": 0.1}, seeds)
    verdict = _best_of(_rows(table))
    assert (verdict.word, verdict.n) == (OPEN, seeds)


def test_a_run_that_appears_twice_or_has_no_accuracy_is_refused():
    rows = _rows(_study(2, {"random": 0.0, "a": 0.1, "b": 0.1, "c": 0.1}))
    with pytest.raises(UserError, match="each run once"):
        _best_of([*rows, rows[4]])
    broken = rows[4]._replace(accuracy=math.nan)
    with pytest.raises(UserError, match="finite accuracy"):
        _best_of([*rows[:4], broken, *rows[5:]])


def test_of_a_label_that_was_not_run_nothing_is_the_best():
    table = _study(1, {"random": 0.0, "a": 0.1})
    claim = Claim("", "ours beat theirs", "better", "a|absent", "random")
    assert verdicts([claim], _rows(table), GUESS) == []


def test_a_claim_speaks_of_its_features_and_data_sets_alone():
    table = _study(2, {"random": 0.0, "norm": 0.1})
    settings = [
        Setting("digits", features, framework)
        for features in ("raw", "deep")
        for framework in ("linear_probe", "supervised")
    ]
    rows = [row for setting in settings for row in _rows(table, setting)]

    def where(**limits):
        claim = Claim("", "norm beats random", "better", "norm", **limits)
        return [verdict.where for verdict in verdicts([claim], rows, GUESS)]

    assert where() == [place(setting) for setting in settings]
    assert where(features="deep") == [place(s) for s in settings[2:]]
    assert where(features="none") == []
    assert where(datasets=("cifar10",)) == []
    assert where(datasets=("cifar10", "digits")) == where()


def test_claims_come_in_order_and_without_their_methods_not_at_all():
    table = _study(3, {"random": 0.0, "norm": 0.1})
    claims = [
        Claim("", "absent", "better", "typiclust"),
        Claim("", "absent baseline", "better", "norm", "typiclust"),
        Claim("", "absent guess", "better", "typiclust", "chance"),
        Claim("", "first", "better", "norm"),
        Claim("", "second", "worse", "random", "norm"),
    ]
    found = verdicts(claims, _rows(table), GUESS)
    assert [verdict.claim.text for verdict in found] == ["first", "second"]
    assert found[0].value == pytest.approx(-found[1].value)


@pytest.mark.parametrize("baseline", ["random", "chance"])
def test_a_single_seed_resolves_nothing(baseline):
    table = _study(4, {"random": 0.0, "norm": 0.3}, seeds=1)
    (verdict,) = verdicts(
        [Claim("", "norm", "better", "norm", baseline)], _rows(table), GUESS
    )
    assert (verdict.word, verdict.n) == (OPEN, 1)
    assert (verdict.low, verdict.high) == (-math.inf, math.inf)
    assert math.isfinite(verdict.value)


def test_the_guess_of_each_data_set_is_its_own():
    claim = Claim("", "a guess", "alike", "norm", "chance")
    tables = {name: _study(5, {"norm": 0.0}) for name in ("ten", "hundred")}
    rows = [
        row
        for name, table in tables.items()
        for row in _rows(table, PROBE._replace(dataset=name))
    ]
    found = verdicts([claim], rows, {"ten": 0.1, "hundred": 0.01})
    for verdict, table, chance in zip(found, tables.values(), (0.1, 0.01), strict=True):
        assert verdict.value == pytest.approx(table["norm"].mean() - chance)

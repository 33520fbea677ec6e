"""What pruning leaves, by group of norm: against SciPy and constructions."""

import numpy as np
import pytest
import scipy.stats

from jaxsel.errors import UserError
from jaxsel.evaluation.pruned import After, norm_bias


def _examples(n=103, seed=0):
    generator = np.random.default_rng(seed)
    norms = generator.gamma(9, size=n)
    labels = generator.integers(0, 4, n)
    predictions = np.where(generator.random(n) < 0.8, labels, (labels + 1) % 4)
    return generator, norms, predictions, labels


def test_the_groups_and_their_means_are_scipys():
    generator, norms, predictions, labels = _examples()
    retained = generator.uniform(0.2, 0.9, 103)
    changed = generator.random(103) < 0.3
    after = After(norms * retained, np.where(changed, 3 - predictions, predictions))
    bias = norm_bias(norms, predictions, {0.7: after}, labels)
    (found,) = bias.pruned
    assert found.sparsity == 0.7
    assert len(found.groups) == len(bias.groups) == 10
    # Ranks cut as array_split cuts: three groups of 11, seven of 10.
    ends = np.cumsum([11] * 3 + [10] * 7)
    group = np.searchsorted(ends, scipy.stats.rankdata(norms) - 1, side="right")
    kept = after.predictions == predictions
    for i in range(10):
        here = group == i
        part, before = found.groups[i], bias.groups[i]
        assert (before.low, before.high) == (norms[here].min(), norms[here].max())
        for estimate, values in (
            (part.retained, retained[here]),
            (part.kept, kept[here]),
            (part.accuracy, (after.predictions == labels)[here]),
            (before.accuracy, (predictions == labels)[here]),
        ):
            assert estimate.n == here.sum()
            assert estimate.mean == pytest.approx(values.mean(), rel=1e-12)
            assert estimate.standard_error == pytest.approx(
                scipy.stats.sem(values.astype(float)), rel=1e-9, abs=1e-15
            )
    for relation, values in ((found.retained, retained), (found.kept, kept)):
        assert relation.pearson.r == pytest.approx(
            scipy.stats.pearsonr(norms, values).statistic, rel=1e-8
        )
        assert relation.spearman.rho == pytest.approx(
            scipy.stats.spearmanr(norms, values).statistic, rel=1e-8
        )
        assert relation.pearson.n == 103


def test_a_network_that_spares_high_norms_is_found_out():
    _, norms, predictions, labels = _examples()
    threshold = np.median(norms)
    after = After(
        norms * (0.2 + 0.05 * norms),
        np.where(norms > threshold, predictions, 9),
    )
    (found,) = norm_bias(norms, predictions, {0.9: after}, labels, groups=4).pruned
    assert found.retained.spearman.rho == pytest.approx(1)
    assert found.kept.pearson.r > 0.7
    retained = [group.retained.mean for group in found.groups]
    assert retained == sorted(retained)
    kept = [group.kept.mean for group in found.groups]
    assert (kept[0], kept[-1]) == (0, 1)


def test_nothing_pruned_leaves_all_and_correlates_with_nothing():
    _, norms, predictions, labels = _examples()
    same = After(norms.astype(np.float32), predictions)
    bias = norm_bias(norms, predictions, {0.0: same}, labels)
    (found,) = bias.pruned
    assert found.retained is found.kept is None
    for before, part in zip(bias.groups, found.groups, strict=True):
        assert part.retained.mean == pytest.approx(1, abs=1e-6)
        assert part.kept.mean == 1
        assert part.accuracy == before.accuracy


def test_sparsities_ascend_and_a_dead_network_is_drawn():
    _, norms, predictions, labels = _examples()
    dead = After(np.zeros(103), np.zeros(103, int))
    same = After(norms, predictions)
    bias = norm_bias(norms, predictions, {1.0: dead, 0.2: same}, labels)
    assert [each.sparsity for each in bias.pruned] == [0.2, 1.0]
    assert bias.pruned[1].retained is None
    assert all(group.retained.mean == 0 for group in bias.pruned[1].groups)


def test_tied_norms_are_cut_by_row():
    norms = np.array([2.0, 1, 1, 1, 1, 2, 2, 2])
    after = After(np.arange(8.0) * norms, np.zeros(8, int))
    bias = norm_bias(norms, np.zeros(8, int), {0.5: after}, np.zeros(8, int), groups=4)
    assert [group.retained.mean for group in bias.pruned[0].groups] == [
        1.5,
        3.5,
        2.5,
        6.5,
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.zeros(9, int)}, r"one shape \[n\], found \[8\], \[8\], \[9\]"),
        ({"groups": 5}, "8 examples and 5 groups"),
        ({"groups": 1}, "8 examples and 1 groups"),
        ({"norms": np.arange(8.0)}, "found 1 that are not"),
        ({"norms": 1 + 1e-8 * np.arange(8)}, "found 1 for every example"),
        ({"after": {1.2: None}}, "found 1.2"),
        ({"after": {0.5: After(np.ones(7), np.ones(7))}}, r"shape \[8\] at sparsity"),
        ({"after": {0.5: After(-np.ones(8), np.ones(8))}}, "found 8 that are not"),
        ({"after": {0.5: After(np.full(8, np.nan), np.ones(8))}}, "8 that are not"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message):
    norms = np.arange(1.0, 9.0)
    arguments = {
        "norms": norms,
        "predictions": np.zeros(8, int),
        "after": {0.5: After(norms**2, np.arange(8) % 2)},
        "labels": np.zeros(8, int),
        "groups": 2,
    }
    if "after" in change and change["after"].get(1.2, 0) is None:
        change = {"after": {1.2: arguments["after"][0.5]}}
    with pytest.raises(UserError, match=message):
        norm_bias(**{**arguments, **change})

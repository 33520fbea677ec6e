"""The law that norms induce, against SciPy and by hand."""

import numpy as np
import pytest
import scipy.stats

from jaxsel.errors import UserError
from jaxsel.evaluation.spread import norm_sampling


def test_the_numbers_are_scipys():
    norms = np.random.default_rng(0).gamma(4, 5, 3000).astype(np.float32)
    found = norm_sampling(norms)
    wide = norms.astype(np.float64)
    share = wide / wide.sum()
    assert found.n == 3000
    assert found.mean == pytest.approx(wide.mean(), rel=1e-12)
    assert found.variation == pytest.approx(scipy.stats.variation(wide), rel=1e-12)
    assert found.effective_share == pytest.approx(
        np.exp(scipy.stats.entropy(share)) / 3000, rel=1e-12
    )
    assert found.largest_weight == pytest.approx(3000 * share.max(), rel=1e-12)
    assert (found.low, found.high) == pytest.approx(
        tuple(np.percentile(wide, (1, 99))), rel=1e-12
    )


def test_the_variation_is_what_a_draw_gains():
    norms = np.random.default_rng(1).gamma(3, size=50)
    found = norm_sampling(norms)
    drawn = (norms / norms.sum()) @ norms
    assert drawn == pytest.approx(found.mean * (1 + found.variation**2), rel=1e-12)


def test_the_uniform_law_is_the_whole_pool():
    found = norm_sampling(np.full(7, 0.3))
    assert found.effective_share == pytest.approx(1, abs=1e-12)
    assert found.effective_share <= 1
    assert (found.variation, found.largest_weight) == pytest.approx((0, 1), abs=1e-12)


def test_a_law_uniform_on_some_is_their_share():
    norms = np.zeros(20)
    norms[3:8] = 6
    found = norm_sampling(norms)
    assert (found.effective_share, found.largest_weight) == pytest.approx((0.25, 4))


def test_the_scale_does_not_matter():
    norms = np.random.default_rng(2).gamma(3, size=50)
    one = norm_sampling(norms)
    for scale in (1e-200, 1e200):
        other = norm_sampling(scale * norms)
        assert other.variation == pytest.approx(one.variation, rel=1e-12)
        assert other[5:] == pytest.approx(one[5:], rel=1e-12)
        assert other.mean == pytest.approx(scale * one.mean, rel=1e-12)


@pytest.mark.parametrize(
    ("norms", "message"),
    [
        ([], r"found \[0\]"),
        ([[1.0]], r"found \[1, 1\]"),
        ([1.0, np.nan, -1.0], "found 2 that are not"),
        ([0.0, 0.0], "only zeros"),
    ],
)
def test_what_induces_no_law_is_refused(norms, message):
    with pytest.raises(UserError, match=message):
        norm_sampling(np.array(norms))

"""The forms of an encoder's features, against scikit-learn and by definition."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from jaxsel.errors import UserError
from jaxsel.features import representation
from jaxsel.features.representation import apply, fit, represent

ROWS = np.random.default_rng(0).normal(size=(50, 7)) + 3


def test_centred_is_the_unit_row_less_the_mean_of_all():
    unit = normalize(ROWS)
    np.testing.assert_allclose(
        represent(ROWS, "centred"), unit - unit.mean(0), atol=1e-7
    )


@pytest.mark.parametrize("block", [8192, 16, 1])
def test_components_are_scikit_learns_up_to_sign(monkeypatch, block):
    monkeypatch.setattr(representation, "_BLOCK", block)
    ours = represent(ROWS, "components", components=3)
    theirs = PCA(3, svd_solver="full").fit_transform(normalize(ROWS))
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-6)


def test_raw_is_the_rows_themselves():
    assert represent(ROWS, "raw") is ROWS


def test_other_rows_follow_the_pool():
    axes = fit(ROWS, "components", components=2)
    np.testing.assert_allclose(apply(ROWS, axes)[:5], apply(ROWS[:5], axes), atol=1e-6)


def test_few_rows_have_few_components_and_a_zero_row_is_finite():
    rows = np.vstack([ROWS[:3], np.zeros(7)])
    found = represent(rows, "components")
    assert found.shape == (4, 4) and np.isfinite(found).all()


def test_an_unknown_form_is_refused():
    with pytest.raises(UserError, match="raw, centred, components"):
        represent(ROWS, "whitened")

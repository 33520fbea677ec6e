"""The weighted vote against scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from jaxsel.errors import UserError
from jaxsel.pretraining.knn import knn_accuracy


@pytest.mark.parametrize(("k", "temperature"), [(1, 0.1), (20, 0.1), (100, 0.5)])
def test_the_vote_is_scikit_learns(k, temperature):
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((5, 8))
    labels, asked = rng.integers(0, 5, 400), rng.integers(0, 5, 300)
    bank = (centres[labels] + 2 * rng.standard_normal((400, 8))).astype(np.float32)
    queries = (centres[asked] + 2 * rng.standard_normal((300, 8))).astype(np.float32)
    # Rows of any length: only their direction counts.
    queries *= rng.uniform(0.1, 10, (300, 1)).astype(np.float32)

    def votes(distances):
        return np.exp((1 - distances) / temperature)

    oracle = KNeighborsClassifier(k, weights=votes, metric="cosine", algorithm="brute")
    oracle.fit(bank.astype(np.float64), labels)
    expected = oracle.score(queries.astype(np.float64), asked)
    found = knn_accuracy(
        bank, labels, queries, asked, n_classes=5, k=k, temperature=temperature
    )
    assert 0.3 < expected < 0.9
    assert abs(found - expected) <= 1 / 300, "one query may be a tie"


def test_too_small_a_bank_is_refused():
    rows = np.eye(3, dtype=np.float32)
    with pytest.raises(UserError, match="100 rows of bank"):
        knn_accuracy(rows, [0, 1, 2], rows, [0, 1, 2], n_classes=3)


def test_rows_that_are_not_finite_neither_vote_nor_are_right():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 5
    bank = np.eye(8, dtype=np.float32)[labels] + 0.1 * rng.normal(size=(400, 8))
    queries = bank[:300].astype(np.float32)
    given = {"n_classes": 5, "k": 20, "temperature": 0.1}
    assert knn_accuracy(bank, labels, queries, labels[:300], **given) == 1
    queries[[0, 123, 299], 3] = [np.nan, np.inf, np.nan]
    bank[5:200:7, 2] = np.nan
    found = knn_accuracy(bank, labels, queries, labels[:300], **given)
    assert found == pytest.approx(297 / 300)
    bank[:] = np.nan
    assert knn_accuracy(bank, labels, queries, labels[:300], **given) == 0

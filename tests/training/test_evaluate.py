"""Scores in batches against scikit-learn on the whole set."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import log_loss, recall_score

from jaxsel.training.evaluate import evaluate


@pytest.mark.parametrize("batch", [1, 7, 10, 40, 100])
def test_batches_do_not_change_the_score(batch):
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((40, 3)).astype(np.float32)
    y = np.arange(40, dtype=np.int32) % 3
    score = evaluate(
        jax.random.key(0),
        lambda key, x: x,
        jnp.asarray(logits),
        jnp.asarray(y),
        n_classes=3,
        batch=batch,
    )
    guess = logits.argmax(1)
    assert score.accuracy == pytest.approx((guess == y).mean())
    odds = np.exp(logits.astype(np.float64))
    expected = log_loss(y, odds / odds.sum(1, keepdims=True))
    assert score.loss == pytest.approx(expected, rel=1e-5)
    expected = recall_score(y, guess, average=None)
    np.testing.assert_allclose(score.per_class_accuracy, expected, rtol=1e-6)


def test_predictions_that_are_not_finite_are_wrong():
    logits = jnp.array([[jnp.nan, 1.0], [2.0, 1.0], [jnp.inf, 0.0], [0.0, 1.0]])
    score = evaluate(
        jax.random.key(0),
        lambda key, x: x,
        logits,
        jnp.array([0, 0, 0, 1]),
        n_classes=2,
        batch=3,
    )
    assert score.accuracy.item() == 0.5
    np.testing.assert_allclose(score.per_class_accuracy, [1 / 3, 1.0], rtol=1e-6)
    assert not np.isfinite(score.loss)

"""Streamed trainings are the in-memory ones, with the test set read batch by batch."""

import jax
import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.training.frameworks import FRAMEWORKS
from jaxsel.training.linear_probe import LinearProbe
from jaxsel.training.streamed import train_streamed
from jaxsel.training.task import Task

SETTINGS = LinearProbe(epochs=10, min_batch=8, eval_batch=4)


def task() -> Task:
    draws = np.random.default_rng(0)
    centres = draws.normal(size=(3, 5)) * 2
    labels = draws.integers(0, 3, 40).astype(np.int32)
    rows = (centres[labels] + draws.normal(size=(40, 5))).astype(np.float32)
    return Task(rows[:30], labels[:30], rows[30:], labels[30:])


def streamed(data: Task, batch: int, picks: np.ndarray, test_y: np.ndarray):
    learner = FRAMEWORKS["linear_probe"].learner(SETTINGS, 3)
    return train_streamed(
        learner,
        SETTINGS,
        jax.random.split(jax.random.key(1), len(picks)),
        ((data.train_x[rows], data.train_y[rows]) for rows in picks),
        lambda: (data.test_x[i : i + batch] for i in range(0, len(data.test_x), batch)),
        test_y,
        n_classes=3,
    )


def test_the_same_runs_as_in_memory() -> None:
    data = task()
    picks = np.arange(12, dtype=np.int32).reshape(2, 6)
    train = FRAMEWORKS["linear_probe"].make_train(SETTINGS, 3, "map")
    padded = np.pad(picks, ((0, 0), (0, 2)))
    keys = jax.random.split(jax.random.key(1), 2)
    expected = jax.jit(train)(keys, padded, np.array([6, 6]), data)
    found = streamed(data, 4, picks, data.test_y)
    assert 0.4 < found.accuracy[0] <= 1
    np.testing.assert_allclose(found.accuracy, expected.accuracy, rtol=1e-6)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-5)
    np.testing.assert_allclose(
        found.per_class_accuracy, expected.per_class_accuracy, rtol=1e-6
    )
    np.testing.assert_array_equal(found.diverged_step, [-1, -1])


@pytest.mark.parametrize("change", [-1, 1])
def test_a_test_set_that_changed_is_refused(change: int) -> None:
    data = task()
    length = len(data.test_y) + change
    with pytest.raises(UserError, match=f"expected {length} test images"):
        streamed(data, 4, np.arange(6)[None], np.resize(data.test_y, length))

"""The linear probe against a float64 descent, and what replicates owe each other."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.training import FRAMEWORKS, Metrics, Task, group_shape
from jaxsel.training.linear_probe import LinearProbe

PROBE = FRAMEWORKS["linear_probe"]
SETTINGS = LinearProbe(epochs=60, learning_rate=0.05, min_batch=32, eval_batch=64)


@pytest.fixture(scope="module")
def task():
    """Five Gaussian classes in 16 dimensions; row 0 is absurdly far away."""
    rng = np.random.default_rng(0)
    centres = 0.8 * rng.standard_normal((5, 16))

    def draw(n):
        y = np.arange(n) % 5
        x = centres[y] + rng.standard_normal((n, 16))
        return jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.int32)

    train_x, train_y = draw(400)
    return Task(train_x.at[0].set(3e38), train_y, *draw(300))


@pytest.fixture(scope="module")
def runs():
    """Four labelled sets of different sizes; the last contains row 0."""
    rng = np.random.default_rng(1)
    sizes = np.array([32, 16, 5, 20], np.int32)
    indices = np.zeros((4, 32), np.int32)
    for row, size in zip(indices, sizes, strict=True):
        row[:size] = rng.choice(np.arange(1, 400), size, replace=False)
    indices[3, 7] = 0
    return (
        jax.random.split(jax.random.key(5), 4),
        jnp.asarray(indices),
        jnp.asarray(sizes),
    )


@pytest.fixture(scope="module")
def train():
    return jax.jit(chex.assert_max_traces(PROBE.make_train(SETTINGS, 5, "vmap"), 2))


@pytest.fixture(scope="module")
def together(train, runs, task):
    return train(*runs, task)


def by_definition(key, x, y, task):
    """Full-batch Nesterov SGD on the mean cross-entropy, in float64."""
    # The start is the learner's own; the descent from there is not.
    key_start = jax.random.split(jax.random.split(key)[0], 3)[0]
    start = PROBE.learner(SETTINGS, 5).start(key_start, jnp.asarray(x[:1]))[0]
    weights = np.vstack([start["weight"], start["bias"]]).astype(np.float64)
    x = np.hstack([np.asarray(x, np.float64), np.ones((len(x), 1))])
    velocity = np.zeros_like(weights)

    def losses(x, y):
        logits = x @ weights
        logits = logits - logits.max(1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        return logs, -logs[np.arange(len(y)), y].mean()

    for epoch in range(SETTINGS.epochs):
        logs, loss = losses(x, y)
        residual = np.exp(logs)
        residual[np.arange(len(y)), y] -= 1
        gradient = x.T @ residual / len(y) + SETTINGS.weight_decay * weights
        velocity = 0.9 * velocity + gradient
        rate = 0.05 * 0.5 * (1 + np.cos(np.pi * epoch / SETTINGS.epochs))
        weights = weights - rate * (gradient + 0.9 * velocity)
    test_x, test_y = np.asarray(task.test_x, np.float64), np.asarray(task.test_y)
    logs, test_loss = losses(np.hstack([test_x, np.ones((len(test_x), 1))]), test_y)
    return loss, test_loss, (logs.argmax(1) == test_y).mean()


@pytest.mark.parametrize("run", [0, 1])
def test_descent(run, together, runs, task):
    """32 labels fill a batch, 16 are in it twice: both are plain gradient descent."""
    keys, indices, sizes = runs
    rows = np.asarray(indices[run, : sizes[run]])
    x, y = np.asarray(task.train_x)[rows], np.asarray(task.train_y)[rows]
    loss, test_loss, accuracy = by_definition(keys[run], x, y, task)
    assert together.final_train_loss[run] == pytest.approx(loss, rel=1e-3)
    assert together.loss[run] == pytest.approx(test_loss, rel=1e-3)
    assert together.accuracy[run] == pytest.approx(accuracy, abs=2 / 300)
    assert accuracy > 0.7


def test_a_diverging_run_is_recorded_and_the_others_go_on(together, task):
    assert together.diverged_step[:3].tolist() == [-1, -1, -1]
    assert 0 <= together.diverged_step[3] < SETTINGS.epochs
    assert together.accuracy[3] == 0.0
    assert np.isfinite(together.accuracy).all()
    assert (np.asarray(together.accuracy[:3]) > 0.4).all()
    assert together.per_class_accuracy.shape == (4, 5)
    np.testing.assert_allclose(
        together.per_class_accuracy.mean(1), together.accuracy, rtol=1e-5
    )


def test_other_rows_and_sizes_run_the_same_program(train, together, runs, task):
    """And a run's result depends neither on its place nor on its neighbours."""
    turned = [jnp.roll(x, 1, axis=0) for x in runs[1:]]
    keys = runs[0][jnp.array([3, 0, 1, 2])]
    again = train(keys, *turned, task)
    again = jax.tree.map(lambda x: jnp.roll(x, -1, axis=0), again)
    close(again, together)
    assert train._cache_size() == 1


def close(a, b):
    for name, x, y in zip(Metrics._fields, a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("mode", ["map", "vmap", "chunks"])
def test_modes_and_other_neighbours_agree(mode, together, runs, task):
    train = jax.jit(PROBE.make_train(SETTINGS, 5, mode, together=2))
    some = train(*[x[1:] for x in runs], task)  # in chunks: two, and one alone
    close(some, jax.tree.map(lambda x: x[1:], together))


def test_what_stands_beyond_the_size_is_not_used(train, together, runs, task):
    keys, indices, sizes = runs
    beyond = jnp.arange(32)[None, :] >= sizes[:, None]
    filled = train(keys, jnp.where(beyond, 399, indices), sizes, task)
    close(filled, together)


def test_shapes_of_groups():
    assert group_shape(LinearProbe(), 10) == (100, 100)
    assert group_shape(LinearProbe(batch_cap=100), 250) == (250, 100)


def test_bad_input_is_refused(runs, task):
    with pytest.raises(UserError, match="one of auto, vmap, map, chunks, found"):
        PROBE.make_train(SETTINGS, 5, "pmap")
    with pytest.raises(UserError, match="at least 1 class, found 0"):
        PROBE.make_train(SETTINGS, 0)
    with pytest.raises(UserError, match=r"linear_probe\.epochs: expected at least 1"):
        PROBE.make_train(LinearProbe(epochs=0), 5)
    train = PROBE.make_train(SETTINGS, 5)
    with pytest.raises(UserError, match=r"padded to 32 .* found 20"):
        jax.eval_shape(train, runs[0], runs[1][:, :20], runs[2], task)
    images = task._replace(train_x=jnp.zeros((400, 4, 4, 1), jnp.uint8))
    with pytest.raises(UserError, match="rows of features, not images"):
        jax.eval_shape(train, *runs, images)


@pytest.mark.parametrize("mode", ["vmap", "map"])
def test_lowers_for_cuda(mode, runs, task):
    train = PROBE.make_train(SETTINGS, 5, mode)
    exported = jax.export.export(jax.jit(train), platforms=["cuda"])(*runs, task)
    assert exported.platforms == ("cuda",)
    assert exported.out_avals[0].shape == (4,)

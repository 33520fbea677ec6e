"""The loop of framework (iii) around a method in miniature; the methods' total loss."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.training import FlexMatch, SimMatch, Task, semi_step
from jaxsel.training.curriculum import flexmatch_losses
from jaxsel.training.flexmatch import flexmatch_learner
from jaxsel.training.semi_step import Batch, SemiLearner
from jaxsel.training.semi_supervised import advance, begin, metrics_of
from jaxsel.training.similarity import SimMatchOptions, simmatch_losses
from jaxsel.training.simmatch import simmatch_learner

N, LABELS = 12, 4
SETTINGS = FlexMatch(
    iterations=6, eval_every=3, labelled_batch=2, unlabelled_ratio=3, eval_batch=5,
    learning_rate=0.5, weight_decay=0.0, average_decay=0.75, pad=1, flip=True,
    mean=(0.0,), std=(1.0,),
)  # fmt: skip
KEY = jax.random.key(2)


def task_of():
    rng = np.random.default_rng(0)
    images = jnp.asarray(rng.integers(0, 256, (N + 7, 3, 4, 1), np.uint8))
    labels = jnp.arange(N + 7, dtype=jnp.int32) % 3
    return Task(images[:N], labels[:N], images[N:], labels[N:])


def miniature():
    """One weight that rises by every step; its memory is what the loop has shown it.

    It predicts class 1 where the weight is above its state, else class 0.
    """

    def forward(params, state, x):
        # Other pixels count otherwise, so that a shift is seen.
        return (x[..., 0] @ jnp.arange(1.0, 5.0)).sum(1) - params["w"], state

    def loss(memory, labelled, weak, strong, batch):
        shown, rows, slots, classes = memory
        shown = shown.at[batch.step].set(jnp.concatenate([labelled, weak, strong]))
        memory = (
            shown, rows.at[batch.rows].add(1), slots.at[batch.slots].add(1),
            classes.at[batch.step].set(batch.labels),
        )  # fmt: skip
        return labelled.mean(), jax.lax.stop_gradient(memory)

    def predict(params, border, x):
        logit = jnp.full(len(x), params["w"] - border)
        return jnp.stack([jnp.zeros(len(x)), logit, jnp.full(len(x), -9.0)], axis=1)

    def blank(key, n, m):
        return np.zeros((6, 14)), np.zeros(n), np.zeros(m), np.zeros((6, 2), np.int32)

    def start(key, x):
        return {"w": jnp.float32(0)}, jnp.float32(0)

    return SemiLearner(start, forward, predict, blank, loss)


LEARNER = miniature()
ROWS = np.array([7, 2, 10, 5], np.int32)


@functools.partial(jax.jit, static_argnames="settings")
def part(carry, task, settings):
    return advance(KEY, carry, jnp.asarray(ROWS), task, LEARNER, settings, 3)


@pytest.fixture(scope="module")
def train():
    """Of settings, how many parts and a border: the training after each part."""

    def carries(settings, parts, border=0.0):
        task = task_of()
        carry = begin(KEY, jnp.asarray(ROWS), task, LEARNER, settings, 3)
        found = [carry._replace(state=jnp.float32(border))]
        for _ in range(parts):
            found.append(part(found[-1], task, settings))
        return found[1:]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(semi_step, "rand_augment", lambda _, images, count: images)
        yield carries


def test_a_training_in_parts_is_the_training_in_one(train):
    (whole,) = train(SETTINGS._replace(eval_every=6), 1)
    *_, last = train(SETTINGS, 2)
    assert last.step == whole.step == 6
    for mine, theirs in zip(
        jax.tree.leaves(last.memory), jax.tree.leaves(whole.memory), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
    np.testing.assert_allclose(last.average["w"], whole.average["w"], rtol=1e-6)


def test_every_row_and_label_comes_equally_often(train):
    *_, last = train(SETTINGS, 2)
    shown, rows, slots, classes = last.memory
    assert rows.tolist() == [6 * 6 / N] * N  # 6 steps of 6 unlabelled images
    assert slots.tolist() == [6 * 2 / LABELS] * LABELS
    assert sorted(classes.ravel().tolist()) == sorted([7 % 3, 2, 10 % 3, 5 % 3] * 3)
    assert (shown != 0).all()


def test_the_average_is_scored_and_the_highest_score_kept(train):
    first, last = train(SETTINGS, 2)
    # The weight is ahead of its average: between the two, the average decides.
    assert first.average["w"] < first.params["w"] < last.average["w"]
    border = float(first.average["w"] + first.params["w"]) / 2
    share = (np.arange(N, N + 7) % 3 == np.array([[0], [1]])).mean(axis=1)
    for carry, expected in zip(train(SETTINGS, 2, border), share, strict=True):
        np.testing.assert_allclose(carry.score.accuracy, expected, rtol=1e-6)
    assert metrics_of(carry).best_accuracy == pytest.approx(share.max())


def outputs(seed, k=3, d=4, b=5, m=6):
    rng = np.random.default_rng(seed)
    logits = [jnp.asarray(4 * rng.normal(size=(n, k)), jnp.float32) for n in (b, m, m)]
    vectors = [jnp.asarray(rng.normal(size=(n, d)), jnp.float32) for n in (b, m, m)]
    vectors = [v / jnp.linalg.norm(v, axis=1, keepdims=True) for v in vectors]
    labels = jnp.asarray(rng.integers(0, k, b), jnp.int32)
    batch = Batch(jnp.int32(9), jnp.arange(b, dtype=jnp.int32), labels, jnp.arange(m))
    return logits, vectors, batch


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_the_total_of_flexmatch_weighs_its_parts(weight):
    logits, _, batch = outputs(0)
    learner = flexmatch_learner(FlexMatch(unlabelled_weight=weight), 3)
    memory = learner.begin(KEY, 20, 5)
    total, after = learner.loss(memory, *logits, batch)
    parts, expected = flexmatch_losses(
        memory, *logits, batch.labels, batch.rows, cutoff=0.95, warm_up=True
    )
    assert parts.consistency > 0.1
    assert total == pytest.approx(parts.labelled + weight * parts.consistency)
    assert (after.labels == expected.labels).all()


@pytest.mark.parametrize("weights", [(1.0, 1.0), (3.0, 1.0), (1.0, 3.0)])
def test_the_total_of_simmatch_weighs_its_parts(weights):
    logits, vectors, batch = outputs(1)
    classes, similar = weights
    settings = SimMatch(
        unlabelled_weight=classes, similarity_weight=similar, projection=4,
        first_steps=3, cutoff=0.4,
    )  # fmt: skip
    learner = simmatch_learner(settings, 3)
    memory = learner.begin(KEY, 20, 5)
    total, _ = learner.loss(memory, *zip(logits, vectors, strict=True), batch)
    options = SimMatchOptions(cutoff=0.4, first_steps=3)
    parts, _ = simmatch_losses(
        memory, tuple(logits), tuple(vectors), batch.labels, batch.slots, batch.step,
        options,
    )  # fmt: skip
    assert parts.consistency > 0.1 and parts.similarity > 0.1
    assert total == pytest.approx(
        parts.labelled + classes * parts.consistency + similar * parts.similarity
    )

"""FlexMatch's curriculum and losses against numbers from the PyTorch reference."""

import functools
import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.training.curriculum import (
    Curriculum,
    advance_curriculum,
    begin_curriculum,
    class_thresholds,
    flexmatch_losses,
)
from jaxsel.training.slots import last_writer, write

STEPS, POOL, CLASSES = 6, 200, 10


@functools.partial(jax.jit, static_argnames="warm_up")
def step(curriculum, labelled, weak, strong, labels, rows, warm_up):
    def total(labelled, weak, strong):
        losses, after = flexmatch_losses(
            curriculum, labelled, weak, strong, labels, rows,
            cutoff=0.95, warm_up=warm_up,
        )  # fmt: skip
        return losses.labelled + losses.consistency, (losses, after)

    gradient = jax.grad(total, argnums=(0, 1, 2), has_aux=True)
    return gradient(labelled, weak, strong)


def close(found, expected, limit=1e-5):
    scale = max(np.abs(expected).max(), 1e-30)
    assert np.abs(np.asarray(found) - expected).max() / scale < limit


@pytest.mark.shared
@pytest.mark.parametrize("run", ["warmup", "nowarmup"])
def test_six_steps_of_the_reference(shared, run):
    golden = np.load(shared / "golden" / "training" / "c04_flexmatch.npz")
    expected = {
        key.removeprefix(run + "_"): golden[key]
        for key in golden.files
        if key.startswith(run + "_")
    }
    curriculum = begin_curriculum(POOL, CLASSES)
    for t in range(STEPS):
        close(curriculum.learned, expected["classwise_acc_before"][t])
        gradients, (losses, curriculum) = step(
            curriculum,
            *(jnp.asarray(golden[f"logits_{part}"][t]) for part in ("lb", "weak")),
            jnp.asarray(golden["logits_strong"][t]),
            jnp.asarray(golden["labels_lb"][t], jnp.int32),
            jnp.asarray(golden["idx_ulb"][t], jnp.int32),
            run == "warmup",
        )
        close(losses.thresholds, expected["class_thresholds"][t])
        np.testing.assert_array_equal(losses.mask, expected["mask"][t] == 1)
        np.testing.assert_array_equal(losses.pseudo, expected["pseudo_label"][t])
        close(losses.labelled, expected["sup_loss"][t])
        close(losses.consistency, expected["unsup_loss"][t])
        close(curriculum.learned, expected["classwise_acc_after"][t])
        remembered = np.asarray(curriculum.labels).astype("<i8").tobytes()
        digest = hashlib.sha256(remembered).hexdigest()
        assert digest == expected["selected_label_after_sha256"][t]
        close(gradients[0], expected["grad_logits_lb"][t])
        assert not np.asarray(gradients[1]).any()
        close(gradients[2], expected["grad_logits_strong"][t])
    assert expected["class_thresholds"][-1].max() == pytest.approx(0.95)


def test_of_an_example_named_twice_the_last_confident_prediction_counts():
    after = advance_curriculum(
        begin_curriculum(4, 3),
        rows=jnp.array([2, 0, 2, 2]),
        pseudo=jnp.array([1, 0, 2, 0]),
        confident=jnp.array([True, True, True, False]),
        warm_up=False,
    )
    assert after.labels.tolist() == [0, -1, 2, -1]
    assert after.learned.tolist() == [1.0, 0.0, 1.0]


def test_one_value_in_all_of_the_memory_leaves_the_classes_alone():
    before = Curriculum(jnp.array([1, 0]), jnp.array([0.5, 0.25]))
    rows, pseudo = jnp.array([1]), jnp.array([1])
    after = advance_curriculum(before, rows, pseudo, jnp.array([True]), warm_up=True)
    assert after.labels.tolist() == [1, 1]
    assert after.learned.tolist() == [0.5, 0.25]


def test_thresholds_rise_slowly_at_first():
    thresholds = np.asarray(class_thresholds(jnp.linspace(0, 1, 11), 0.9))
    assert thresholds[0] == 0 and thresholds[-1] == pytest.approx(0.9)
    assert (np.diff(thresholds, 2) > 0).all()


def test_last_writer_against_a_loop():
    rng = np.random.default_rng(0)
    slots, writes = rng.integers(0, 9, 40), rng.random(40) < 0.6
    values, memory = rng.normal(size=(40, 3)), rng.normal(size=(9, 3))
    expected, winner = memory.astype(np.float32).copy(), np.full(9, -1)
    for i in range(40):
        if writes[i]:
            expected[slots[i]], winner[slots[i]] = values[i], i
    found = last_writer(jnp.asarray(slots), jnp.asarray(writes), 9)
    np.testing.assert_array_equal(found, winner)
    new = write(jnp.asarray(memory, jnp.float32), jnp.asarray(values), found)
    np.testing.assert_array_equal(new, expected)

"""SimMatch's bank and losses against numbers from the PyTorch reference."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.training.similarity import (
    Bank,
    SimMatchOptions,
    align,
    begin_bank,
    propagate,
    remember,
    simmatch_losses,
)

PARTS = ("lb", "weak", "strong")


@functools.partial(jax.jit, static_argnames="options")
def step(bank, logits, vectors, labels, slots, number, options):
    def total(logits, vectors):
        losses, after = simmatch_losses(
            bank, logits, vectors, labels, slots, number, options
        )
        return sum(losses[:3]), (losses, after)

    return jax.grad(total, argnums=(0, 1), has_aux=True)(logits, vectors)


def close(found, expected, limit=1e-5):
    scale = max(np.abs(expected).max(), 1e-30)
    assert np.abs(np.asarray(found) - expected).max() / scale < limit


@pytest.mark.shared
@pytest.mark.parametrize("slots", [10, 40])
@pytest.mark.parametrize(("run", "norm"), [("ref", "batch"), ("pervec", "vector")])
def test_four_steps_of_the_reference(shared, slots, run, norm):
    golden = np.load(shared / "golden" / "training" / f"c05_simmatch_K{slots}.npz")
    expected = {
        key.removeprefix(run + "_"): golden[key]
        for key in golden.files
        if key.startswith(run + "_")
    }
    options = SimMatchOptions(first_steps=2, bank_norm=norm)
    bank = Bank(
        jnp.asarray(golden["in_bank_initial"].T),
        jnp.zeros(slots, jnp.int32),
        jnp.zeros((32, 10)),
        jnp.int32(0),
    )
    for t in range(4):
        logits, vectors = (
            tuple(jnp.asarray(golden[f"in_{kind}_{part}"][t]) for part in PARTS)
            for kind in ("logits", "feat")
        )
        aligned, _ = align(jax.nn.softmax(logits[1]), bank)
        close(aligned, expected["aligned_probs"][t])
        np.testing.assert_array_equal(bank.labels, expected["labels_bank_before"][t])
        teacher = jax.nn.softmax(vectors[1] @ bank.vectors.T / 0.1)
        close(teacher, expected["teacher_sim"][t])
        target, mixed = propagate(aligned, teacher, bank.labels, 0.9)
        close(target, expected["teacher_target"][t])
        close(mixed, expected["pseudo_probs_mixed"][t])
        gradients, (losses, bank) = step(
            bank,
            logits,
            vectors,
            jnp.asarray(golden["in_labels_lb"][t], jnp.int32),
            jnp.asarray(golden["in_idx_lb"][t], jnp.int32),
            jnp.int32(t),
            options,
        )
        close(losses.pseudo, expected["pseudo_probs_used"][t])
        np.testing.assert_array_equal(losses.mask, expected["mask"][t] == 1)
        close(losses.labelled, expected["loss_sup"][t])
        close(losses.consistency, expected["loss_unsup"][t])
        close(losses.similarity, expected["loss_in"][t])
        close(bank.vectors.T, expected["bank_after"][t])
        np.testing.assert_array_equal(bank.labels, expected["labels_bank_after"][t])
        close(bank.recent, expected["da_queue_after"][t])
        assert bank.next == expected["da_pointer_after"][t]
        check_gradients(*gradients, expected, t)


def check_gradients(logits, vectors, expected, t):
    close(logits[0], expected["grad_logits_lb"][t])
    close(logits[2], expected["grad_logits_strong"][t])
    close(vectors[2][:8], expected["grad_feat_strong_first8"][t])
    norm = np.linalg.norm(vectors[2])
    assert norm == pytest.approx(expected["gradnorm_feat_strong"][t], rel=1e-5)
    for nothing in (logits[1], vectors[0], vectors[1]):
        assert not np.asarray(nothing).any()


def test_the_bank_begins_with_unit_vectors_and_takes_the_last_of_equal_slots():
    bank = begin_bank(jax.random.key(0), 3, 5, queue=2, n_classes=4)
    np.testing.assert_allclose(jnp.linalg.norm(bank.vectors, axis=1), 1, rtol=1e-5)
    new = jnp.eye(5)[:3]
    slots, labels = jnp.array([1, 2, 1]), jnp.array([3, 1, 2])
    after = remember(bank, slots, new, labels, SimMatchOptions())
    mixed = 0.7 * np.asarray(bank.vectors[1]) + 0.3 * np.asarray(new[2])
    np.testing.assert_allclose(
        after.vectors[1], mixed / np.linalg.norm(mixed), rtol=1e-5
    )
    assert after.labels.tolist() == [0, 2, 1]
    chex.assert_trees_all_equal(after.vectors[0], bank.vectors[0])


def test_impossible_classes_make_no_nan():
    """All of the labelled examples are of a class that the network rules out."""
    aligned = jnp.array([[0.0, 1.0]])
    target, mixed = propagate(aligned, jnp.array([[0.4, 0.6]]), jnp.array([0, 0]), 0.9)
    assert target.tolist() == [[0.0, 0.0]]
    np.testing.assert_allclose(mixed, [[0.1, 0.9]], rtol=1e-6)

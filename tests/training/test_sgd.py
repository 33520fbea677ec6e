"""The cosine and the optimiser against PyTorch's, and against their definition."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsel.training import FlexMatch, semi_step
from jaxsel.training.optimiser import nesterov_sgd
from jaxsel.training.schedule import cosine_per_epoch, cosine_sevenths


@pytest.fixture
def golden(shared):
    return np.load(shared / "golden" / "training" / "c06_optim.npz")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "base", "epochs"),
    [("deepal200", 0.025, 200), ("deepal100", 0.025, 100), ("probe400", 2.5, 400)],
)
def test_cosine_of_the_reference(golden, name, base, epochs):
    rate = cosine_per_epoch(base, epochs, steps_per_epoch=3)
    first = jnp.asarray(golden[f"{name}_epochs"] * 3, jnp.int32)
    expected = golden[f"{name}_lr"]
    for offset in (0, 2):
        np.testing.assert_allclose(rate(first + offset), expected, atol=3e-6 * base)


@pytest.mark.shared
@pytest.mark.parametrize("decay", [0.0003, 0.2])
def test_trajectory_of_the_reference(golden, decay):
    matrix, vector = jnp.asarray(golden["quad_A"]), jnp.asarray(golden["quad_b"])
    optimiser = nesterov_sgd(
        cosine_per_epoch(0.1, 10, 1), momentum=0.9, weight_decay=decay
    )

    def step(carry, _):
        weights, momentum = carry
        gradient = jax.grad(lambda w: w @ matrix @ w / 2 - vector @ w)(weights)
        update, momentum = optimiser.update(gradient, momentum, weights)
        weights = optax.apply_updates(weights, update)
        return (weights, momentum), weights

    start = jnp.asarray(golden["quad_w0"], jnp.float32)
    _, path = jax.lax.scan(step, (start, optimiser.init(start)), length=10)
    expected = golden[f"deepal_wd{decay}_w"][1:]
    np.testing.assert_allclose(path, expected, atol=3e-6 * np.abs(expected).max())


@pytest.mark.shared
def test_sevenths_of_a_cosine_of_the_reference(golden):
    for name, steps in (("usb1048576", 1048576), ("usb1000", 1000)):
        rate = cosine_sevenths(0.03, steps)
        found = rate(jnp.asarray(golden[f"{name}_steps"], jnp.int32))
        np.testing.assert_allclose(found, golden[f"{name}_lr"], atol=3e-6 * 0.03)
    found = cosine_sevenths(0.03, 10)(jnp.arange(11))
    np.testing.assert_allclose(found, golden["usb10_lr_sequence"], atol=3e-6 * 0.03)


@pytest.mark.shared
@pytest.mark.parametrize(("decay", "keep"), [(0.0005, 0.999), (0.2, 0.9)])
def test_a_semi_supervised_step_decays_and_averages_as_the_reference(
    golden, decay, keep, monkeypatch
):
    """`take_step` itself, with a loss of the weights alone."""
    monkeypatch.setattr(semi_step, "rand_augment", lambda _, images, count: images)
    matrix, vector = jnp.asarray(golden["quad_A"]), jnp.asarray(golden["quad_b"])

    def f(p):
        w, b = p["weight"].reshape(-1), p["bias"]
        own = w @ matrix @ w / 2 - vector @ b
        return own + b @ matrix @ b / 2 + 0.1 * w @ b

    learner = semi_step.SemiLearner(
        start=None,  # type: ignore[arg-type]
        forward=lambda params, state, x: (jnp.full(len(x), f(params)), state),
        predict=None,  # type: ignore[arg-type]
        begin=None,  # type: ignore[arg-type]
        loss=lambda memory, labelled, *_: (labelled.mean(), memory),
    )
    settings = FlexMatch(
        learning_rate=0.1, iterations=10, weight_decay=decay, average_decay=keep,
        pad=0, flip=False, mean=(0.0,), std=(1.0,),
    )  # fmt: skip
    images = (jnp.zeros((1, 2, 2, 1), jnp.uint8),) * 2
    batch = semi_step.Batch(jnp.int32(0), *(jnp.zeros(1, jnp.int32),) * 3)

    def step(carry, keys):
        carry = semi_step.take_step(carry, keys, batch, images, learner, settings)
        return carry, (carry.params, carry.average)

    w0 = jnp.asarray(golden["quad_w0"], jnp.float32)
    start = {"weight": w0.reshape(2, 2), "bias": w0[::-1]}
    carry = semi_step.Carry(
        jnp.int32(0), start, start, (), semi_step.optimiser_of(settings).init(start),
        (), jnp.float32(0), jnp.int32(-1), jnp.float32(0), (),  # type: ignore[arg-type]
    )  # fmt: skip
    keys = jax.random.split(jax.random.key(0), (10, 2))
    _, (path, averages) = jax.lax.scan(step, carry, keys)
    for prefix, tree in (("", path), ("ema_", averages)):
        for leaf in ("weight", "bias"):
            expected = golden[f"usb_wd{decay}_ema{keep}_{prefix}{leaf}"][1:]
            np.testing.assert_allclose(
                tree[leaf], expected, atol=3e-6 * np.abs(expected).max()
            )


def test_decay_is_coupled_and_touches_every_parameter():
    """Two steps by hand: the penalty goes through the momentum, on vectors too."""
    optimiser = nesterov_sgd(0.5, momentum=0.9, weight_decay=0.1)
    weights = {"kernel": jnp.full((1, 1), 2.0), "bias": jnp.full((1,), 2.0)}
    state = optimiser.init(weights)
    for _ in range(2):
        gradient = jax.tree.map(jnp.ones_like, weights)
        update, state = optimiser.update(gradient, state, weights)
        weights = optax.apply_updates(weights, update)
    # g = 1 + .1·2 = 1.2, v = 1.2, w = 2 − .5·(1.2 + 1.08) = .86;
    # g = 1.086, v = .9·1.2 + 1.086 = 2.166, w = .86 − .5·(1.086 + 1.9494) = −.6577.
    for leaf in jax.tree.leaves(weights):
        assert leaf.item() == pytest.approx(-0.6577, abs=1e-6)

"""A step of training: by hand, in bfloat16, and compiled for a GPU."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from tiny_training import IMAGES, SETTINGS

from jaxsel.augment.views import simclr_views
from jaxsel.pretraining import simclr
from jaxsel.pretraining.simclr import epoch_order, loss_of, start, train_step


@pytest.mark.slow
def test_a_step_is_sgd_on_the_next_batch(monkeypatch):
    """With a loss whose gradient is `w · mean of the batch`, it can be written down."""

    def bowl(params, statistics, views, settings, lowering):
        squares = [jnp.square(leaf).sum() for leaf in jax.tree.leaves(params)]
        return sum(squares) / 2 * views[0].mean(), statistics

    monkeypatch.setattr(simclr, "loss_of", bowl)
    monkeypatch.setattr(simclr, "simclr_views", lambda key, images, _: (images, images))
    order = epoch_order(SETTINGS, 1, len(IMAGES))
    before = start(SETTINGS)
    velocity = jax.tree.map(lambda w: w + 0.01, before.params)
    before = before._replace(velocity=velocity, step=jnp.int32(8))
    after, _ = train_step(before, jnp.asarray(IMAGES), order, SETTINGS, "matmul")
    # Step 8 is the third of epoch 1, where the cosine is at 1/3 of its way.
    brightness = IMAGES[np.asarray(order)[8:12]].mean()
    final = SETTINGS.learning_rate * 1e-3
    rate = final + (SETTINGS.learning_rate - final) * (1 + np.cos(np.pi / 3)) / 2

    def check(weight, velocity, moved, turned):
        weight, velocity = np.float64(weight), np.float64(velocity)
        expected = 0.9 * velocity + weight * brightness + 1e-4 * weight
        np.testing.assert_allclose(turned, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            moved, weight - rate * expected, rtol=1e-5, atol=1e-5
        )

    jax.tree.map(check, before.params, velocity, after.params, after.velocity)
    assert int(after.step) == 9


def test_an_epoch_has_every_image_once():
    orders = [np.asarray(epoch_order(SETTINGS, epoch, 24)) for epoch in (0, 1)]
    for order in orders:
        assert sorted(order) == list(range(24))
    assert (orders[0] != orders[1]).any()


def lower(settings, platform):
    state = jax.eval_shape(lambda: start(settings))
    images = jax.ShapeDtypeStruct(IMAGES.shape, jnp.uint8)
    order = jax.ShapeDtypeStruct((len(IMAGES),), jnp.int32)
    step = jax.jit(lambda s, x, o: train_step(s, x, o, settings, "conv"))
    return export.export(step, platforms=[platform])(state, images, order)


def test_the_step_compiles_for_a_gpu_in_bfloat16_with_float32_weights():
    exported = lower(SETTINGS._replace(dtype="bfloat16"), "cuda")
    assert exported.platforms == ("cuda",)
    outputs = {str(out.dtype) for out in exported.out_avals}
    assert outputs == {"float32", "int32"}
    text = exported.mlir_module()
    convolutions = [ln for ln in text.splitlines() if "stablehlo.convolution" in ln]
    assert len(convolutions) > 50
    assert all("bf16" in line for line in convolutions)


@pytest.mark.slow
def test_bfloat16_is_near_float32():
    state = start(SETTINGS)
    views = simclr_views(jax.random.key(0), jnp.asarray(IMAGES[:8]), SETTINGS.views)
    found = []
    for dtype in ("float32", "bfloat16"):
        settings = SETTINGS._replace(dtype=dtype)
        forward = jax.jit(lambda p, s, v, o=settings: loss_of(p, s, v, o, "matmul"))
        found.append(forward(state.params, state.statistics, views))
    (exact, _), (rounded, statistics) = found
    assert exact != rounded
    np.testing.assert_allclose(rounded, exact, rtol=0.05)
    for leaf in jax.tree.leaves(statistics):
        assert leaf.dtype == jnp.float32

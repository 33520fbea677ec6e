"""Batch normalisation against NumPy, the unbiased running variance above all."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.models.norm import BatchNorm


def test_training_and_running_statistics():
    x = np.random.default_rng(0).normal(3.0, 2.0, (2, 2, 3, 4)).astype(np.float32)
    norm = BatchNorm()
    variables = norm.init(jax.random.key(0), jnp.asarray(x), train=False)
    scale, bias = np.arange(1.0, 5.0), np.arange(4.0)
    params = {
        "scale": jnp.asarray(scale, jnp.float32),
        "bias": jnp.asarray(bias, jnp.float32),
    }
    out, moved = norm.apply(
        {"params": params, "batch_stats": variables["batch_stats"]},
        jnp.asarray(x),
        train=True,
        mutable=["batch_stats"],
    )
    rows = x.astype(np.float64).reshape(-1, 4)
    expected = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-5) * scale + bias
    np.testing.assert_allclose(np.asarray(out).reshape(-1, 4), expected, atol=2e-5)
    stats = moved["batch_stats"]
    np.testing.assert_allclose(stats["mean"], 0.1 * rows.mean(0), rtol=1e-5)
    # 12 numbers a channel: the biased variance would be off by 8 %.
    np.testing.assert_allclose(stats["var"], 0.9 + 0.1 * rows.var(0, ddof=1), rtol=1e-5)


def test_evaluation_uses_the_running_statistics():
    x = jnp.arange(6.0).reshape(3, 2)
    variables = {
        "params": {"scale": jnp.array([2.0, 1.0]), "bias": jnp.array([0.0, 1.0])},
        "batch_stats": {"mean": jnp.array([1.0, 1.0]), "var": jnp.array([4.0, 9.0])},
    }
    out = BatchNorm().apply(variables, x, train=False)
    expected = np.stack(
        [(np.array([0, 2, 4]) - 1) / 2 * 2, (np.array([1, 3, 5]) - 1) / 3 + 1], 1
    )
    np.testing.assert_allclose(out, expected, atol=1e-5)

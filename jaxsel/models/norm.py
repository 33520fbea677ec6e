"""Batch normalisation with PyTorch's running variance (the unbiased one)."""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array, lax


class BatchNorm(nn.Module):
    """Normalises channels over batch and space (Ioffe & Szegedy, 2015).

    Training: `y = γ·(x − μ) / √(σ² + ε) + β` with the batch's mean `μ` and *biased*
    variance `σ²`; the running statistics become
    `momentum·old + (1 − momentum)·(μ, σ²·N/(N − 1))`, `N` being the numbers a
    channel has in the batch. Evaluation: the running statistics instead.

    `flax.linen.BatchNorm` keeps the biased variance, up to 3 % less at the last,
    2×2, stage of a batch of 8, and computes it as `E[x²] − E[x]²`, which cancels; so
    the networks here have their own.

    Attributes:
      momentum: share of the old running statistics that is kept (PyTorch's
        `momentum` is one minus this).
      epsilon: added to the variance.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: Array, *, train: bool) -> Array:
        dtype, x = x.dtype, x.astype(jnp.promote_types(x.dtype, jnp.float32))
        channels = x.shape[-1:]
        scale = self.param("scale", nn.initializers.ones, channels)
        bias = self.param("bias", nn.initializers.zeros, channels)
        mean = self.variable("batch_stats", "mean", jnp.zeros, channels)
        var = self.variable("batch_stats", "var", jnp.ones, channels)
        if not train:
            centred = x - mean.value
            y = centred * (scale * lax.rsqrt(var.value + self.epsilon)) + bias
            return y.astype(dtype)
        axes = tuple(range(x.ndim - 1))
        count = x.size // x.shape[-1]
        batch_mean = x.mean(axes)
        centred = x - batch_mean
        batch_var = jnp.square(centred).mean(axes)
        if not self.is_initializing():
            # One number per channel has no unbiased variance; keep it finite.
            unbiased = batch_var * (count / max(count - 1, 1))
            keep = self.momentum
            mean.value = keep * mean.value + (1 - keep) * lax.stop_gradient(batch_mean)
            var.value = keep * var.value + (1 - keep) * lax.stop_gradient(unbiased)
        y = centred * (scale * lax.rsqrt(batch_var + self.epsilon)) + bias
        return y.astype(dtype)

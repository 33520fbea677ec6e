"""Both lowerings of the convolution against its definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.models.conv import Conv, convolve, default_lowering


def by_definition(x, kernel, stride):
    """The sum over taps in float64, one output pixel at a time."""
    size, pad = kernel.shape[0], (kernel.shape[0] - 1) // 2
    padded = np.pad(x.astype(np.float64), ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    rows, cols = -(-x.shape[1] // stride), -(-x.shape[2] // stride)
    out = np.zeros((x.shape[0], rows, cols, kernel.shape[3]))
    for a in range(rows):
        for b in range(cols):
            top, left = a * stride, b * stride
            window = padded[:, top : top + size, left : left + size]
            out[:, a, b] = np.einsum("nijc,ijco->no", window, kernel.astype(np.float64))
    return out


@pytest.mark.parametrize("lowering", ["matmul", "conv"])
@pytest.mark.parametrize(
    ("size", "stride", "sides"),
    [(3, 1, (4, 5)), (3, 2, (6, 5)), (1, 1, (3, 4)), (1, 2, (5, 4)), (3, 2, (1, 2))],
)
def test_definition(lowering, size, stride, sides):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, *sides, 3), dtype=np.float32)
    kernel = rng.standard_normal((size, size, 3, 4), dtype=np.float32)
    found = convolve(
        jnp.asarray(x), jnp.asarray(kernel), stride=stride, lowering=lowering
    )
    np.testing.assert_allclose(found, by_definition(x, kernel, stride), atol=2e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_lowerings_have_the_same_gradient(stride):
    key_x, key_kernel, key_weight = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(key_x, (2, 6, 5, 3))
    kernel = jax.random.normal(key_kernel, (3, 3, 3, 4))
    weight = jax.random.normal(key_weight, (2, -(-6 // stride), -(-5 // stride), 4))

    def gradient(lowering):
        def scalar(x, kernel):
            return (
                weight * convolve(x, kernel, stride=stride, lowering=lowering)
            ).sum()

        return jax.grad(scalar, argnums=(0, 1))(x, kernel)

    for a, b in zip(gradient("matmul"), gradient("conv"), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_unknown_lowering_is_refused():
    x, kernel = jnp.zeros((1, 2, 2, 1)), jnp.zeros((1, 1, 1, 1))
    with pytest.raises(ValueError, match="expected 'matmul', 'conv' or 'mixed', found"):
        convolve(x, kernel, lowering="fft")


def test_backend_table():
    assert default_lowering("cpu") == "matmul"
    assert default_lowering("cpu", looped=False) == "mixed"
    for looped in (False, True):
        assert default_lowering("gpu", looped=looped) == "conv"


def test_module_starts_kaiming_normal_in_the_fan_out():
    params = Conv(64).init(jax.random.key(0), jnp.zeros((1, 4, 4, 32)))
    kernel = params["params"]["kernel"]
    assert kernel.shape == (3, 3, 32, 64)
    expected = (2 / (9 * 64)) ** 0.5
    assert abs(kernel.std() / expected - 1) < 0.03

"""Padding as TensorFlow's, and both lowerings of a convolution the same sum."""

import numpy as np
import pytest

from jaxsel.models.depthwise import convolve_same, depthwise, same_padding
from tests.numpy_efficientnet import convolved

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_padding_by_its_definition(size: int, stride: int) -> None:
    for length in range(1, 14):
        before, behind = same_padding(length, size, stride)
        places = (length + before + behind - size) // stride + 1
        assert places == -(-length // stride)
        assert 0 <= behind - before <= 1
        # One zero less would lose a place, unless there is none.
        assert before + behind == 0 or (length + before + behind - size) % stride == 0


@pytest.mark.parametrize("lowering", ["matmul", "conv"])
@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_both_parities_in_one_image(lowering: str, size: int, stride: int) -> None:
    # One side odd and one even: at stride 2 they are padded differently.
    x = RNG.normal(size=(2, 7, 8, 3)).astype(np.float32)
    kernel = RNG.normal(size=(3, 1, size, size)).astype(np.float32)
    found = depthwise(
        x, kernel[:, 0].transpose(1, 2, 0), stride=stride, lowering=lowering
    )
    expected = convolved(x.astype(np.float64), kernel, stride, True)
    # Sums of size² products, each within half a unit in the last place of float32.
    bound = 4 * size**2 * np.finfo(np.float32).eps * np.abs(x).max() * kernel.max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound)
    weight = RNG.normal(size=(4, 3, size, size)).astype(np.float32)
    found = convolve_same(
        x, weight.transpose(2, 3, 1, 0), stride=stride, lowering=lowering
    )
    expected = convolved(x.astype(np.float64), weight, stride, False)
    np.testing.assert_allclose(found, expected, rtol=0, atol=6 * bound)

"""Convolutions of EfficientNet, each as what is fast on the backend in use.

XLA's stock depthwise convolution is slow on a CPU. The same sum, written as `size²`
shifted copies of the input, each multiplied by a weight a channel, is one loop that
the compiler makes into vector instructions. A GPU has the native convolution.
"""

import jax.numpy as jnp
from jax import Array, lax


def same_padding(length: int, size: int, stride: int) -> tuple[int, int]:
    """TensorFlow's "same" padding of one side: how many zeros before and behind.

    The result has `⌈length / stride⌉` places, and of an odd number of zeros the larger
    half is behind. So it depends on the length: a kernel of 3 at stride 2 pads 8 pixels
    by (0, 1) and 7 pixels by (1, 1), where PyTorch's networks always pad by (1, 1).

    Args:
      length: pixels along the side.
      size: of the kernel.
      stride: from 1.

    Returns:
      `(before, behind)`.

    Example:
      >>> same_padding(8, 3, 2), same_padding(7, 3, 2), same_padding(8, 5, 1)
      ((0, 1), (1, 1), (2, 2))

    Source: the note on padding of `tf.nn.convolution`.
    """
    results = -(-length // stride)
    zeros = max((results - 1) * stride + size - length, 0)
    return zeros // 2, zeros - zeros // 2


def depthwise(x: Array, kernel: Array, *, stride: int, lowering: str) -> Array:
    """Every channel convolved with a kernel of its own, padded as by `same_padding`.

    `y[n, a, b, c] = Σ_{i,j} x[n, s·a + i − p, s·b + j − q, c] · kernel[i, j, c]`, zeros
    outside.

    Args:
      x: float `[n, h, w, c]`.
      kernel: float `[k, k, c]`.
      stride: 1 or more.
      lowering: `"matmul"` for shifted multiply-adds, `"conv"` for the native one.

    Returns:
      float `[n, ⌈h/stride⌉, ⌈w/stride⌉, c]`.

    Example:
      >>> x = jnp.ones((1, 3, 3, 1))
      >>> depthwise(x, jnp.ones((3, 3, 1)), stride=2, lowering="matmul")[0, :, :, 0]
      Array([[4., 4.],
             [4., 4.]], dtype=float32)
    """
    size, channels = kernel.shape[0], x.shape[-1]
    if lowering == "conv":
        return _native(x, kernel[:, :, None, :], stride, channels)
    height, width = (-(-length // stride) for length in x.shape[1:3])
    padded = _padded(x, size, stride)
    total = None
    for i in range(size):
        for j in range(size):
            part = padded[
                :,
                i : i + stride * (height - 1) + 1 : stride,
                j : j + stride * (width - 1) + 1 : stride,
            ]
            term = part * kernel[i, j]
            total = term if total is None else total + term
    assert total is not None
    return total


def convolve_same(x: Array, kernel: Array, *, stride: int, lowering: str) -> Array:
    """All channels convolved together, padded as by `same_padding`.

    Args:
      x: float `[n, h, w, c]`.
      kernel: float `[k, k, c, o]`.
      stride: 1 or more.
      lowering: `"matmul"` for a product (with the shifted copies side by side where the
        kernel is larger than a pixel), `"conv"` for the native convolution.

    Returns:
      float `[n, ⌈h/stride⌉, ⌈w/stride⌉, o]`.
    """
    size, _, channels, out = kernel.shape
    if lowering == "conv":
        return _native(x, kernel, stride, 1)
    height, width = (-(-length // stride) for length in x.shape[1:3])
    if size > 1 or stride > 1:
        padded = _padded(x, size, stride)
        x = jnp.concatenate(
            [
                padded[
                    :,
                    i : i + stride * (height - 1) + 1 : stride,
                    j : j + stride * (width - 1) + 1 : stride,
                ]
                for i in range(size)
                for j in range(size)
            ],
            axis=-1,
        )
    flat = x.reshape(-1, size * size * channels)
    product = flat @ kernel.reshape(size * size * channels, out)
    return product.reshape(x.shape[0], height, width, out)


def _padded(x: Array, size: int, stride: int) -> Array:
    rows, columns = (same_padding(length, size, stride) for length in x.shape[1:3])
    # In memory, not in the loop: a bounds check for each shift would be dearer.
    return lax.optimization_barrier(jnp.pad(x, ((0, 0), rows, columns, (0, 0))))


def _native(x: Array, kernel: Array, stride: int, groups: int) -> Array:
    size = kernel.shape[0]
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(stride, stride),
        padding=[same_padding(length, size, stride) for length in x.shape[1:3]],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )

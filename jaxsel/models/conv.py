"""A 3×3 or 1×1 convolution, and how it is lowered on each backend.

XLA's stock convolution on a CPU is good on maps of four pixels or more, very bad below,
and very bad inside a loop (a `lax.scan` over steps), where it has no threads. So a
convolution may also be lowered as *one* matrix product of the nine shifted copies of
its input. Which form a layer gets is decided here and nowhere else.

Measured on two cores (Xeon, AVX-512), forward and backward of a ResNet-18 with the
reference stem, 100 images of 32×32, a step at a time, images a second:

| lowering                                       | width 64 | width 16 |
|------------------------------------------------|---------:|---------:|
| nine slices concatenated, one product (chosen) |       89 |      491 |
| nine products accumulated                      |       81 |      202 |
| concatenated, hand-written gradient            |       75 |      249 |
| small maps as one dense matrix                 |       79 |      463 |

In the loop of `configs/cifar10.py:quick` a run took 21 to 38 s with the products, and
ten minutes, compilation and a busy machine included, with convolutions on large maps.

Outside of loops, one 3×3 layer forward on 100 images, milliseconds:

| map and channels | convolution | matrix product |
|------------------|------------:|---------------:|
| 16×16, 64 to 64  |          23 |            116 |
| 8×8, 128 to 128  |          26 |             62 |
| 4×4, 256 to 256  |          20 |             31 |
| 2×2, 512 to 512  |        1915 |             28 |
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array, lax

LOWERINGS = ("auto", "matmul", "conv", "mixed")

# Accelerators have convolution units (and cuDNN); a CPU in a loop has its GEMM only.
_BY_BACKEND = {"cpu": "matmul"}

# Smallest side of a result for which a CPU's own convolution is the faster.
_SMALLEST_CONV = 4


def default_lowering(backend: str | None = None, *, looped: bool = True) -> str:
    """The faster lowering of a network on a backend, as measured.

    Args:
      backend: a JAX backend's name; None is the backend in use.
      looped: whether the network runs inside a loop of the program, as in training.

    Returns:
      `"matmul"`, `"conv"`, or `"mixed"`: by the size of the map.

    Example:
      >>> default_lowering("cpu"), default_lowering("gpu")
      ('matmul', 'conv')
      >>> default_lowering("cpu", looped=False)
      'mixed'
    """
    chosen = _BY_BACKEND.get(backend or jax.default_backend(), "conv")
    return "mixed" if chosen == "matmul" and not looped else chosen


def convolve(x: Array, kernel: Array, *, stride: int = 1, lowering: str) -> Array:
    """Cross-correlation with a padding that keeps the size, then every `stride`-th.

    `y[n, a, b, o] = Σ_{i,j,c} x[n, s·a + i − p, s·b + j − p, c] · kernel[i, j, c, o]`
    with `p = (size − 1) / 2` and zeros outside, as in PyTorch (XLA's `"SAME"` pads
    an even input at stride 2 on the other side).

    Args:
      x: images, float `[n, h, w, c]`.
      kernel: weights, float `[k, k, c, o]`, `k` odd.
      stride: 1 or more.
      lowering: `"matmul"`, `"conv"` or `"mixed"`.

    Returns:
      float `[n, ⌈h/stride⌉, ⌈w/stride⌉, o]`.

    Raises:
      ValueError: for an unknown lowering.

    Example:
      >>> convolve(jnp.ones((1, 4, 4, 1)), jnp.ones((3, 3, 1, 1)), stride=2,
      ...          lowering="matmul")[0, :, :, 0].tolist()
      [[4.0, 6.0], [6.0, 9.0]]
    """
    if lowering == "mixed":
        small = min(x.shape[1:3]) // stride < _SMALLEST_CONV
        lowering = "matmul" if small else "conv"
    if lowering == "conv":
        return _as_convolution(x, kernel, stride)
    if lowering == "matmul":
        return _as_matrix_product(x, kernel, stride)
    raise ValueError(
        f"lowering: expected 'matmul', 'conv' or 'mixed', found {lowering!r}"
    )


def _as_convolution(x: Array, kernel: Array, stride: int) -> Array:
    pad = (kernel.shape[0] - 1) // 2
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(stride, stride),
        padding=((pad, pad), (pad, pad)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _as_matrix_product(x: Array, kernel: Array, stride: int) -> Array:
    size, _, channels, out = kernel.shape
    columns = _shifted_copies(x, size, stride)
    flat = columns.reshape(-1, size * size * channels)
    product = flat @ kernel.reshape(size * size * channels, out)
    return product.reshape(*columns.shape[:3], out)


def _shifted_copies(x: Array, size: int, stride: int) -> Array:
    """The `size²` shifts of `x`, side by side: `[n, h', w', size²·c]`."""
    if size == 1:
        return x[:, ::stride, ::stride]
    pad = (size - 1) // 2
    padded = jnp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    rows = stride * (-(-x.shape[1] // stride) - 1) + 1
    cols = stride * (-(-x.shape[2] // stride) - 1) + 1
    shifts = [
        padded[:, i : i + rows : stride, j : j + cols : stride]
        for i in range(size)
        for j in range(size)
    ]
    return jnp.concatenate(shifts, axis=-1)


class Conv(nn.Module):
    """A convolution, Kaiming-normal in its fan-out.

    Attributes:
      features: output channels.
      size: 1 or 3, the side of the kernel.
      stride: 1 or more.
      lowering: one of `LOWERINGS`; `"auto"` is `default_lowering()`.
      use_bias: adds a number to each output channel, 0 at the start.

    Initialisation: `N(0, 2 / (size²·features))`, He et al. (2015), as torchvision's
    ResNet does. Computes in the type of its input, with float32 parameters.
    """

    features: int
    size: int = 3
    stride: int = 1
    lowering: str = "auto"
    use_bias: bool = False

    @nn.compact
    def __call__(self, x: Array) -> Array:
        kernel = self.param(
            "kernel",
            nn.initializers.variance_scaling(2.0, "fan_out", "normal"),
            (self.size, self.size, x.shape[-1], self.features),
        )
        lowering = default_lowering() if self.lowering == "auto" else self.lowering
        y = convolve(x, kernel.astype(x.dtype), stride=self.stride, lowering=lowering)
        if not self.use_bias:
            return y
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        return y + bias.astype(x.dtype)

"""The cubic convolution kernel, behind every bicubic interpolation."""

import numpy as np


def cubic_kernel(distance: np.ndarray, a: float) -> np.ndarray:
    r"""Weight of a sample at some distance from the point that is asked for.

    With $t = |distance|$: $(a+2)t^3 - (a+3)t^2 + 1$ up to 1,
    $a(t^3 - 5t^2 + 8t - 4)$ up to 2, else 0.

    Args:
      distance: any shape, in samples.
      a: slope at 1; -0.5 in Pillow, -0.75 in PyTorch.

    Returns:
      float64, the weights. At the four samples around a point they sum to 1.

    Source: Keys (1981), "Cubic convolution interpolation for digital image processing".

    Example:
      >>> cubic_kernel(np.array([-1.5, -0.5, 0.5, 1.5]), -0.5).tolist()
      [-0.0625, 0.5625, 0.5625, -0.0625]
    """
    t = np.abs(np.asarray(distance, np.float64))
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = a * (((t - 5) * t + 8) * t - 4)
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))

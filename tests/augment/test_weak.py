"""The weak view against NumPy's padding by reflection."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.augment.weak import shift_and_mirror


def test_every_view_is_a_window_of_the_reflected_canvas():
    image = np.arange(6 * 7).reshape(6, 7, 1)
    canvas = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    windows = {}
    for i in range(5):
        for j in range(5):
            window = canvas[i : i + 6, j : j + 7]
            windows[window.tobytes()] = (i, j, 0)
            windows[window[:, ::-1].tobytes()] = (i, j, 1)
    assert len(windows) == 50
    images = jnp.broadcast_to(jnp.asarray(image), (6000, 6, 7, 1))
    view = jax.jit(shift_and_mirror, static_argnames=("pad", "flip"))
    found = np.asarray(view(jax.random.key(0), images, pad=2, flip=True), np.int64)
    seen = np.array([windows[view.tobytes()] for view in found])
    for axis, kinds in ((0, 5), (1, 5), (2, 2)):
        share = np.bincount(seen[:, axis], minlength=kinds) / len(seen)
        np.testing.assert_allclose(share, 1 / kinds, atol=0.03)
    unmirrored = view(jax.random.key(0), images[:99], pad=2, flip=False)
    assert all(windows[np.asarray(v, np.int64).tobytes()][2] == 0 for v in unmirrored)

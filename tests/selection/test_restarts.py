"""Of several restarts of k-means the best is kept, whichever came last."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection.kmeans import kmeans


def test_the_best_restart_is_kept():
    # Many local optima: as many centres as blobs, three of them far from the others.
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(8, 2)) * np.where(np.arange(8) < 5, 1, 4)[:, None]
    rows = jnp.asarray(np.repeat(centres, 5, 0) + 0.3 * rng.normal(size=(40, 2)))
    found = []
    for seed in range(8):
        key = jax.random.key(seed)
        # The first restart of three is the one that stands alone.
        pair = [kmeans(key, rows, k=8, n_init=n).inertia for n in (1, 3)]
        found.append([float(inertia) for inertia in pair])
    one, three = np.array(found).T
    assert (three <= one * (1 + 1e-6)).all()
    assert (three < 0.999 * one).sum() >= 2

"""TypiClust in NumPy: scikit-learn's k-means, then neighbours by BLAS tiles."""

import numpy as np

from benchmarks.baselines import Result, unit

TILE = 1024


def typiclust(
    x: np.ndarray, budget: int, seed: int, most: int = 20, n_init: int = 1
) -> Result:
    """The densest row of each of the largest of min(budget, 500) clusters."""
    from sklearn.cluster import KMeans

    u = unit(x)
    fit = KMeans(min(budget, 500), n_init=n_init, random_state=seed).fit(u)
    labels = fit.labels_.copy()
    sizes = np.bincount(labels)
    order = [c for c in np.argsort(-sizes, kind="stable") if sizes[c] > 5]
    picks = np.empty(budget, np.int64)
    for t in range(budget):
        members = np.flatnonzero(labels == order[t % len(order)])
        neighbours = min(most, len(members) // 2)
        rows = u[members]
        mean = np.empty(len(rows))
        for i in range(0, len(rows), TILE):
            squared = 2 - 2 * (rows[i : i + TILE] @ rows.T)
            np.fill_diagonal(squared[:, i:], np.inf)
            squared.partition(neighbours - 1, axis=1)
            mean[i : i + TILE] = squared[:, :neighbours].mean(axis=1)
        picks[t] = members[np.argmin(mean)]
        labels[picks[t]] = -1
    return Result(picks, {"inertia": float(fit.inertia_)})

"""ProbCover, k-center and MaxHerding in NumPy, in O(n) memory and one tile."""

import numpy as np

from benchmarks.baselines import Result, unit

TILE = 1024


def probcover(x: np.ndarray, budget: int, seed: int, delta: float = 0.65) -> Result:
    """Greedy ball cover of unit rows without a graph.

    Degrees are counted once, over half of the tiles; after a pick every degree falls
    by the newly covered rows in its ball, and each row is covered once.
    """
    del seed
    u = unit(x)
    n, threshold = len(u), 1 - delta**2 / 2
    degree = np.zeros(n, np.int64)
    for i in range(0, n, TILE):
        rows = u[i : i + TILE]
        for j in range(i, n, TILE):
            near = rows @ u[j : j + TILE].T > threshold
            degree[i : i + TILE] += np.count_nonzero(near, axis=1)
            if j > i:
                degree[j : j + TILE] += np.count_nonzero(near, axis=0)
    uncovered = np.ones(n, bool)
    picks = np.empty(budget, np.int64)
    for t in range(budget):
        picks[t] = np.argmax(degree)
        fresh = np.flatnonzero((u @ u[picks[t]] > threshold) & uncovered)
        uncovered[fresh] = False
        for j in range(0, len(fresh), TILE):
            balls = u[fresh[j : j + TILE]]
            for i in range(0, n, TILE):
                near = u[i : i + TILE] @ balls.T > threshold
                degree[i : i + TILE] -= np.count_nonzero(near, axis=1)
        degree[picks[t]] = -1
    return Result(picks, {"coverage": 1 - uncovered.mean()})


def k_center(x: np.ndarray, budget: int, seed: int) -> Result:
    """Farthest-first from the row nearest the mean; one matrix-vector a pick."""
    del seed
    squares = np.einsum("ij,ij->i", x, x)
    mean = x.mean(axis=0)
    nearest = np.full(len(x), np.inf, np.float32)
    picks = np.empty(budget, np.int64)
    pick = int(np.argmin(squares - 2 * (x @ mean)))
    for t in range(budget):
        picks[t] = pick
        column = x @ x[pick]
        column *= -2
        column += squares
        column += squares[pick]
        np.minimum(nearest, column, out=nearest)
        nearest[pick] = -np.inf
        pick = int(np.argmax(nearest))
    return Result(picks, {})


def max_herding(
    x: np.ndarray, budget: int, seed: int, gamma: float = 1.0, batch: int = 256
) -> Result:
    """Greedy on mean_y max_c exp(-gamma ||y - c||²) over unit rows, lazily.

    A gain only falls as rows are picked, so an old gain bounds the new one; a batch
    of the highest is refreshed until the best fresh gain beats every old one.
    """
    del seed
    u = unit(x)
    n = len(u)
    best = np.zeros(n, np.float32)

    def gains(rows: np.ndarray) -> np.ndarray:
        total = np.zeros(len(rows))
        for j in range(0, n, TILE):
            kernel = rows @ u[j : j + TILE].T
            kernel -= 1
            kernel *= 2 * gamma
            np.exp(kernel, out=kernel)
            kernel -= best[j : j + TILE]
            np.maximum(kernel, 0, out=kernel)
            total += kernel.sum(axis=1)
        return total

    stale = np.concatenate([gains(u[i : i + TILE]) for i in range(0, n, TILE)])
    picks = np.empty(budget, np.int64)
    for t in range(budget):
        fresh = np.zeros(n, bool)
        while True:
            top = int(np.argmax(stale))
            if fresh[top]:
                break
            rows = np.argpartition(-stale, batch)[:batch]
            rows = rows[~fresh[rows]]
            stale[rows] = gains(u[rows])
            fresh[rows] = True
        picks[t] = top
        np.maximum(best, np.exp(2 * gamma * (u @ u[top] - 1)), out=best)
        stale[top] = -np.inf
    return Result(picks, {"mean_similarity": float(best.mean())})

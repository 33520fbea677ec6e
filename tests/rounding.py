"""How far float32 may be from the real numbers, on any processor.

The bounds hold for every order of the additions, fused or not, whatever the width of
the vectors (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002,
chapter 3). They take eps where a rounding is at most eps / 2: the factor of 2 is for
divisions by way of reciprocals, square roots and exponentials of one ulp. A tolerance
that comes from here is a consequence of shapes and data, not of the machine that the
test was written on.
"""

import numpy as np

EPS = float(np.finfo(np.float32).eps)


def gamma(n: int) -> float:
    """n eps / (1 - n eps): the relative error of n roundings one after the other.

    A sum of n terms errs by at most gamma(n) times the sum of their sizes, and so does
    an inner product of n products.
    """
    return n * EPS / (1 - n * EPS)


def inner(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`[n, m]`: of the inner products of rows, gamma(d) |a_i| |b_j|."""
    lengths = [np.linalg.norm(np.asarray(x, np.float64), axis=1) for x in (a, b)]
    return gamma(np.shape(a)[1]) * np.outer(*lengths)


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`[n, m]`: of |a|² + |b|² - 2 a·b, gamma(d + 2) (|a_i| + |b_j|)².

    `a` and `b` are the rows that the product sees: centred ones, where it centres.
    """
    lengths = [np.linalg.norm(np.asarray(x, np.float64), axis=1) for x in (a, b)]
    return gamma(np.shape(a)[1] + 2) * np.add.outer(*lengths) ** 2


def root(exact: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Of sqrt(x), x within `error` of `exact`: at most error / sqrt(exact), and at most
    sqrt(error) where that is less."""
    exact, error = np.asarray(exact, np.float64), np.asarray(error, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.where(exact > 0, error / np.sqrt(exact), np.inf)
    return np.minimum(away, np.sqrt(error)) + gamma(1) * np.sqrt(exact)


def margin(scores: np.ndarray) -> float:
    """By how much the best of the scores is ahead of the next; ties of equal scores
    count once, since copies of a row have the same score in any arithmetic."""
    ordered = np.unique(np.asarray(scores, np.float64))
    return float(ordered[-1] - ordered[-2]) if len(ordered) > 1 else np.inf

"""The Fréchet distance between two samples of features, exactly and at low rank.

What is to be known of its numbers: covariances of few rows are too small in most
directions, and the distance grows for it. Twenty images drawn blindly from a set are
far from that set, so a value means something only beside values of *equally* large
samples, in the same features, against the same set.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxsel.errors import UserError


class Pool(NamedTuple):
    """A set of features prepared for many subsets of it.

    Attributes:
      mean: of the rows, float64 `[d]`.
      deviations: the rows without it, float64 `[n, d]`.
      squares: squared lengths of the deviations, float64 `[n]`.
    """

    mean: np.ndarray
    deviations: np.ndarray
    squares: np.ndarray


def centred_pool(features: ArrayLike) -> Pool:
    """Prepares a set whose subsets are to be compared with the rest of it.

    Args:
      features: `[n, d]`, numbers of any type; `8 n d` bytes are needed.

    Returns:
      What `distance_to_rest` takes in place of the features.

    Raises:
      UserError: not a matrix, fewer than two rows, or numbers that are not finite.
    """
    rows = np.asarray(features)
    if rows.ndim != 2 or len(rows) < 2 or rows.shape[1] < 1:
        raise UserError(
            "expected features of two or more rows, an array [n, d], found the shape "
            f"{list(rows.shape)}: give a row for every image"
        )
    deviations = rows.astype(np.float64)
    mean = deviations.mean(0)
    if not np.isfinite(mean).all():  # one number that is not finite spoils its column
        raise UserError(
            "expected finite features, found NaN or inf among them: drop those rows, "
            "or extract them again"
        )
    deviations -= mean
    return Pool(mean, deviations, np.einsum("nd,nd->n", deviations, deviations))


def frechet_distance(sample: ArrayLike, reference: ArrayLike) -> float:
    r"""The squared Fréchet distance between normal laws fitted to two samples.

    $|\mu_1 - \mu_2|^2 + \mathrm{tr} S_1 + \mathrm{tr} S_2
    - 2\,\mathrm{tr}\sqrt{S_1 S_2}$, with covariances over $n - 1$. With the centred
    rows $A_i / \sqrt{n_i - 1}$ as factors of $S_i$, the last trace is the sum of the
    singular values of $A_1 A_2^T$: exact at any rank, and no root of a matrix is
    taken. Compare samples of equal size only (see the module).

    Args:
      sample: `[n, d]`, numbers of any type.
      reference: `[m, d]`.

    Returns:
      The distance, computed in float64; 0 where rounding would leave it below.

    Raises:
      UserError: not two matrices with the same number of columns and two rows or more
        each, or numbers that are not finite.

    Differs from the paper: the published code of the Fréchet inception distance takes
    the root of the product of two singular matrices, adding 1e-6 to their diagonals
    where that fails, and so departs from the definition by about 1e-7 of the trace, or
    by some tenths of a percent.

    Source: Heusel et al. (2017), arXiv 1706.08500; table 2 of Bar & Giryes, arXiv
    2406.01086.

    Example:
      >>> frechet_distance([[0.0], [2.0]], [[3.0], [7.0]])  # (1 - 5)² + (√2 - √8)²
      18.0
    """
    first, second = centred_pool(sample), centred_pool(reference)
    a, b = first.deviations, second.deviations
    if a.shape[1] != b.shape[1]:
        raise UserError(
            f"expected features of one encoder, found {a.shape[1]} columns in the "
            f"sample and {b.shape[1]} in the reference: extract both with the same"
        )
    freedom = len(a) - 1, len(b) - 1
    spread = first.squares.sum() / freedom[0] + second.squares.sum() / freedom[1]
    if min(len(a), len(b)) > a.shape[1]:
        a, b = _triangular(a), _triangular(b)
    root = _sum_of_singular_values(a @ b.T) / np.sqrt(freedom[0] * freedom[1])
    return _distance(first.mean - second.mean, spread, root)


def distance_to_rest(pool: ArrayLike | Pool, rows: ArrayLike) -> float:
    r"""The Fréchet distance between some rows of a pool and all the others.

    The same number as `frechet_distance(features[rows], features[others])`. The pool is
    centred once, and a subset costs one product of its `s` rows with it, $O(s n d)$:
    leaving the rows out of the reference is leaving out columns of that product and
    moving a mean.

    Args:
      pool: features `[n, d]`, or what `centred_pool` made of them, which saves
        centring them for every subset.
      rows: int `[s]`, distinct, two or more, leaving two or more.

    Returns:
      The distance, computed in float64; 0 where rounding would leave it below.

    Raises:
      UserError: rows that are not such, or features as in `centred_pool`.

    Source: table 2 of Bar & Giryes, arXiv 2406.01086: 20, 40 and 60 picked images
    against the remaining training images. Compare equal `s` only.

    Example:
      >>> distance_to_rest([[0.0], [3.0], [2.0], [7.0]], [0, 2])
      18.0
    """
    pool = pool if isinstance(pool, Pool) else centred_pool(pool)
    n, d = pool.deviations.shape
    chosen = _checked_rows(rows, n)
    picked = pool.deviations[chosen]
    s, others = len(picked), n - len(picked)
    if s > d:  # then there is a smaller product than theirs
        return frechet_distance(picked, np.delete(pool.deviations, chosen, axis=0))
    # All deviations sum to zero, so those of the others sum to what these lack.
    mean, mean_of_others = picked.mean(0), -picked.sum(0) / others
    product = (picked - mean) @ pool.deviations.T
    product = np.delete(product, chosen, axis=1)
    product -= product.mean(1, keepdims=True)
    scatter = pool.squares[chosen].sum() - s * (mean @ mean)
    scatter_of_others = np.delete(pool.squares, chosen).sum() - others * (
        mean_of_others @ mean_of_others
    )
    root = _sum_of_singular_values(product) / np.sqrt((s - 1) * (others - 1))
    spread = scatter / (s - 1) + scatter_of_others / (others - 1)
    return _distance(mean - mean_of_others, spread, root)


def _distance(gap: np.ndarray, spread: float, root: float) -> float:
    return max(float(gap @ gap + spread - 2 * root), 0.0)


def _sum_of_singular_values(matrix: np.ndarray) -> float:
    """Of a matrix `[s, m]`, by way of the small one that has the same."""
    tall = matrix if len(matrix) > matrix.shape[1] else matrix.T
    return float(np.linalg.norm(_triangular(tall), "nuc"))


def _triangular(matrix: np.ndarray) -> np.ndarray:
    """The triangular factor `[min(n, d), d]` of the QR decomposition of `[n, d]`.

    In a product it may stand for a matrix that has more rows than columns: the
    orthogonal factor does not change singular values.
    """
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def _checked_rows(rows: ArrayLike, n: int) -> np.ndarray:
    """Rows as int `[s]`, or an error."""
    chosen = np.asarray(rows)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise UserError(
            f"expected rows as integers [s], found {chosen.dtype} of the shape "
            f"{list(chosen.shape)}: give row numbers"
        )
    if not 2 <= len(chosen) <= n - 2:
        raise UserError(
            f"expected 2 to {n - 2} rows of {n}, so that both sides have a covariance, "
            f"found {len(chosen)}: choose another number of rows"
        )
    if chosen.min() < 0 or chosen.max() >= n:
        raise UserError(
            f"expected rows from 0 to {n - 1}, found {chosen.min()} to {chosen.max()}: "
            "give rows of these features"
        )
    if len(np.unique(chosen)) < len(chosen):
        raise UserError(
            f"expected every row once, found {len(chosen) - len(np.unique(chosen))} "
            "repeated: remove the repetitions"
        )
    return chosen

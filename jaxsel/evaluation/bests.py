r"""The best of some methods against the best of others: an interval with a true level.

Let $\mu_a$ and $\mu_b$ be the expected accuracies of the methods of two groups. The
quantity is
$$\delta = \max_a \mu_a - \max_b \mu_b = \max_a \min_b d_{ab} = \min_b \max_a d_{ab},
\qquad d_{ab} = \mu_a - \mu_b.$$
Nobody knows which method of a group is its best, and to choose it by the same runs
favours the luckiest. So every pair gets a one-sided Student bound on either side, from
the seeds that both methods have, and the interval is
$$\bigl[\min_b \max_a L_{ab},\; \max_a \min_b U_{ab}\bigr].$$

It fails on its lower side with a probability of at most $\alpha / 2$ once each $L_{ab}$
fails with at most $\alpha / (2 |A|)$, where $|A|$ is the size of a's own group. For let
$b^*$ be a best method of the other group, which is the same whatever $a$ is, so that
$d_{ab^*} = \mu_a - \mu_{b^*} \le \delta$ for every $a$. If the lower end exceeds
$\delta$, then so does $\max_a L_{ab}$ for every $b$, hence for $b^*$: some $a$ has
$L_{ab^*} > \delta \ge d_{ab^*}$, and one of the $|A|$ bounds against $b^*$ has failed.
The minimum over $b$ costs nothing; it is an intersection of rejections. The upper side
is the same with the groups exchanged: with $a^*$ a best of its group, an upper end
below $\delta$ means $U_{a^*b} < \delta \le d_{a^*b}$ for some $b$; $|B|$ bounds must
hold. That is Bonferroni over $|A|$ and over $|B|$, where simultaneous intervals for all
pairs would pay for $|A||B|$. Since $\max_a \min_b L_{ab} \le \min_b \max_a L_{ab}$,
this interval lies within $[\max_a \min_b L_{ab}, \min_b \max_a U_{ab}]$ as well: a
different method of one's own group may beat each of the others.

Each pair has the variance of its own differences. One variance pooled over the pairs
would make short intervals of three seeds, but only where all differences vary alike:
methods differ in that, and seeds move some of them together, so it would not keep its
level (`python -m benchmarks.verdicts` measures both). The differences of a pair are
taken as independent over seeds and near normal, as everywhere in this package.
"""

from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError


class Bests(NamedTuple):
    """The best of one group minus the best of another, over leading axes `[...]`.

    Attributes:
      value: float64 `[...]`, the estimate: $\\max_a \\min_b$ of the pairs' mean
        differences. It favours the larger group a little; the interval does not.
      low: float64 `[...]`, the lower end; -inf where the seeds are too few.
      high: float64 `[...]`, the upper end; inf where the seeds are too few.
      n: int64 `[...]`, the fewest seeds that a pair has in common.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray


def difference_of_bests(
    ours: np.ndarray, theirs: np.ndarray, level: float = 0.95
) -> Bests:
    r"""The interval $[\min_b \max_a L_{ab}, \max_a \min_b U_{ab}]$ explained above.

    Args:
      ours: float `[..., a, s]`, the accuracy of every method of the one group with
        every seed; NaN where a method was not run with a seed.
      theirs: float `[..., b, s]`, of the other group with the same seeds.
      level: at least how often the interval holds the difference, in (0, 1); each
        side fails at most half as often as the rest.

    Returns:
      The estimate and its interval. A pair with fewer than two seeds in common has no
      bounds; two groups without a seed in common are compared by their means, and
      the interval is infinite.

    Raises:
      UserError: a group without methods, seeds that do not match, a method without
        any seed, or a level out of range.

    Example:
      >>> ours = np.array([[0.52, 0.55, 0.53, 0.54], [0.50, 0.52, 0.49, 0.53]])
      >>> theirs = np.array([[0.42, 0.44, 0.44, 0.43]])
      >>> found = difference_of_bests(ours, theirs)
      >>> round(float(found.value), 4), float(found.low) > 0, int(found.n)
      (0.1025, True, 4)

    Bonferroni's t, on an intersection-union argument: R. L. Berger, "Multiparameter
    hypothesis testing and acceptance sampling", Technometrics 24 (1982), 295-300; the
    proof of this use of it is above.
    """
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if (
        min(ours.ndim, theirs.ndim) < 2
        or 0 in (*ours.shape[-2:], *theirs.shape[-2:])
        or ours.shape[:-2] != theirs.shape[:-2]
        or ours.shape[-1] != theirs.shape[-1]
    ):
        raise UserError(
            "expected two groups of at least one method with the same seeds, "
            f"[..., a, s] and [..., b, s], found {ours.shape} and {theirs.shape}"
        )
    if not 0.0 < level < 1.0:
        raise UserError(f"expected an interval level between 0 and 1, found {level}")
    for group in (ours, theirs):
        if np.isnan(group).all(axis=-1).any():
            raise UserError("expected every method with a seed at least, found none")
    gaps = ours[..., :, None, :] - theirs[..., None, :, :]  # [..., a, b, s]
    seen = ~np.isnan(gaps)
    n = seen.sum(axis=-1)
    mean = np.where(seen, gaps, 0.0).sum(axis=-1) / np.maximum(n, 1)
    squares = np.where(seen, (gaps - mean[..., None]) ** 2, 0.0).sum(axis=-1)
    error = np.sqrt(squares / np.maximum(n - 1, 1) / np.maximum(n, 1))
    if (n == 0).any():  # never run with the same seed: no pairs to speak of
        apart = (
            np.nanmean(ours, axis=-1)[..., :, None]
            - np.nanmean(theirs, axis=-1)[..., None, :]
        )
        mean = np.where(n == 0, apart, mean)
    side = (1.0 - level) / 2.0
    lows = mean - _reach(side / ours.shape[-2], n, error)
    highs = mean + _reach(side / theirs.shape[-2], n, error)
    value = mean.min(axis=-1).max(axis=-1)
    # Pairs with different seeds may disagree; then the interval holds the value too.
    low = np.minimum(lows.max(axis=-2).min(axis=-1), value)
    high = np.maximum(highs.min(axis=-1).max(axis=-1), value)
    return Bests(value, low, high, n.min(axis=(-1, -2)))


def _reach(tail: float, n: np.ndarray, error: np.ndarray) -> np.ndarray:
    """How far a one-sided bound lies from its mean; inf with fewer than two seeds."""
    from scipy.stats import t  # slow to import, and only needed here

    freedoms, where = np.unique(np.maximum(n - 1, 1), return_inverse=True)
    quantiles = t.isf(tail, freedoms)[where].reshape(n.shape)
    return np.where(n < 2, np.inf, quantiles * error)

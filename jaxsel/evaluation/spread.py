"""How far sampling in proportion to the norm is from sampling uniformly."""

import math
from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError


class Spread(NamedTuple):
    """How a list of norms is spread, and what law it induces."""

    n: int
    mean: float
    variation: float  # standard deviation / mean
    low: float  # 1 % quantile
    high: float  # 99 % quantile
    effective_share: float  # in (0, 1]; 1 is the uniform law
    largest_weight: float  # the likeliest example, against the average one; from 1


def norm_sampling(norms: np.ndarray) -> Spread:
    r"""How the norms are spread, and how far $p_i = x_i / \sum_j x_j$ is from uniform.

    - Coefficient of variation: $\sigma / \bar x$ with
      $\sigma^2 = \frac1n \sum_i (x_i - \bar x)^2$, the whole pool being known. A draw
      by p has a mean norm of $\bar x (1 + (\sigma/\bar x)^2)$, so its square is what
      one draw gains over a uniform one.
    - Effective share: $\exp(H(p)) / n$ with the entropy $H(p) = -\sum_i p_i \log p_i$
      and $0 \log 0 = 0$. It is 1 for the uniform law and $m/n$ for a law that is
      uniform on m examples; $-\log$ of it is the divergence
      $\mathrm{KL}(p \,\Vert\, \text{uniform})$ in nats.
    - Largest weight: $n \max_i p_i = \max_i x_i / \bar x$.

    Args:
      norms: `[n]`, n at least 1, finite and not negative, not all 0; any real dtype.

    Returns:
      The numbers, in the units of the norms where they have any.

    Raises:
      UserError: the norms are not as above.

    Source: the law is Eq. (1) of Bar & Giryes, arXiv 2406.01086, which calls it "not
    vacuous" (Sec. 4.2); these numbers say how much.

    >>> spread = norm_sampling(np.array([0.0, 2.0, 2.0, 0.0]))
    >>> spread.effective_share, spread.largest_weight, spread.variation
    (0.5, 2.0, 1.0)
    """
    norms = np.asarray(norms, np.float64)
    if norms.ndim != 1 or not len(norms):
        raise UserError(
            f"expected norms of shape [n], n at least 1, found {list(norms.shape)}; "
            "give one norm an example"
        )
    if not np.isfinite(norms).all() or norms.min() < 0:
        bad = int((~np.isfinite(norms) | (norms < 0)).sum())
        raise UserError(
            f"expected finite norms of at least 0, found {bad} that are not; "
            "compute the features again"
        )
    if norms.max() == 0:
        raise UserError(
            "expected a norm above 0, found only zeros; they induce no law to draw from"
        )
    # Relative to the largest, so that neither the sum nor a square overflows.
    scaled = norms / norms.max()
    mean = scaled.mean()
    share = scaled[scaled > 0] / scaled.sum()
    entropy = -math.fsum(share * np.log(share))
    low, high = np.quantile(norms, (0.01, 0.99))
    return Spread(
        len(norms),
        float(mean * norms.max()),
        float(scaled.std() / mean),
        float(low),
        float(high),
        # Rounding may carry the uniform law's share past 1.
        min(1.0, math.exp(entropy - math.log(len(norms)))),
        float(1 / mean),
    )

"""Gram-Schmidt selection (Bar & Giryes, Alg. 1): long and new rows are drawn more."""

import functools

import jax
import jax.numpy as jnp

from jaxsel.errors import UserError
from jaxsel.selection.contract import Picks
from jaxsel.selection.gram_schmidt import blocked, pivoted, sequential
from jaxsel.selection.rules import Rules, reordered

ALGORITHMS = ("auto", "sequential", "downdate", "blocked")


@functools.partial(
    jax.jit,
    static_argnames=(
        "budget",
        "algorithm",
        "block_size",
        "norm_ord",
        "deterministic",
        "tie",
    ),
)
def select_gram_schmidt(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    algorithm: str = "auto",
    block_size: int = 128,
    norm_ord: float = 2.0,
    deterministic: bool = False,
    tie: str = "lowest",
    rules: Rules | None = None,
) -> Picks:
    r"""Draws rows by the length of what the picks so far do not span.

    With R_j the residual of F_j after every pick (and first every labelled row)
    was projected out, each draw among the rows not yet picked has

      p_j = ||R_j||_p / sum_i ||R_i||_p .

    Args:
      key: PRNG key.
      features: float32 `[n, d]`, raw: their lengths are the point.
      labelled: bool `[n]`, rows never returned, projected out first.
      budget: rows to pick, at most the number of unlabelled ones.
      algorithm: of one law: "sequential", Alg. 1 as written, three passes over the
        pool a pick; "downdate", one product a pick; "blocked", one product a
        block of picks; "auto", blocked for l2 and sequential for l1 and linf.
      block_size: rows proposed to a pass of "blocked".
      norm_ord: p of the probabilities, one of 1, 2, inf; the projection stays
        Euclidean (paper, Fig. 4c,d).
      deterministic: always the largest residual, the order of a column-pivoted QR
        of F^T (paper, Fig. 6c).
      tie: "lowest" or "random", who comes first among equal residuals when
        deterministic.
      rules: what the picks must heed beyond `labelled`, or None. Where no row is
        allowed any more the rest of the indices is -1.

    Returns:
      Picks; a gain is the length of the row's residual when picked. A smaller
      budget is a prefix.

    When nothing is left: once every remaining row's residual is below 1e-4 of the
    row's own length, a new round starts with the original rows and an empty basis;
    labelled rows are projected out in the first round only. Zero rows come last, in
    a round of their own, uniformly (in row order when deterministic).

    Example:
      >>> import jax, jax.numpy as jnp
      >>> x = jnp.array([[3.0, 0.0], [2.0, 0.1], [0.0, 1.0]])
      >>> picks = select_gram_schmidt(
      ...     jax.random.key(0), x, jnp.zeros(3, bool), budget=3, deterministic=True)
      >>> picks.indices.tolist(), int(picks.rounds)
      ([0, 2, 1], 2)

    References: Bar & Giryes, arXiv 2406.01086, Alg. 1.
    """
    algorithm = resolve(algorithm, norm_ord)
    n = features.shape[0]
    key_draws, key_tie = jax.random.split(key)
    if deterministic and tie == "random":
        shuffled = jax.random.permutation(key_tie, n)
        features, labelled = features[shuffled], labelled[shuffled]
        rules = None if rules is None else reordered(rules, shuffled)
    if algorithm == "sequential":
        picks = sequential.select(
            key_draws,
            features,
            labelled,
            budget=budget,
            norm_ord=norm_ord,
            deterministic=deterministic,
            rules=rules,
        )
    else:
        size = 1 if algorithm == "downdate" else block_size
        if deterministic:
            picks = pivoted.select(
                features, labelled, budget=budget, block_size=size, rules=rules
            )
        else:
            picks = blocked.select(
                key_draws,
                features,
                labelled,
                budget=budget,
                block_size=size,
                rules=rules,
            )
    if deterministic and tie == "random":
        indices = shuffled[picks.indices].astype(jnp.int32)
        picks = picks._replace(indices=jnp.where(picks.indices < 0, -1, indices))
    return picks


def resolve(algorithm: str, norm_ord: float) -> str:
    """The algorithm that runs: "auto" is the fastest that has the law.

    Raises:
      UserError: an algorithm that does not have the law of that norm.
    """
    if algorithm == "auto":
        return "blocked" if norm_ord == 2 else "sequential"
    if algorithm != "sequential" and norm_ord != 2:
        raise UserError(
            f"algorithm={algorithm!r} has the l2 law only, found norm_ord={norm_ord}; "
            'use algorithm="sequential" or "auto"'
        )
    return algorithm

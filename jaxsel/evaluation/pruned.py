"""Whom pruning spares: what examples of high and low norm keep in a pruned network.

The paper's analogy between pruning and selection rests on a bias of pruned networks
to high feature norms. Three quantities of every example are set against its norm
before pruning: the share of the norm that is retained, whether the prediction stays
as it was, and whether it is right.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.evaluation.regression import RankCorrelation, Regression, regress, spearman
from jaxsel.evaluation.statistics import Estimate, estimate

_ROUNDING = 1e-6  # float32's, of a norm


class Group(NamedTuple):
    """Examples of about the same norm before pruning."""

    low: float  # their smallest norm
    high: float  # their largest
    accuracy: Estimate  # of the whole network


class GroupAfter(NamedTuple):
    """What became of a group; standard errors are over its examples."""

    retained: Estimate  # mean of norm after / norm before
    kept: Estimate  # share of predictions that are as before
    accuracy: Estimate


class Relation(NamedTuple):
    """How a quantity goes with the norm before, over all examples."""

    pearson: Regression
    spearman: RankCorrelation


class Pruned(NamedTuple):
    """One sparsity."""

    sparsity: float
    groups: tuple[GroupAfter, ...]  # by ascending norm before
    retained: Relation | None  # None where the quantity is the same for all
    kept: Relation | None


class NormBias(NamedTuple):
    """The groups of the whole network and what each sparsity does to them."""

    groups: tuple[Group, ...]  # by ascending norm
    pruned: tuple[Pruned, ...]  # by ascending sparsity


class After(NamedTuple):
    """What a pruned network makes of the examples."""

    norms: np.ndarray  # [n], of the features
    predictions: np.ndarray  # int [n]


def norm_bias(
    norms: np.ndarray,
    predictions: np.ndarray,
    after: Mapping[float, After],
    labels: np.ndarray,
    *,
    groups: int = 10,
    level: float = 0.95,
) -> NormBias:
    r"""What pruning leaves of examples, by the norm of their features before it.

    The examples are ordered by norm, ties by their row, and cut into groups whose
    sizes differ by at most one. With the norm $x_i$ before and $y_i$ after, an example
    retains $y_i / x_i$. That $x_i$ is in the quotient lets noise in it alone make the
    two go together *negatively*; a positive correlation is against that tendency.

    Args:
      norms: `[n]`, above 0 and finite, of the whole network's features.
      predictions: int `[n]`, of the whole network.
      after: by sparsity in [0, 1], the norms and the predictions at it.
      labels: int `[n]`.
      groups: how many; at least 2 and at most `n // 2`. Ten are deciles.
      level: the coverage of the correlations' intervals, in (0, 1).

    Returns:
      The groups before, and for every sparsity the groups after and the correlations
      over single examples with the norm before.

    Raises:
      UserError: shapes differ, a norm is not finite or 0 before or negative after, all
        norms before are equal, or `groups` is out of its range.

    Source: Appendix F of Bar & Giryes, arXiv 2406.01086, "the bias of pruned networks
    to high feature norms".

    >>> x, kind = np.arange(1.0, 5.0), np.array([0, 1, 0, 1])
    >>> bias = norm_bias(x, kind, {0.5: After(x**2 / 4, kind)}, kind, groups=2)
    >>> [group.retained.mean for group in bias.pruned[0].groups]
    [0.375, 0.875]
    """
    norms = np.asarray(norms, np.float64)
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    _check_before(norms, predictions, labels, groups)
    members = np.array_split(np.argsort(norms, kind="stable"), groups)
    right = predictions == labels
    before = tuple(
        Group(float(norms[rows].min()), float(norms[rows].max()), _mean(right[rows]))
        for rows in members
    )
    pruned = []
    for sparsity in sorted(after):
        norms_after = np.asarray(after[sparsity].norms, np.float64)
        predictions_after = np.asarray(after[sparsity].predictions)
        _check_after(sparsity, norms_after, predictions_after, len(norms))
        retained = norms_after / norms
        kept = predictions_after == predictions
        right = predictions_after == labels
        parts = tuple(
            GroupAfter(_mean(retained[rows]), _mean(kept[rows]), _mean(right[rows]))
            for rows in members
        )
        pruned.append(
            Pruned(
                sparsity,
                parts,
                _relation(norms, retained, level),
                _relation(norms, kept.astype(np.float64), level),
            )
        )
    return NormBias(before, tuple(pruned))


def _relation(norms: np.ndarray, quantity: np.ndarray, level: float) -> Relation | None:
    """Both correlations, or None for a constant."""
    if np.ptp(quantity) <= _ROUNDING * np.abs(quantity).max():
        return None
    return Relation(
        regress(norms, quantity, level=level), spearman(norms, quantity, level=level)
    )


def _mean(values: np.ndarray) -> Estimate:
    return estimate(values.astype(np.float64).tolist())


def _check_before(
    norms: np.ndarray, predictions: np.ndarray, labels: np.ndarray, groups: int
) -> None:
    shapes = [list(array.shape) for array in (norms, predictions, labels)]
    if norms.ndim != 1 or any(shape != shapes[0] for shape in shapes):
        raise UserError(
            "expected norms, predictions and labels of one shape [n], found "
            f"{', '.join(map(str, shapes))}; give one of each an example"
        )
    if len(norms) < 4 or not 2 <= groups <= len(norms) // 2:
        raise UserError(
            f"expected at least 4 examples and 2 to n // 2 groups, found {len(norms)} "
            f"examples and {groups} groups; ask for fewer groups or give more examples"
        )
    if not (np.isfinite(norms) & (norms > 0)).all():
        bad = int((~(np.isfinite(norms) & (norms > 0))).sum())
        raise UserError(
            f"expected finite norms above 0 before pruning, found {bad} that are not; "
            "what they retain has no meaning, leave out those examples"
        )
    if np.ptp(norms) <= _ROUNDING * norms.max():
        raise UserError(
            f"expected norms that differ before pruning, found {norms[0]:g} for every "
            "example, as after a LayerNorm; relate features from before it"
        )


def _check_after(
    sparsity: float, norms: np.ndarray, predictions: np.ndarray, n: int
) -> None:
    if not 0 <= sparsity <= 1:
        raise UserError(
            f"expected sparsities between 0 and 1, found {sparsity}; "
            "each is the share of weights set to 0"
        )
    if norms.shape != (n,) or predictions.shape != (n,):
        raise UserError(
            f"expected norms and predictions of shape [{n}] at sparsity {sparsity}, "
            f"found {list(norms.shape)} and {list(predictions.shape)}; "
            "give the same examples as before pruning, in the same order"
        )
    if not (np.isfinite(norms) & (norms >= 0)).all():
        raise UserError(
            f"expected finite norms of at least 0 at sparsity {sparsity}, found "
            f"{int((~(np.isfinite(norms) & (norms >= 0))).sum())} that are not; "
            "compute the features again"
        )

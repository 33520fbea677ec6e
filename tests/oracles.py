"""Float64 NumPy from the definitions: what the selectors are tested against."""

import numpy as np
from scipy import stats


def residuals(features, picked):
    """Rows minus their projection on the span of the picked rows (an SVD basis)."""
    rows = np.asarray(features, np.float64)
    span = rows[list(picked)]
    if len(span) == 0:
        return rows
    span = span / np.maximum(np.linalg.norm(span, axis=1, keepdims=True), 1e-300)
    _, sizes, directions = np.linalg.svd(span, full_matrices=False)
    basis = directions[sizes > 1e-9 * sizes[0]] if sizes[0] > 0 else directions[:0]
    rows = rows - (rows @ basis.T) @ basis
    return rows - (rows @ basis.T) @ basis


def gram_schmidt_law(features, budget, labelled=(), order=2):
    """Every ordered pick of `budget` rows with its probability under Algorithm 1.

    Starts a new round, without the labelled rows, once every remaining residual is
    below 1e-4 of the row's own length.
    """
    rows = np.asarray(features, np.float64)
    own = np.linalg.norm(rows, axis=1)
    law = {}

    def extend(picks, spanned, probability):
        if len(picks) == budget:
            law[picks] = law.get(picks, 0.0) + probability
            return
        free = [i for i in range(len(rows)) if i not in picks and i not in labelled]
        left = residuals(rows, spanned)
        if np.all(np.linalg.norm(left[free], axis=1) <= 1e-4 * own[free]):
            spanned, left = (), rows
        weights = np.linalg.norm(left[free], order, axis=1)
        if weights.sum() == 0:
            weights = np.ones(len(free))
        for row, share in zip(free, weights / weights.sum(), strict=True):
            if share > 0:
                extend((*picks, row), (*spanned, row), probability * share)

    extend((), tuple(labelled), 1.0)
    return law


def norm_law(features, budget, labelled=(), order=2):
    """Every ordered pick under successive draws in proportion to the norms."""
    weights = np.linalg.norm(np.asarray(features, np.float64), order, axis=1)
    law = {}

    def extend(picks, probability):
        if len(picks) == budget:
            law[picks] = probability
            return
        free = [i for i in range(len(weights)) if i not in picks and i not in labelled]
        total = weights[free].sum()
        for row in free:
            if weights[row] > 0:
                extend((*picks, row), probability * weights[row] / total)
            elif total == 0:
                extend((*picks, row), probability / len(free))

    extend((), 1.0)
    return law


def chi_square(draws, law):
    """The p-value of observed ordered picks against an exact law.

    Cells expected fewer than 5 times are pooled; an outcome of probability 0 that
    occurs gives p = 0.
    """
    draws = [tuple(int(i) for i in row) for row in draws]
    counts = {}
    for outcome in draws:
        if outcome not in law:
            return 0.0
        counts[outcome] = counts.get(outcome, 0) + 1
    expected = np.array([p * len(draws) for p in law.values()])
    observed = np.array([counts.get(outcome, 0) for outcome in law], float)
    rare = expected < 5
    if rare.any():
        expected = np.append(expected[~rare], expected[rare].sum())
        observed = np.append(observed[~rare], observed[rare].sum())
    kept = expected > 0
    scaled = expected[kept] * observed[kept].sum() / expected[kept].sum()
    return float(stats.chisquare(observed[kept], scaled).pvalue)

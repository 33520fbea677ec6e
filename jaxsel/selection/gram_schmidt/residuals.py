"""Residual norms kept by subtraction, and upper bounds that survive its rounding.

The squared residual norm after new orthonormal picks q is the old one minus the
squares of F q: one product instead of a projection of the pool. Subtraction loses
accuracy row by row. The absolute error is a small multiple of eps times the row's
squared norm when it was last computed exactly, however small the rest; so each row
carries that last exact value and the bound is padded by it.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection.gram_schmidt import basis as bases

# A row is exhausted when its residual is below this share of its own length.
EXHAUSTED = 1e-4

# In float64 rows may be of any length, and what rounding leaves of a long row that is
# spanned may be longer than all of a short one: below this share of its own length a
# residual is taken for 0. (In float32 rows are of lengths for which it is shorter.)
ROUNDED = 2.0**-40


class Residuals(NamedTuple):
    """The residuals of all rows, exact at some basis size and downdated since.

    Attributes:
      base: float32 `[n, d]`, the rows without the basis as it then was.
      exact: float32 `[n]`, squared lengths of `base`.
      left: float32 `[n]`, `exact` minus what later picks took; may round below 0.
      slack: float32 `[n]`, error of a length of `base` itself, from projecting.
    """

    base: jax.Array
    exact: jax.Array
    left: jax.Array
    slack: jax.Array


def measure(features: jax.Array, own: jax.Array, basis: bases.Basis) -> Residuals:
    """Computes every residual explicitly: two products over the pool, or none.

    Args:
      features: float32 `[n, d]`.
      own: float32 `[n]`, the rows' lengths.
      basis: what to project out; where it is empty the rows are their residuals.
    """
    d = features.shape[1]

    def project(features):
        base = bases.project_out(basis, features)
        exact = jnp.sum(jnp.square(base), axis=1)
        slack = own * (per_length(d) * eps(own))
        spanned = beyond_rounding(jnp.sqrt(exact), own) == 0
        if own.dtype == jnp.float64:
            exact, slack = (jnp.where(spanned, 0, value) for value in (exact, slack))
        return base, exact, slack

    def as_they_are(features):
        plain = unprojected(features, own)
        return plain.base, plain.exact, plain.slack

    base, exact, slack = jax.lax.cond(basis.size > 0, project, as_they_are, features)
    return Residuals(base, exact, exact, slack)


def unprojected(features: jax.Array, own: jax.Array) -> Residuals:
    """The residuals against an empty basis: the rows themselves, nothing computed."""
    square = jnp.square(own)
    return Residuals(features, square, square, jnp.zeros_like(own))


def downdate(residuals: Residuals, new: jax.Array) -> Residuals:
    """Takes new orthonormal directions `[m, d]` (or zero rows) out of the lengths."""
    along = bases.product(residuals.base, new.T)
    return residuals._replace(left=residuals.left - jnp.sum(jnp.square(along), axis=1))


def lengths(residuals: Residuals) -> jax.Array:
    """The residual lengths as they are known, rounding and all: float32 `[n]`."""
    return jnp.sqrt(jnp.maximum(residuals.left, 0.0))


def bounds(residuals: Residuals) -> jax.Array:
    """Upper bounds of the true residual lengths: float32 `[n]`."""
    d = residuals.base.shape[1]
    padding = (_per_square(d) * eps(residuals.exact)) * residuals.exact
    return jnp.sqrt(jnp.maximum(residuals.left, 0.0) + padding) + residuals.slack


def exhausted(residuals: Residuals, own: jax.Array, free: jax.Array) -> jax.Array:
    """Whether no free row has a residual worth the name; wants a fresh measure."""
    return ~jnp.any(free & (lengths(residuals) > EXHAUSTED * own))


def beyond_rounding(lengths: jax.Array, own: jax.Array) -> jax.Array:
    """Residual lengths, 0 where float64 rows are spanned but for rounding."""
    if lengths.dtype != jnp.float64:
        return lengths
    return jnp.where(lengths > ROUNDED * own, lengths, 0.0)


def eps(values: jax.Array) -> float:
    """The rounding of a number of that type, float32 or float64."""
    return float(jnp.finfo(values.dtype).eps)


def tie(lengths: jax.Array) -> float:
    """Lengths this close are one length computed in two orders of summation."""
    return 4 * eps(lengths)


def _per_square(d: int) -> float:
    """Rounding of a downdated squared length, in eps of the last exact one.

    The inner products f q carry errors of order sqrt(d) eps |f|, and their squares
    twice that at most, by Cauchy-Schwarz over the picks.
    """
    return 16.0 + 4.0 * d**0.5


def per_length(d: int) -> float:
    """Rounding of a projected row, in eps of the row's own length."""
    return 8.0 + 2.0 * d**0.5


def heaviest(weights: jax.Array, free: jax.Array) -> jax.Array:
    """The first free place whose weight is the largest, but for a last few bits."""
    weights = jnp.where(free, weights, -1.0)
    tied = weights >= jnp.max(weights) * (1.0 - tie(weights))
    return jnp.argmax(tied & free).astype(jnp.int32)

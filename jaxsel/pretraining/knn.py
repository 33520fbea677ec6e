"""Weighted nearest neighbours: how well features know the classes, untrained."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxsel.errors import UserError

_BLOCK = 256


def knn_accuracy(
    bank: Any,
    bank_labels: Any,
    queries: Any,
    query_labels: Any,
    *,
    n_classes: int,
    k: int = 100,
    temperature: float = 0.1,
) -> float:
    """Share of queries whose nearest neighbours vote for their class.

    Rows are normalised to length 1. A neighbour at cosine `s` has `exp(s / T)` votes
    for its class; the `k` nearest vote, and the class with most votes is the answer
    (the lowest of equals). A row that is not finite has no vote, and a query that is
    not is answered wrongly: a comparison with NaN would choose some class.

    Args:
      bank: float `[n, d]`, the rows that vote.
      bank_labels: int `[n]`.
      queries: float `[m, d]`, the rows that are asked for.
      query_labels: int `[m]`.
      n_classes: labels are below it.
      k: neighbours.
      temperature: `T`.

    Returns:
      Accuracy, 0 … 1.

    Raises:
      UserError: the bank has fewer than `k` rows, or there is no query.

    Example:
      >>> corners = np.eye(2, dtype=np.float32)
      >>> knn_accuracy(corners, [0, 1], corners, [0, 0], n_classes=2, k=1)
      0.5

    Source: Wu et al. (2018), section 3.4; k = 100 and T = 0.1 in SCAN's SimCLR.
    """
    if len(queries) == 0 or len(bank) < k:
        raise UserError(
            f"expected at least one query and {k} rows of bank for {k} neighbours, "
            f"found {len(queries)} and {len(bank)}"
        )
    padding = -len(queries) % _BLOCK
    asked = np.asarray(queries, np.float32)
    known = np.all(np.isfinite(asked), axis=1)
    asked = np.pad(np.where(known[:, None], asked, 0), ((0, padding), (0, 0)))
    voting = np.all(np.isfinite(np.asarray(bank, np.float32)), axis=1)
    answers = _answers(
        jnp.where(voting[:, None], jnp.asarray(bank, jnp.float32), 0),
        jnp.asarray(voting),
        jnp.asarray(bank_labels, jnp.int32),
        jnp.asarray(asked),
        n_classes,
        k,
        temperature,
    )
    right = np.asarray(answers)[: len(queries)] == np.asarray(query_labels)
    return float((right & known & voting.any()).mean())


@functools.partial(jax.jit, static_argnums=(4, 5, 6))
def _answers(
    bank: Array,
    voting: Array,
    bank_labels: Array,
    queries: Array,
    n_classes: int,
    k: int,
    temperature: float,
) -> Array:
    units = _unit_rows(bank)

    def block(rows: Array) -> Array:
        cosines = jnp.matmul(_unit_rows(rows), units.T, precision="highest")
        cosines = jnp.where(voting, cosines, -jnp.inf)
        # A slice of what `top_k` found would be merged into it, and whole rows be
        # sorted, a hundred times slower on a CPU: the barrier keeps them apart.
        nearest, places = lax.optimization_barrier(lax.top_k(cosines, k))
        # Relative to the nearest: the same winner, and no overflow at a low T.
        votes = jnp.exp((nearest - nearest[:, :1]) / temperature)
        classes = jax.nn.one_hot(bank_labels[places], n_classes)
        return jnp.einsum("qk,qkc->qc", votes, classes, precision="highest").argmax(1)

    return lax.map(block, queries.reshape(-1, _BLOCK, queries.shape[1])).reshape(-1)


def _unit_rows(rows: Array) -> Array:
    lengths = jnp.linalg.norm(rows, axis=1, keepdims=True)
    return rows / jnp.maximum(lengths, 1e-12)

"""Two stages: one method proposes twice the budget, another keeps half of it."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection.contract import Picks, no_picks
from jaxsel.selection.rows import unit_rows
from jaxsel.selection.rules import Rules, of_candidates, without_costs
from jaxsel.selection.sharded.mesh import everywhere

# Options that hold one value a row: the second stage gets the candidates' values.
_PER_ROW = ("input_norms",)


def two_stage(
    first: Callable[..., Picks], second: Callable[..., Picks]
) -> Callable[..., Picks]:
    """A selector: `first` picks 2s rows on unit rows, `second` keeps s of them.

    The second stage sees the candidates' raw rows only: their lengths are the point
    of its criterion (Bar & Giryes, Fig. 6a,b). Labelled rows are the first stage's
    matter. Options are passed by name; one that both stages have goes to both.

    Args:
      first: a selector on unit rows.
      second: a selector on raw rows.

    Returns:
      A selector on raw rows. Its gains, rounds and info are the second stage's, with
      the first stage's info beside them and its rounds as `first_rounds`;
      `candidates` are the rows that the first stage proposed, -1 where fewer than 2s
      rows are free. A smaller budget is not a prefix, as it has other candidates.
      The option `candidates`, int `[m]`, gives them in place of the first stage, which
      is not run then. Those of a larger budget at the same key serve a smaller one
      where the first stage's picks are prefixes of each other.

      The option `rules` is for both stages: the first heeds all but costs, so that
      its proposals keep limits and distances together; the second needs and costs.

    When nothing is left: as the two stages, each for itself.

    Example:
      >>> from jaxsel.selection.norm import select_norm
      >>> from jaxsel.selection.uniform import select_random
      >>> select = two_stage(select_random, select_norm)
      >>> x = jnp.array([[1.0], [2.0], [3.0], [4.0]])
      >>> picks = select(
      ...     jax.random.key(0), x, jnp.zeros(4, bool), budget=2, deterministic=True)
      >>> picks.indices.tolist()
      [3, 2]
    """
    first_options, second_options = _options(first), _options(second)

    def select(
        key: jax.Array,
        features: jax.Array,
        labelled: jax.Array,
        *,
        budget: int,
        candidates: Any = None,
        rules: Rules | None = None,
        **options: Any,
    ) -> Picks:
        if budget == 0:
            return no_picks()
        key_first, key_second = jax.random.split(key)
        free = features.shape[0] - jnp.sum(labelled, dtype=jnp.int32)
        proposals = _proposals(budget, features, labelled)
        before: dict[str, Any] = {}
        first_rules: dict[str, Any] = {}
        second_rules: dict[str, Any] = {}
        if rules is not None:
            first_rules = {"rules": without_costs(rules)}
        if candidates is None:
            proposed = first(
                key_first,
                unit_rows(features),
                labelled,
                budget=proposals,
                **first_rules,
                **{name: v for name, v in options.items() if name in first_options},
            )
            rows = proposed.indices
            before = {**proposed.info, "first_rounds": proposed.rounds}
        else:
            rows = jnp.asarray(candidates, jnp.int32)[:proposals]
        # Where the number of free rows is traced, proposals beyond it are void.
        real = jnp.arange(rows.shape[0]) < free
        if rules is not None:
            real, rows = real & (rows >= 0), jnp.maximum(rows, 0)
            second_rules = {"rules": of_candidates(rules, rows, real)}
        kept = second(
            key_second,
            # A zero row marked as labelled takes part in nothing.
            everywhere(jnp.where(real[:, None], features[rows], 0.0)),
            ~real,
            budget=budget,
            **second_rules,
            **_of_rows(options, second_options, rows),
        )
        chosen = rows[kept.indices]
        if rules is not None:
            chosen = jnp.where(kept.indices < 0, -1, chosen)
        info = {**before, **kept.info, "candidates": jnp.where(real, rows, -1)}
        return Picks(chosen, kept.gains, kept.rounds, info)

    *head, given, heeded, _ = inspect.signature(select).parameters.values()
    both = {**second_options, **first_options, "candidates": given, "rules": heeded}
    select.__signature__ = inspect.Signature([*head, *both.values()])  # type: ignore[attr-defined]
    return select


def _options(function: Callable[..., Picks]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters.values()
    return {
        p.name: p
        for p in parameters
        if p.kind is p.KEYWORD_ONLY and p.name not in ("budget", "rules")
    }


def _of_rows(
    options: dict[str, Any], known: dict[str, inspect.Parameter], rows: jax.Array
) -> dict[str, Any]:
    """The options that a stage knows, those with a value a row for these rows."""
    given = {name: value for name, value in options.items() if name in known}
    for name in _PER_ROW:
        if given.get(name) is not None:
            given[name] = jnp.asarray(given[name])[rows]
    return given


def _proposals(budget: int, features: jax.Array, labelled: jax.Array) -> int:
    """min(2s, n - |L|); while `labelled` is traced, min(2s, n)."""
    room = features.shape[0]
    if not isinstance(labelled, jax.core.Tracer):
        room -= int(np.asarray(labelled).sum())  # NumPy: a user's jit may trace.
    return min(2 * budget, room)

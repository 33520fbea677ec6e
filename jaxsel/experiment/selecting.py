"""The selection stage: picks for every method, budget and seed, journalled as made."""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.experiment import journal
from jaxsel.experiment.pools import Pool, draw_pool
from jaxsel.experiment.progress import Progress
from jaxsel.experiment.settings import Settings
from jaxsel.selection.api import select
from jaxsel.selection.methods import METHODS

Picked = dict[tuple[str, int, int], dict[str, Any]]


def select_all(
    settings: Settings,
    rows: np.ndarray,
    input_norms: Callable[[], np.ndarray],
    n_classes: int,
    journal_path: pathlib.Path,
) -> Picked:
    """Makes the picks that the journal does not hold yet.

    Where a method's smaller budget is a prefix of its larger one, it runs once a seed,
    for the largest budget; `seconds` is then the time of that one selection.

    Args:
      settings: what to select.
      rows: float32 `[n, d]`, features of the whole training set.
      input_norms: gives float32 `[n]`, Euclidean norms of the images in [0, 1]; called
        for selectors with `input_norms=True`.
      n_classes: for ProbCover's purity rule.
      journal_path: `picks.jsonl`.

    Returns:
      The journal's entries by (method, budget, seed), rows counted in the whole set.
    """
    picked: Picked = {
        (entry["method"], entry["budget"], entry["seed"]): entry
        for entry in journal.read(journal_path)
    }
    total = len(settings.seeds) * len(settings.methods)
    with Progress("selection", total, "selection") as progress:
        for seed in settings.seeds:
            pool = draw_pool(
                len(rows),
                settings.resolved["data"]["holdout"],
                settings.resolved["initial_pool"],
                seed,
            )
            for label in settings.methods:
                missing = [
                    b for b in settings.budgets if (label, b, seed) not in picked
                ]
                for entry in _select_missing(
                    settings, label, seed, missing, pool, rows, input_norms, n_classes
                ):
                    picked[label, entry["budget"], seed] = entry
                    journal.append(journal_path, [entry])
                _check_prefixes(settings, label, seed, picked)
                progress.advance(1, label)
    return picked


def _select_missing(
    settings: Settings,
    label: str,
    seed: int,
    budgets: list[int],
    pool: Pool,
    rows: np.ndarray,
    input_norms: Callable[[], np.ndarray],
    n_classes: int,
) -> list[dict[str, Any]]:
    if not budgets:
        return []
    method, options = settings.selectors[label]
    options = dict(options)
    if options.pop("input_norms", False):
        options["input_norms"] = input_norms()[pool.rows]
    if options.get("delta") == "purity":
        options.setdefault("n_classes", n_classes)
    features = rows if len(pool.rows) == len(rows) else rows[pool.rows]
    labelled = np.searchsorted(pool.rows, pool.initial)
    entries: list[dict[str, Any]] = []
    selection = None
    for budget in sorted(budgets, reverse=True):
        size = budget - len(pool.initial)
        if selection is None or not METHODS[method].prefix:
            selection = select(
                features, size, method, labelled=labelled, seed=seed, **options
            )
        entries.append(
            {
                "method": label,
                "budget": budget,
                "seed": seed,
                "initial": pool.initial.tolist(),
                "indices": pool.rows[selection.indices[:size]].tolist(),
                "seconds": selection.info["seconds"],
                "info": _plain(selection.info),
            }
        )
    return entries[::-1]


def _check_prefixes(settings: Settings, label: str, seed: int, picked: Picked) -> None:
    """Picks of an earlier start must be what this start would have made."""
    method, _ = settings.selectors[label]
    if not METHODS[method].prefix:
        return
    longest: list[int] = []
    for budget in sorted(settings.budgets):
        indices = picked[label, budget, seed]["indices"]
        if indices[: len(longest)] != longest:
            raise UserError(
                f"expected the picks of {label} at seed {seed} to be prefixes of each "
                f"other, found those at budget {budget} differ from an earlier start's "
                "(other versions or another machine?): use a new --workdir"
            )
        longest = indices


def _plain(info: dict[str, Any]) -> dict[str, Any]:
    """The scalars of a selection's info; arrays stay out of the journal."""
    plain = {}
    for name, value in info.items():
        if isinstance(value, np.ndarray | np.generic):
            if np.ndim(value):
                continue
            value = value.item()
        if isinstance(value, str | int | float | bool) or value is None:
            plain[name] = value
    return plain

"""The selection stage: picks for every method, budget and seed, journalled as made."""

import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.experiment import journal
from jaxsel.experiment.devices import mesh_of_pool
from jaxsel.experiment.grid import selections_of
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
    for the largest budget; `seconds` is then the time of that one selection. Two-stage
    methods with the same first stage run that once a seed as well, and `seconds` of the
    others is the time of the second stage alone.

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
    wanted = selections_of(settings.grids)
    total = sum(map(len, wanted.values()))
    with Progress("selection", total, "selection") as progress:
        for seed, methods in wanted.items():
            context = _Context(
                settings,
                draw_pool(
                    len(rows),
                    settings.resolved["data"]["holdout"],
                    settings.resolved["initial_pool"],
                    seed,
                ),
                seed,
                rows,
                input_norms,
                n_classes,
            )
            for label, budgets in methods.items():
                missing = [b for b in budgets if (label, b, seed) not in picked]
                for entry in _select_missing(context, label, missing, picked):
                    picked[label, entry["budget"], seed] = entry
                    journal.append(journal_path, [entry])
                _check_prefixes(settings, label, seed, budgets, picked)
                progress.advance(1, label)
    return picked


class _Context(NamedTuple):
    """What the selections of a seed have in common."""

    settings: Settings
    pool: Pool
    seed: int
    rows: np.ndarray
    input_norms: Callable[[], np.ndarray]
    n_classes: int

    @property
    def features(self) -> np.ndarray:
        """float32 `[m, d]`: the pool's."""
        if len(self.pool.rows) == len(self.rows):
            return self.rows
        return self.rows[self.pool.rows]


def _select_missing(
    context: _Context, label: str, budgets: list[int], picked: Picked
) -> Iterator[dict[str, Any]]:
    """Journal entries of a label's budgets, the largest first: what is proposed for it
    serves the smaller ones too.
    """
    if not budgets:
        return
    settings, pool, seed = context.settings, context.pool, context.seed
    method, options = settings.selectors[label]
    options = dict(options)
    if options.pop("input_norms", False):
        options["input_norms"] = context.input_norms()[pool.rows]
    if options.get("delta") == "purity":
        options.setdefault("n_classes", context.n_classes)
    features = context.features
    labelled = np.searchsorted(pool.rows, pool.initial)
    selection = None
    for budget in sorted(budgets, reverse=True):
        size = budget - len(pool.initial)
        if selection is None or not METHODS[method].prefix:
            proposed = _proposed(settings, label, budget, seed, picked)
            given: dict[str, Any] = {}  # For this budget alone.
            if proposed is not None:
                given = {"candidates": np.searchsorted(pool.rows, proposed)}
            selection = select(
                features,
                size,
                method,
                labelled=labelled,
                seed=seed,
                mesh=mesh_of_pool(settings.resolved),
                **options,
                **given,
            )
        entry = {
            "method": label,
            "budget": budget,
            "seed": seed,
            "initial": pool.initial.tolist(),
            "indices": pool.rows[selection.indices[:size]].tolist(),
            "gains": selection.gains[:size].tolist(),
            "seconds": selection.info["seconds"],
            "info": _plain(selection.info),
        }
        if "candidates" in selection.info:
            real = selection.info["candidates"]
            entry["candidates"] = pool.rows[real[real >= 0]].tolist()
        yield entry


def _proposed(
    settings: Settings, label: str, budget: int, seed: int, picked: Picked
) -> list[int] | None:
    """What the first stage of a two-stage label proposed when it was last asked.

    The pairs of a seed split the same key, so that the first stage of one is that of
    another with the same options; and where its picks are prefixes of each other, its
    answer to a larger budget holds the one to a smaller.
    """
    first, options = _first_stage(settings, label)
    if first is None:
        return None
    prefix = METHODS[first].prefix
    for (other, larger, its_seed), entry in picked.items():
        fits = larger >= budget if prefix else larger == budget
        if its_seed != seed or not fits or "candidates" not in entry:
            continue
        if _first_stage(settings, other) == (first, options):
            return entry["candidates"]
    return None


def _first_stage(settings: Settings, label: str) -> tuple[str | None, dict[str, Any]]:
    """The first method of a two-stage label, with the options that are its own."""
    method, options = settings.selectors[label]
    first, _, second = method.partition("+")
    if not second:
        return None, {}
    own = METHODS[first].options
    return first, {name: value for name, value in options.items() if name in own}


def _check_prefixes(
    settings: Settings, label: str, seed: int, budgets: list[int], picked: Picked
) -> None:
    """Picks of an earlier start must be what this start would have made."""
    method, _ = settings.selectors[label]
    if not METHODS[method].prefix:
        return
    longest: list[int] = []
    for budget in budgets:
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

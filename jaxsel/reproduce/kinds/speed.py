"""Selection time against pool size and budget, measured on this machine."""

import pathlib
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxsel.evaluation.claims import Verdict, judged
from jaxsel.evaluation.scaling import exponent
from jaxsel.experiment import journal
from jaxsel.experiment.progress import Progress
from jaxsel.experiment.provenance import provenance
from jaxsel.files import hash_of
from jaxsel.report.times import Timed, TimesPanel, times_figure
from jaxsel.reproduce.figure import Figure, Product
from jaxsel.reproduce.studies import inputs_of
from jaxsel.selection.api import select

REPEATS = 3


def draw(figure: Figure, workdir: pathlib.Path) -> Product:
    """Medians of warm calls, from rows on the device to indices.

    That is the method alone (`Selection.info["seconds"]`): without the copy of the rows
    to the device and without the report of coverage that some methods come with.
    ProbCover and TypiClust have their default options, with ProbCover's search for
    delta. The first call of every shape compiles and is left out. Every timing is kept
    as it is made, in `speed-*.jsonl` in the workdir, named for features and machine: a
    run that is killed goes on, and a finished one is drawn again without measuring;
    delete the file to measure anew.
    Options: `sizes` (of the pool; larger ones than the data set are left out),
    `budgets`, `methods`, and `size` and `budget`, what is fixed where the other varies.

    Args:
      figure: its first part names data set and features.
      workdir: of all figures.

    Returns:
      What came out.
    """
    part, options = figure.parts[0], figure.options
    _, inputs = inputs_of(part)
    rows = np.array(inputs.train_features.rows, np.float32)
    # In an order of no meaning, so that a part of the rows is like the whole.
    rows = rows[np.random.default_rng(0).permutation(len(rows))]
    sizes = sizes_of(len(rows), options["sizes"])
    fixed = max(size for size in sizes if size <= max(options["size"], sizes[0]))
    cases = [(m, n, options["budget"]) for m in options["methods"] for n in sizes]
    cases += [(m, fixed, b) for m in options["methods"] for b in options["budgets"]]
    identity = inputs.train_features.identity
    here = provenance()
    known = hash_of([identity, {name: here[name] for name in ("machine", "devices")}])
    path = workdir / f"speed-{part.study}-{known[:8]}.jsonl"
    timed = _measure(list(dict.fromkeys(cases)), rows, path, here)
    panels = [
        TimesPanel(
            f"{options['budget']} picks",
            "pool",
            "n",
            _against(timed, cases, 1, 2, options["budget"]),
        ),
        TimesPanel(
            f"pool of {fixed:,} rows",
            "budget",
            "b",
            _against(timed, cases, 2, 1, fixed),
        ),
    ]
    table = [
        {
            "method": method,
            "pool": n,
            "dimension": rows.shape[1],
            "budget": budget,
            "repeat": repeat,
            "seconds": seconds,
        }
        for (method, n, budget), entry in timed.items()
        for repeat, seconds in enumerate(entry["seconds"])
    ]
    verdicts, said = _compare(figure, timed, sizes, options["budget"])
    fits = [
        {"method": method, "against": panel.x_label, **_fit(each)}
        for panel in panels
        for method, each in panel.methods.items()
        if len(each.x) > 1
    ]
    tables: dict[str, Sequence[dict[str, Any]]] = {"": table}
    if fits:
        tables["exponents"] = fits
    facts = {
        part.study: {"features": identity, "starts": _distinct(timed)},
    }
    return Product({"": times_figure(panels)}, tables, verdicts, said, facts)


_WHERE = ("commit", "machine", "devices", "started")


def _distinct(timed: dict[Any, dict[str, Any]]) -> list[dict[str, Any]]:
    """Where and when the timings were made, each once."""
    found: list[dict[str, Any]] = []
    for entry in timed.values():
        if entry["where"] not in found:
            found.append(entry["where"])
    return found


def sizes_of(n: int, wanted: Sequence[int]) -> list[int]:
    """The wanted sizes that a pool has; of a small pool, its own eighth to whole.

    Example:
      >>> sizes_of(12_000, (1000, 3000, 10_000, 30_000))
      [1000, 3000, 10000]
      >>> sizes_of(1600, (1000, 3000, 10_000))
      [200, 400, 800, 1600]
    """
    had = [size for size in wanted if size <= n]
    return had if len(had) > 2 else [n // 8, n // 4, n // 2, n]


def _measure(
    cases: list[tuple[str, int, int]],
    rows: np.ndarray,
    path: pathlib.Path,
    where: dict[str, Any],
) -> dict[tuple[str, int, int], dict[str, Any]]:
    """Seconds of every case, those of the journal first."""
    entries = journal.read(path)
    timed = {(e["method"], e["pool"], e["budget"]): e for e in entries}
    missing = [case for case in cases if case not in timed]
    with Progress("timing", len(missing), "case") as progress:
        for method, n, budget in missing:
            seconds = []
            for repeat in range(1 + REPEATS):
                picks = select(rows[:n], budget, method, seed=repeat)
                seconds.append(picks.info["seconds"])
            entry = {
                "method": method,
                "pool": n,
                "budget": budget,
                "first": seconds[0],
                "seconds": seconds[1:],
                "where": {name: where[name] for name in _WHERE},
            }
            path.parent.mkdir(parents=True, exist_ok=True)
            journal.append(path, [entry])
            timed[method, n, budget] = entry
            progress.advance(1, f"{method} {n} {budget}")
    return {case: timed[case] for case in cases}


def _against(
    timed: dict[tuple[str, int, int], dict[str, Any]],
    cases: list[tuple[str, int, int]],
    varies: int,
    fixed: int,
    value: int,
) -> dict[str, Timed]:
    """By method, seconds against one size where the other has a value."""
    found: dict[str, dict[Any, list[float]]] = {}
    for case in cases:
        if case[fixed] == value:
            found.setdefault(case[0], {})[case[varies]] = timed[case]["seconds"]
    return {
        method: Timed(np.array([*by_size]), np.array([*by_size.values()]))
        for method, by_size in found.items()
    }


def _fit(timed: Timed) -> dict[str, Any]:
    law = exponent(timed.x, np.median(timed.seconds, axis=1))
    return {"exponent": law.exponent, "half_width": law.half_width, "sizes": law.n}


def _compare(
    figure: Figure,
    timed: dict[tuple[str, int, int], dict[str, Any]],
    sizes: list[int],
    budget: int,
) -> tuple[list[Verdict], list[str]]:
    """How many times faster a claim's method is, from its slowest and fastest calls."""
    verdicts, said = [], []
    for claim in figure.claims:
        for n in sizes:
            mine = timed[claim.method, n, budget]["seconds"]
            other = timed[claim.baseline, n, budget]["seconds"]
            ratio = statistics.median(other) / statistics.median(mine)
            low, high = min(other) / max(mine), max(other) / min(mine)
            word = judged(claim.kind, low - 1, high - 1, claim.margin)
            where = f"{n:,} rows, {budget} picks"
            verdicts.append(
                Verdict(claim, where, word, ratio, low, high, "times", len(mine))
            )
            said.append(
                f"{where}: {claim.method} takes {statistics.median(mine):.3g} s, "
                f"{claim.baseline} {statistics.median(other):.3g} s, {ratio:.3g} times "
                "as long."
            )
    return verdicts, said

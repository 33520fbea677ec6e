"""What measurements mean: from numbers to findings, a function a question."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxsel.doctor.finding import Finding, Severity, counted
from jaxsel.doctor.near import Near
from jaxsel.doctor.spectrum import Spectrum
from jaxsel.doctor.sweep import Sweep

FEW = 10  # rows that a finding names
ALIKE = 0.98  # mean cosine from which rows all point one way
UNIT = 1e-3  # distance of every norm from 1 at which rows count as normalised
EQUAL = 0.01  # coefficient of variation below which norms say nothing
FAR = 20.0  # times the median norm
OFTEN = 0.01  # share of rows with a near-duplicate that is worth a warning
_BINS = 20
_QUANTILES = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)

Names = Callable[[np.ndarray], tuple[str, ...]]


def not_finite(seen: Sweep, names: Names) -> Finding | None:
    """Rows that selection refuses."""
    bad = ~seen.finite
    if not bad.any():
        return None
    numbers: dict[str, Any] = {
        "nan_rows": int(seen.nan.sum()),
        "infinite_rows": int((seen.infinite & ~seen.nan).sum()),
        "too_large_rows": int(seen.too_large.sum()),
    }
    kinds = [
        f"{count:,} with {what}"
        for count, what in zip(
            numbers.values(),
            ("NaN", "infinity", "numbers too large for float32"),
            strict=True,
        )
        if count
    ]
    total = int(bad.sum())
    return _of_rows(
        "not-finite",
        "error",
        f"{_rows_are(total, len(bad), 'not finite')} ({', '.join(kinds)}): no method "
        "can place them; compute them again or leave them out.",
        numbers,
        bad,
        names,
    )


def zero_rows(seen: Sweep, names: Names) -> Finding | None:
    """Rows without a direction."""
    zero = seen.norms == 0
    if not zero.any():
        return None
    return _of_rows(
        "zero-rows",
        "warning",
        f"{_rows_are(int(zero.sum()), len(zero), 'all zero')}: without a direction "
        "they are alike to no row; an encoder gives such rows for what it failed on.",
        {"share": float(zero.mean())},
        zero,
        names,
    )


def half_overflow(seen: Sweep, names: Names) -> Finding | None:
    """Rows that float16 would turn into infinity."""
    if not seen.half.any():
        return None
    return _of_rows(
        "float16-overflow",
        "note",
        f"{counted(int(seen.half.sum()), 'row')} would not survive float16, whose "
        "numbers end at 65,504: store them as float32 or bfloat16.",
        {"largest": float(max(seen.high.max(), -seen.low.min()))},
        seen.half,
        names,
    )


def constant_columns(seen: Sweep) -> Finding | None:
    """Columns that say nothing about any row."""
    constant = np.flatnonzero(seen.low == seen.high)
    if not len(constant) or seen.finite.sum() < 2:
        return None
    d = len(seen.low)
    severity: Severity = "warning" if 2 * len(constant) > d else "note"
    return Finding(
        "constant-columns",
        severity,
        f"{counted(len(constant), 'column')} of {d:,} hold one number throughout, the "
        f"first is column {constant[0]}: units that never fired, or padding.",
        {"columns": constant[:FEW].tolist(), "constant": len(constant), "of": d},
    )


def duplicates(first: np.ndarray, names: Names) -> Finding | None:
    """Rows that are equal to an earlier one."""
    repeats = first != np.arange(len(first))
    if not repeats.any():
        return None
    groups, sizes = np.unique(first[repeats], return_counts=True)
    largest = groups[np.argmax(sizes)]
    return _of_rows(
        "duplicates",
        "warning",
        f"{counted(int(repeats.sum()), 'row repeats', 'rows repeat')} an earlier row "
        f"exactly, in {counted(len(groups), 'group')}, the largest of "
        f"{int(sizes.max()) + 1:,}: a label for one is a label for all, and more than "
        "one of them would be paid for twice.",
        {
            "groups": len(groups),
            "largest_group": int(sizes.max()) + 1,
            "largest_group_first_row": int(largest),
            "share": float(repeats.mean()),
        },
        repeats,
        names,
    )


def near_duplicates(near: Near, threshold: float, names: Names) -> Finding | None:
    """Rows with a partner that points nearly the same way."""
    total = int(near.rows.sum())
    if not total:
        return None
    share = total / len(near.rows)
    least = "" if near.complete else "at least "
    have = "has" if total == 1 else "have"
    found = f"{least}{counted(total, 'row')} ({share:.2%})"
    found = found[0].upper() + found[1:]
    return _of_rows(
        "near-duplicates",
        "warning" if share >= OFTEN else "note",
        f"{found} {have} another within cosine {threshold:g}: frames of one video, "
        "copies at other sizes; the same label would be paid for more than once.",
        {
            "threshold": threshold,
            "share": share,
            "complete": near.complete,
            "closest": [list(pair) for pair in near.pairs],
        },
        near.rows,
        names,
    )


def alike(mean_cosine: float | None) -> Finding | None:
    """Rows that all point one way."""
    if mean_cosine is None or mean_cosine < ALIKE:
        return None
    return Finding(
        "alike",
        "warning",
        f"Two rows have a cosine of {mean_cosine:.4f} on average: they share one large "
        "component, beside which what tells them apart is small; subtract the mean "
        "from the features, or take another encoder.",
        {"mean_cosine": mean_cosine},
    )


def directions(
    found: Spectrum, d: int, budget: int | None, n_classes: int | None
) -> Finding | None:
    """How many directions the features vary along, and whether those suffice."""
    if found.rows < 2:
        return None
    numbers = {
        "entropy_rank": found.entropy,
        "participation_ratio": found.participation,
        "rank": found.rank,
        "columns": d,
        "rows_used": found.rows,
    }
    severity: Severity = "note"
    if found.rank == 0:
        return Finding(
            "directions",
            "warning",
            "All usable rows are equal: there is nothing to select by.",
            numbers,
        )
    text = (
        f"The features vary along about {found.entropy:.1f} directions of {d:,} "
        f"(entropy of the covariance's spectrum; {found.participation:.1f} by the "
        "participation ratio)"
    )
    if found.entropy < 2 <= d:
        severity = "warning"
        text += ": they have collapsed to a line; take another encoder or layer"
    elif n_classes is not None and found.entropy < n_classes - 1:
        severity = "warning"
        text += (
            f": fewer than the {n_classes - 1:,} that tell {n_classes:,} classes apart "
            "in general"
        )
    if budget is not None and budget > found.rank:
        text += (
            f". The budget of {budget:,} is above their rank of {found.rank:,}: "
            "Gram-Schmidt methods run out of directions and start over, those that "
            "cover the pool go on"
        )
    elif budget is not None and budget > found.entropy:
        text += (
            f". The budget of {budget:,} is above that: the last picks of methods that "
            "span directions add little, those that cover the pool go on"
        )
    return Finding("directions", severity, f"{text}.", numbers)


def norms(lengths: np.ndarray, names: Names) -> list[Finding]:
    """What the norms of finite rows are good for, and rows that stick out.

    Args:
      lengths: float64 `[n]`, NaN for rows that are not finite.
      names: of rows.
    """
    some = lengths[np.isfinite(lengths)]
    if not len(some):
        return []
    mean, median = float(some.mean()), float(np.median(some))
    spread = float(some.std() / mean) if mean else 0.0
    low, high = float(some.min()), float(some.max())
    # Bins have to be wider than what rounds away.
    counts, edges = np.histogram(some, _BINS, (low, max(high, low * (1 + 1e-6))))
    numbers = {
        "mean": mean,
        "variation": spread,
        "quantiles": {
            str(q): float(v)
            for q, v in zip(_QUANTILES, np.quantile(some, _QUANTILES), strict=True)
        },
        "histogram": {"counts": counts.tolist(), "edges": edges.tolist()},
        # Half the L1 distance of sampling by norm from sampling uniformly.
        "from_uniform": float(np.abs(some / mean - 1).mean() / 2) if mean else 0.0,
    }
    severity: Severity = "warning"
    if np.abs(some - 1).max() <= UNIT:
        code = "unit-norms"
        text = (
            "All rows have length 1: norms carry nothing, and methods that sample by "
            "norm sample uniformly; give the features before they were normalised."
        )
    elif spread < EQUAL:
        code = "equal-norms"
        text = (
            f"Norms vary by {spread:.2%} around {mean:.4g}: methods that sample by "
            "norm sample all but uniformly."
        )
    else:
        code, severity = "norms", "note"
        text = (
            f"Norms lie from {low:.4g} to {high:.4g}, median "
            f"{median:.4g}, and vary by {spread:.1%}; sampling by norm differs from "
            f"sampling uniformly in {numbers['from_uniform']:.1%} of the draws."
        )
    found = [Finding(code, severity, text, numbers)]
    far = np.nan_to_num(lengths, nan=0.0) > FAR * median
    if median > 0 and far.any():
        found.append(
            _of_rows(
                "long-rows",
                "warning",
                f"{counted(int(far.sum()), 'row is', 'rows are')} more than {FAR:g} "
                "times as long as the median: methods that go by norm pick them first; "
                "look whether they are what they should be.",
                {"times_median": high / median},
                far,
                names,
            )
        )
    return found


def budget_fits(n: int, usable: int, budget: int | None) -> Finding | None:
    """Whether there are as many rows as are to be picked."""
    if budget is None or budget <= usable:
        return None
    but = f"{n:,} rows" if n == usable else f"{usable:,} finite rows of {n:,}"
    return Finding(
        "budget",
        "error",
        f"The budget is {budget:,}, and there are only {but}: lower it.",
        {"budget": budget, "rows": n, "usable": usable},
    )


def classes_fit(budget: int | None, n_classes: int | None) -> Finding | None:
    """Whether every class can have a label."""
    if budget is None or n_classes is None or budget >= n_classes:
        return None
    return Finding(
        "classes",
        "warning",
        f"The budget of {budget:,} is below the {n_classes:,} classes: "
        f"{n_classes - budget:,} at least will have no label.",
        {"budget": budget, "n_classes": n_classes},
    )


def _of_rows(
    code: str,
    severity: Severity,
    sentence: str,
    numbers: dict[str, Any],
    mask: np.ndarray,
    names: Names,
) -> Finding:
    rows = np.flatnonzero(mask)
    few = rows[:FEW]
    return Finding(
        code, severity, sentence, numbers, tuple(few.tolist()), names(few), len(rows)
    )


def _rows_are(some: int, n: int, what: str) -> str:
    return f"{some:,} of {counted(n, 'row')} {'is' if some == 1 else 'are'} {what}"


def namer(ids: Sequence[str] | np.ndarray | None) -> Names:
    """A function from rows to their names: ids, or numbers where there are none."""

    def names(rows: np.ndarray) -> tuple[str, ...]:
        if ids is None:
            return tuple(f"row {row}" for row in rows)
        return tuple(str(ids[row]) for row in rows)

    return names

"""The bars of the training benchmark: what a case must reach, from its results."""

import statistics
from collections.abc import Callable

from benchmarks.bars import Results, Verdict

# Results of a case and GFLOP/s of matrix products by type, to a verdict.
Bar = Callable[[Results, dict[str, float]], Verdict]

_MISSING = "not measured"


def rate(found: dict, unit: str) -> float | None:
    """Units a second in the median call; None if there are none.

    Example:
      >>> rate({"units": {"images": 100.0}, "seconds": [2.0, 4.0, 5.0]}, "images")
      25.0
    """
    if unit not in found.get("units", {}):
        return None
    return found["units"][unit] / statistics.median(found["seconds"])


def share(found: dict, rates: dict[str, float]) -> float | None:
    """Share of the machine's rate of matrix products that a training reached."""
    mine = rate(found, "flops")
    peak = rates.get(found.get("notes", {}).get("dtype", "float32"))
    return None if mine is None or peak is None else mine / (peak * 1e9)


def as_fast(ours: str, others: tuple[str, ...], times: float | None) -> Bar:
    """Images a second of `ours` over those of the fastest of `others`."""
    against = " or ".join(others)
    wanted = "" if times is None else f" at least {times:g}x"
    text = f"images a second of {ours}{wanted} over {against}, the faster"
    text = text if len(others) > 1 else text.removesuffix(", the faster")

    def judge(results: Results, rates: dict[str, float]) -> Verdict:
        del rates
        mine = rate(results[ours], "images")
        theirs = [rate(results[name], "images") for name in others]
        known = [r for r in theirs if r is not None]
        if mine is None or not known:
            return Verdict(text, _MISSING, None)
        ratio = mine / max(known)
        passed = None if times is None else ratio >= times
        return Verdict(text, f"{ratio:.2f}x", passed)

    return judge


def study_within(ours: str, limit: float) -> Bar:
    """All runs of the study take less than `limit` seconds, compilation apart."""
    text = f"study of {ours} in under {limit:g} s"

    def judge(results: Results, rates: dict[str, float]) -> Verdict:
        del rates
        seconds = study_seconds(results[ours])
        if seconds is None:
            return Verdict(text, _MISSING, None)
        runs = results[ours]["notes"]["runs_of_study"]
        return Verdict(text, f"{seconds:.2f} s for {runs} runs", seconds < limit)

    return judge


def study_seconds(found: dict) -> float | None:
    """Seconds for all runs of a study, extrapolated if only a part was measured."""
    runs_a_second = rate(found, "runs")
    if runs_a_second is None:
        return None
    return found["notes"]["runs_of_study"] / runs_a_second


def same_accuracies(ours: str, other: str, tolerance: float) -> Bar:
    """Every run that both made came to the same accuracy."""
    text = f"accuracies of {ours} as of {other} within {tolerance:g}"

    def judge(results: Results, rates: dict[str, float]) -> Verdict:
        del rates
        lists = [
            results[name].get("scores", {}).get("accuracies") for name in (ours, other)
        ]
        if None in lists:
            return Verdict(text, _MISSING, None)
        pairs = list(zip(*lists, strict=False))
        largest = max(abs(a - b) for a, b in pairs)
        measured = f"{largest:.4f} at most in {len(pairs)} runs"
        return Verdict(text, measured, largest <= tolerance)

    return judge


def same_network(names: tuple[str, ...]) -> Bar:
    """All have as many parameters."""
    text = f"as many parameters: {', '.join(names)}"

    def judge(results: Results, rates: dict[str, float]) -> Verdict:
        del rates
        counts = [results[name].get("notes", {}).get("parameters") for name in names]
        if None in counts:
            return Verdict(text, _MISSING, None)
        measured = ", ".join(f"{count:,}" for count in dict.fromkeys(counts))
        return Verdict(text, measured, len(set(counts)) == 1)

    return judge


def well_chosen(slack: float) -> Bar:
    """No way makes more than `slack` times as many runs an hour as the default."""
    text = f"no way more than {slack:g}x as fast as the default"

    def judge(results: Results, rates: dict[str, float]) -> Verdict:
        del rates
        speeds = {name: rate(found, "runs") for name, found in results.items()}
        known = {name: r for name, r in speeds.items() if r is not None}
        defaults = [name for name in known if results[name]["notes"]["default"]]
        if not defaults:
            return Verdict(text, _MISSING, None)
        best = max(known, key=lambda name: known[name])
        ratio = known[best] / known[defaults[0]]
        measured = f"{best} {ratio:.2f}x as fast as {defaults[0]}, the default"
        return Verdict(text, measured, ratio <= slack)

    return judge


def iterations(ours: str, goal: float) -> Bar:
    """The goal, or half of what the operations allow at the rate of products."""
    text = f"{ours}: {goal:g} iterations a second, or half of the floor if that is less"

    def judge(results: Results, rates: dict[str, float]) -> Verdict:
        mine, reached = rate(results[ours], "iterations"), share(results[ours], rates)
        if mine is None or reached is None:
            return Verdict(text, _MISSING, None)
        measured = f"{mine:.1f} a second, {100 * reached:.0f} % of the floor's"
        return Verdict(text, measured, mine >= goal or reached >= 0.5)

    return judge

"""The bars: what a case must reach, computed from its results."""

import statistics
from collections.abc import Callable
from typing import NamedTuple

Results = dict[str, dict]


class Verdict(NamedTuple):
    """A bar, what was measured against it, and whether it was reached."""

    bar: str
    measured: str
    passed: bool | None


Bar = Callable[[Results, dict], Verdict]


def seconds(results: Results, name: str) -> float | None:
    """Median warm seconds of a contender; None if it did not run."""
    found = results.get(name, {})
    return statistics.median(found["seconds"]) if "seconds" in found else None


def faster(ours: str, than: str, times: float) -> Bar:
    """`than` takes at least `times` as long as `ours`."""
    text = f"{ours} at least {times:g}x as fast as {than}"

    def judge(results: Results, machine: dict) -> Verdict:
        del machine
        mine, other = seconds(results, ours), seconds(results, than)
        if mine is None or other is None:
            return Verdict(text, "not measured", None)
        return Verdict(text, f"{other / mine:.2f}x", other / mine >= times)

    return judge


def near_floor(ours: str, times: float, flops: Callable[[dict], float]) -> Bar:
    """`ours` takes at most `times` the flops at the machine's own XLA rate.

    `flops` is given the contender's response, whose `info` says how many rounds.
    """
    text = f"{ours} within {times:g}x of its flop floor"

    def judge(results: Results, machine: dict) -> Verdict:
        mine = seconds(results, ours)
        if mine is None:
            return Verdict(text, "not measured", None)
        floor = flops(results[ours]) / (machine["xla_gflops"] * 1e9)
        measured = f"{mine / floor:.2f}x of {floor:.3f} s"
        return Verdict(text, measured, mine <= times * floor)

    return judge


def memory(ours: str, mib: float) -> Bar:
    """The first call, compilation included, adds at most `mib`."""
    text = f"{ours} adds at most {mib:g} MiB"

    def judge(results: Results, machine: dict) -> Verdict:
        del machine
        found = results.get(ours, {})
        if "first_peak_mib" not in found:
            return Verdict(text, "not measured", None)
        first, warm = found["first_peak_mib"], found["peak_mib"]
        measured = f"{first:.0f} MiB ({warm:.0f} warm)"
        return Verdict(text, measured, max(first, warm) <= mib)

    return judge


def same_picks(ours: str, as_in: str) -> Bar:
    """Both return the same rows in the same order."""
    text = f"{ours} picks as {as_in}"

    def judge(results: Results, machine: dict) -> Verdict:
        del machine
        mine = results.get(ours, {}).get("indices")
        other = results.get(as_in, {}).get("indices")
        if mine is None or other is None:
            return Verdict(text, "not measured", None)
        equal = sum(a == b for a, b in zip(mine, other, strict=True))
        return Verdict(text, f"{equal} of {len(mine)} equal", mine == other)

    return judge


def quality_within(ours: str, than: str, measure: str, slack: float) -> Bar:
    """The measure, lower or higher being better, is worse by at most `slack`."""
    text = f"{ours}: {measure} no worse than {than} by {slack:g}"
    lower_is_better = measure in ("mean_residual", "largest_distance")

    def judge(results: Results, machine: dict) -> Verdict:
        del machine
        pair = [
            results.get(name, {}).get("quality", {}).get(measure)
            for name in (ours, than)
        ]
        if None in pair:
            return Verdict(text, "not measured", None)
        mine, other = pair
        worse = (mine - other) * (1 if lower_is_better else -1)
        return Verdict(text, f"{mine:.4f} against {other:.4f}", worse <= slack)

    return judge

"""The benchmark of the forecasts: its cases, its arithmetic, and its kept report."""

import json

import pytest

from benchmarks import planning
from jaxsel.planning.duration import ideal_seconds
from jaxsel.planning.fitted import COMPILER_BYTES, MIB
from jaxsel.planning.forecast import forecast
from jaxsel.planning.machine import Machine
from jaxsel.selection.methods import METHODS

HERE = Machine(8 << 30, 1e11, 1e10, 2, "cpu")


def entry(case: planning.Case, memory: float, seconds: float) -> dict:
    """As a worker's, off by a factor."""
    told = forecast(case.method, case.call, HERE)
    return {
        **case._asdict(),
        "measured_bytes": round(memory * told.peak_bytes),
        "measured_seconds": seconds,
        "cpu_seconds": seconds,
        "machine": HERE._asdict(),
    }


def test_every_method_is_measured_and_every_single_one_at_three_sizes() -> None:
    cases = planning.cases()
    assert {case.method for case in cases} == set(METHODS)
    assert len(set(cases)) == len(cases)
    for method in METHODS:
        sizes = {
            (case.n, case.d)
            for case in cases
            if case.method == method and not case.fitted_on
        }
        assert len(sizes) == (1 if "+" in method else 3)


def test_a_forecast_is_judged_by_the_measured_memory() -> None:
    case = planning.Case("norm", 50_000, 128, 100)
    for memory, within in ((1.0, True), (0.85, True), (1.4, False), (0.75, False)):
        assert planning.judged(entry(case, memory, 1.0))["within"] is within
    fitted = planning.Case("norm", *planning.FITTED_ON, 100)
    assert planning.judged(entry(fitted, 9.0, 1.0))["within"] is None
    assert planning.judged({**case._asdict(), "error": "gone"})["within"] is None


def test_what_is_fitted_is_what_the_rest_leaves() -> None:
    on = planning.Case("norm", *planning.FITTED_ON, 100)
    told = entry(on, 1.0, 2.0)
    told["measured_bytes"] += 7 * MIB
    big = planning.Case("norm", 500_000, 256, 100)
    found = planning.fit(
        {
            "cases": [
                told,
                entry(big, 1.0, 2.0 + 8 * ideal_seconds("norm", big.call, HERE)),
                entry(big, 1.0, 2.0 + 40 * ideal_seconds("norm", big.call, HERE)),
                entry(big, 1.0, 2.0 + 20 * ideal_seconds("norm", big.call, HERE)),
                {**big._asdict(), "error": "gone"},
            ]
        }
    )
    expected = COMPILER_BYTES["norm"] // MIB + 7
    assert found["COMPILER_BYTES (MiB)"] == {"norm": expected}
    assert found["COMPILER_SECONDS"] == {"norm": 2.0}
    assert found["EFFICIENCY"] == {"norm": pytest.approx(0.1)}


def test_the_kept_measurements_are_within_the_present_forecasts() -> None:
    newest = max(planning.RESULTS.glob("*.json"))
    report = json.loads(newest.read_text())
    found = [planning.judged(one) for one in report["cases"]]
    assert [(one["method"], one["n"]) for one in found if one["within"] is False] == []
    assert sum(one["within"] is True for one in found) >= 3 * 7
    # The forecasts that are written there are the present ones.
    for one, kept in zip(found, report["cases"], strict=True):
        assert one["forecast_bytes"] == kept["forecast_bytes"]

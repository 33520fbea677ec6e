"""Are the forecasts of `jaxsel plan` right? Each method at three sizes, measured.

`python -m benchmarks.planning` runs every case in a process of its own, and writes
forecast and measured memory and time to `benchmarks/results/planning/`. The cases of
`FITTED_ON` and `CLUSTERED_ON` are not judged: the compiler's memory is fitted on them,
by `python -m benchmarks.planning --fit REPORT.json`, which prints the tables of
`jaxsel/planning/fitted.py`.
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile
from typing import Any, NamedTuple

import numpy as np

from benchmarks import machine, pools, process, record
from jaxsel.planning import fitted
from jaxsel.planning.memory import COMPILER

RESULTS = pathlib.Path(__file__).parent / "results" / "planning"
TIMEOUT = 600.0
WITHIN = 0.25
SINGLE = ("random", "norm", "gram_schmidt", "k_center", "typiclust")
PAIRS = ("probcover", "max_herding")
PROBCOVER = ("probcover+norm", "probcover+gs", "probcover+random")
TYPICLUST = ("typiclust+norm", "typiclust+gs", "typiclust+random")
FITTED_ON = (20_000, 256)
# Here TypiClust's peak is where it clusters; with smaller pools where it picks.
CLUSTERED_ON = (100_000, 256)
# The time of these grows with n^2 d.
SMALLER = ((8_000, 1024), (12_000, 2048), (20_000, 2048))
SIZES = ((50_000, 128), (200_000, 128), (500_000, 256))


class Case(NamedTuple):
    """One selection."""

    method: str
    n: int
    d: int
    budget: int
    dtype: str = "float32"
    labelled: int = 0


def cases(quick: bool = False) -> list[Case]:
    """What is measured: `quick` for the smallest of each."""
    every = (*SINGLE, *PAIRS, *PROBCOVER, *TYPICLUST)
    found = [] if quick else [Case("typiclust", *CLUSTERED_ON, 100)]
    found += [Case(method, *FITTED_ON, 100) for method in every]
    for place in range(1 if quick else 3):
        found += [Case(method, *SIZES[place], 100) for method in SINGLE]
        # More picks than features: the residuals are measured anew.
        found.append(Case("gram_schmidt", *SIZES[place], 1000))
        found += [Case(method, *SMALLER[place], 50) for method in PAIRS]
    if quick:
        return found
    found += [Case(method, *SMALLER[1], 25) for method in PROBCOVER]
    found += [Case(method, *SIZES[1], 50) for method in TYPICLUST]
    found += [Case("norm", *SIZES[1], 100, kind) for kind in ("float64", "float16")]
    found.append(Case("typiclust", *SIZES[1], 100, "float64"))
    found.append(Case("gram_schmidt", *SIZES[1], 100, labelled=500))
    found.append(Case("typiclust", *SIZES[1], 400))
    return found


def run(case: Case, folder: pathlib.Path) -> dict[str, Any]:
    """Measures one case on a clustered pool of rows of different lengths."""
    array = folder / "pool.npy"
    np.save(array, pools.raw(case.n, case.d).astype(case.dtype))
    question = {**case._asdict(), "array": str(array)}
    found = process.ask(
        sys.executable, "benchmarks.planning_worker", question, folder, TIMEOUT
    )
    if "error" not in found:
        found["ratio"] = found["forecast_bytes"] / found["measured_bytes"]
    return {**case._asdict(), **found}


def line(found: dict[str, Any]) -> str:
    """A case in one line of the printed table."""
    name = (
        f"{found['method']:<18}{found['n']:>8,} x{found['d']:>5} b={found['budget']:<5}"
    )
    name += f"{found['dtype'] if found['dtype'] != 'float32' else '':<8}"
    name += f"{found['labelled'] or '':>4}"
    if "error" in found:
        return f"{name}  {found['error']}"
    memory = [found[f"{kind}_bytes"] / 1e6 for kind in ("forecast", "measured")]
    times = [found[f"{kind}_seconds"] for kind in ("forecast", "measured")]
    return (
        f"{name} {memory[0]:>7.0f} {memory[1]:>7.0f} MB {found['ratio']:>5.2f}"
        f" {times[0]:>7.1f} {times[1]:>7.1f} s {times[0] / times[1]:>5.2f}"
        + ("  (fitted on)" if judged(found) is None else "")
        + ("  OUTSIDE" if judged(found) is False else "")
    )


def judged(found: dict[str, Any]) -> bool | None:
    """Whether the memory is within 25 % of what was measured; None if fitted on it."""
    if (found["n"], found["d"]) in (FITTED_ON, CLUSTERED_ON) or "error" in found:
        return None
    return abs(found["ratio"] - 1) <= WITHIN


def fit(report: dict[str, Any]) -> str:
    """The tables of `jaxsel/planning/fitted.py` from a report.

    Memory and seconds of the compiler are what the cases of `FITTED_ON` took beyond
    the rest of their forecasts; the efficiency is the median over the other cases of
    the seconds at the measured rates over the seconds it took, compiler apart.
    """
    done = [case for case in report["cases"] if "error" not in case]
    size: dict[str, int] = {}
    compiling: dict[str, float] = {}
    clustering = 0
    for case in done:
        if judged(case) is None:
            rest = case["forecast_bytes"] - case["parts"][COMPILER]
            left = max(1, round((case["measured_bytes"] - rest) / fitted.MIB))
            if (case["n"], case["d"]) == CLUSTERED_ON:
                clustering = left
                continue
            size[case["method"]] = left
            compiling[case["method"]] = round(case["measured_seconds"], 1)
    shares: dict[str, list[float]] = {}
    for case in done:
        if judged(case) is not None and "+" not in case["method"]:
            method = case["method"]
            ideal = case["forecast_seconds"] - fitted.COMPILER_SECONDS[method]
            ideal *= fitted.EFFICIENCY[method]
            busy = case["measured_seconds"] - compiling[method]
            shares.setdefault(method, []).append(ideal / max(busy, 0.02))
    tables = {
        "COMPILER_BYTES (MiB)": size,
        "CLUSTERING_COMPILER_BYTES (MiB)": clustering,
        "COMPILER_SECONDS": compiling,
        "EFFICIENCY": {m: round(statistics.median(v), 2) for m, v in shares.items()},
    }
    return json.dumps(tables, indent=4)


def main() -> int:
    """Measures, prints, writes; 1 where a forecast is further off than 25 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--quick", action="store_true", help="The smallest sizes.")
    parser.add_argument("--only", nargs="+", help="These methods.")
    parser.add_argument("--force", action="store_true", help="Replace a report.")
    parser.add_argument("--fit", type=pathlib.Path, help="Print tables from a report.")
    options = parser.parse_args()
    if options.fit:
        print(fit(json.loads(options.fit.read_text())))
        return 0
    described = machine.describe_in_subprocess()
    path = record.target(options, described)
    report: dict[str, Any] = {"machine": described, "cases": []}
    print(f"{'':<42}forecast measured  ratio  forecast measured  ratio")
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(options.quick):
            if options.only and case.method not in options.only:
                continue
            found = run(case, pathlib.Path(folder))
            report["cases"].append(found)
            print(line(found), flush=True)
            record.write(path, report)
    verdicts = [judged(found) for found in report["cases"]]
    failed = sum("error" in found for found in report["cases"])
    print(
        f"{verdicts.count(True)} of {len(verdicts) - verdicts.count(None)} forecasts "
        f"of memory within {WITHIN:.0%}; {failed} cases without an answer: {path}"
    )
    return int(False in verdicts or failed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Are the forecasts of `jaxsel plan` right? Each method at three sizes, measured.

`python -m benchmarks.planning` runs every case in a process of its own, and writes
forecast and measured memory and time to `benchmarks/results/planning/`. The cases of
`FITTED_ON` and `CLUSTERED_ON` are not judged: what the compiler takes is fitted on
them. `--fit REPORT.json` prints the tables of `jaxsel/planning/fitted.py` from a
report, and `--again REPORT.json` writes the present code's forecasts beside its
measurements.
"""

import argparse
import concurrent.futures
import functools
import json
import math
import pathlib
import statistics
import sys
import tempfile
from typing import Any, NamedTuple

import numpy as np

from benchmarks import machine, pools, process, record
from jaxsel.planning.duration import ideal_seconds
from jaxsel.planning.fitted import MIB
from jaxsel.planning.forecast import forecast
from jaxsel.planning.machine import Machine
from jaxsel.planning.memory import COMPILER
from jaxsel.planning.shape import Call, Shape

RESULTS = pathlib.Path(__file__).parent / "results" / "planning"
TIMEOUT = 600.0
SHORT = 3.0
WITHIN = 0.25
SINGLE = ("random", "norm", "gram_schmidt", "k_center", "typiclust")
PAIRS = ("probcover", "max_herding")
PROBCOVER = ("probcover+norm", "probcover+gs", "probcover+random")
TYPICLUST = ("typiclust+norm", "typiclust+gs", "typiclust+random")
FITTED_ON = (20_000, 256)
# Here TypiClust's peak is where it clusters; with smaller pools where it picks.
CLUSTERED_ON = (100_000, 256)
SIZES = ((50_000, 128), (200_000, 128), (500_000, 256))
# The time of `PAIRS` grows with n^2 d.
SMALLER = ((8_000, 1024), (12_000, 2048), (20_000, 2048))


class Case(NamedTuple):
    """One selection."""

    method: str
    n: int
    d: int
    budget: int
    dtype: str = "float32"
    labelled: int = 0

    @property
    def fitted_on(self) -> bool:
        """Whether constants come from it, so that it proves nothing."""
        return (self.n, self.d) in (FITTED_ON, CLUSTERED_ON)

    @property
    def call(self) -> Call:
        """As the planning sees it: from a mapped file."""
        return Call(Shape(self.n, self.d, self.dtype), self.budget, self.labelled)


def cases(quick: bool = False) -> list[Case]:
    """What is measured: `quick` for the smallest of each."""
    every = (*SINGLE, *PAIRS, *PROBCOVER, *TYPICLUST)
    found = []
    for place in range(1 if quick else 3):
        found += [Case(method, *SIZES[place], 100) for method in SINGLE]
        # More picks than features: the residuals are measured anew.
        found.append(Case("gram_schmidt", *SIZES[place], 1000))
        found += [Case(method, *SMALLER[place], 50) for method in PAIRS]
    if quick:
        return found
    found += [Case(method, *FITTED_ON, 100) for method in every]
    found.append(Case("typiclust", *CLUSTERED_ON, 100))
    found += [Case(method, *SMALLER[0], 25) for method in PROBCOVER]
    found += [Case(method, *SIZES[1], 50) for method in TYPICLUST]
    found += [Case("norm", *SIZES[1], 100, kind) for kind in ("float64", "float16")]
    found.append(Case("typiclust", *SIZES[1], 100, "float64"))
    found.append(Case("gram_schmidt", *SIZES[1], 100, labelled=500))
    found.append(Case("typiclust", *SIZES[1], 400))
    return found


def case_of(found: dict[str, Any]) -> Case:
    """The case of an entry of a report."""
    return Case(*(found[field] for field in Case._fields))


def run(case: Case, folder: pathlib.Path) -> dict[str, Any]:
    """Measures one case on a clustered pool of rows of different lengths."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
    array = folder / "pool.npy"
    np.save(array, pools.raw(case.n, case.d).astype(case.dtype))
    question = {**case._asdict(), "array": str(array)}
    found: list[dict[str, Any]] = []
    # What the compiler leaves differs by 20 MB between processes: of a short call the
    # median of three is taken.
    while len(found) < 3:
        found.append(
            process.ask(
                sys.executable, "benchmarks.planning_worker", question, folder, TIMEOUT
            )
        )
        if "error" in found[-1]:
            return {**case._asdict(), **found[-1], "within": None}
        if found[0]["cpu_seconds"] > SHORT:
            break
    found.sort(key=lambda one: one["measured_bytes"])
    every = [one["measured_bytes"] for one in found]
    middle = found[len(found) // 2]
    array.unlink()
    return judged({**case._asdict(), **middle, "every_bytes": every})


def judged(found: dict[str, Any]) -> dict[str, Any]:
    """An entry with the present forecast beside its measurements.

    `within` says whether the memory is within 25 % of what was measured; None where
    constants were fitted on the case, or where nothing was measured.
    """
    if "error" in found:
        return {**found, "within": None}
    case = case_of(found)
    told = forecast(case.method, case.call, Machine(**found["machine"]))
    ratio = told.peak_bytes / found["measured_bytes"]
    return {
        **found,
        "forecast_bytes": told.peak_bytes,
        "forecast_seconds": round(told.seconds, 3),
        "parts": dict(told.parts),
        "ratio": round(ratio, 4),
        "within": None if case.fitted_on else abs(ratio - 1) <= WITHIN,
    }


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
    words = {None: "  (fitted on)", False: "  OUTSIDE", True: ""}
    return (
        f"{name} {memory[0]:>7.0f} {memory[1]:>7.0f} MB {found['ratio']:>5.2f}"
        f" {times[0]:>7.1f} {times[1]:>7.1f} s {times[0] / times[1]:>5.2f}"
        f"{words[found['within']]}"
    )


def summary(report: dict[str, Any]) -> str:
    """How many forecasts are right."""
    verdicts = [found["within"] for found in report["cases"]]
    failed = sum("error" in found for found in report["cases"])
    known = len(verdicts) - verdicts.count(None)
    return (
        f"{verdicts.count(True)} of {known} forecasts of memory within {WITHIN:.0%}; "
        f"{failed} cases without an answer"
    )


def fit(report: dict[str, Any]) -> dict[str, Any]:
    """The tables of `jaxsel/planning/fitted.py` from a report.

    The compiler's memory is what the cases that are fitted on took beyond the rest of
    their forecasts, and its seconds are those of a method's shortest case. The
    efficiency is the median, over the other cases, of the seconds at the highest rates
    of the report over those that it took. Both are the processor's seconds, which other
    programs at work change little; of the work after compiling, shared among the cores.
    """
    size: dict[str, int] = {}
    clustering = 0
    compiling: dict[str, float] = {}
    done = [found for found in report["cases"] if "error" not in found]
    for found in map(judged, done):
        case = case_of(found)
        rest = found["forecast_bytes"] - found["parts"][COMPILER]
        left = max(1, round((found["measured_bytes"] - rest) / MIB))
        if (case.n, case.d) == CLUSTERED_ON:
            clustering = left
        elif case.fitted_on:
            size[case.method] = left
        shortest = min(found["cpu_seconds"], compiling.get(case.method, math.inf))
        compiling[case.method] = round(shortest, 1)
    shares: dict[str, list[float]] = {}
    here = Machine(**done[0]["machine"])
    for rate in ("flops", "bytes_per_second"):
        here = here._replace(**{rate: max(one["machine"][rate] for one in done)})
    for found in done:
        case = case_of(found)
        if not case.fitted_on and "+" not in case.method:
            ideal = ideal_seconds(case.method, case.call, here)
            busy = found["cpu_seconds"] - compiling[case.method]
            busy /= here.cores
            # A call that took little beyond compiling says nothing.
            if busy > compiling[case.method] / 4:
                shares.setdefault(case.method, []).append(ideal / busy)
    return {
        "COMPILER_BYTES (MiB)": size,
        "CLUSTERING_COMPILER_BYTES (MiB)": clustering,
        "COMPILER_SECONDS": compiling,
        "EFFICIENCY": {m: round(statistics.median(v), 2) for m, v in shares.items()},
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--quick", action="store_true", help="the smallest sizes")
    parser.add_argument("--jobs", type=int, default=1, help="cases at a time")
    parser.add_argument("--only", nargs="+", help="these methods")
    parser.add_argument("--force", action="store_true", help="replace a report")
    parser.add_argument("--fit", type=pathlib.Path, help="print tables from a report")
    parser.add_argument("--again", type=pathlib.Path, help="forecast a report anew")
    return parser.parse_args()


def main() -> int:
    """Measures, prints, writes; 1 where a forecast is further off than 25 %."""
    options = arguments()
    if options.fit:
        print(json.dumps(fit(json.loads(options.fit.read_text())), indent=4))
        return 0
    print(f"{'':<48}forecast measured  ratio  forecast measured  ratio")
    if options.again:
        path = options.again
        report = json.loads(path.read_text())
        report["cases"] = [judged(found) for found in report["cases"]]
        print("\n".join(map(line, report["cases"])))
        record.write(path, report)
    else:
        described = machine.describe_in_subprocess()
        path = record.target(options, described)
        report = {"machine": described, "cases": []}
        chosen = [
            case
            for case in cases(options.quick)
            if not options.only or case.method in options.only
        ]
        with (
            tempfile.TemporaryDirectory() as folder,
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool,
        ):
            one = functools.partial(run, folder=pathlib.Path(folder))
            for found in pool.map(one, chosen):
                report["cases"].append(found)
                print(line(found), flush=True)
                record.write(path, report)
    print(f"{summary(report)}: {path}")
    bad = [found for found in report["cases"] if found["within"] is False]
    return int(bool(bad) or any("error" in found for found in report["cases"]))


if __name__ == "__main__":
    sys.exit(main())

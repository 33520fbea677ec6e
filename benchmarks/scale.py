"""Time and memory against the pool's length, from disk: `python -m benchmarks.scale`.

Pools of 128 numbers a row, int8 unless said otherwise, are written block by block under
`--folder` and deleted afterwards. Every selection runs in a process of its own, whose
largest resident size is recorded, by `jaxsel.streaming.api.select_from_disk` with
`--memory`. Times are of a second call, without compilation, where the first took less
than two minutes. Exponents are slopes of log time on log rows between the two largest
sizes of a method, beside those of the model (`benchmarks.disk_model`) with constants
measured first (`benchmarks.disk_rates`). At last, what selectors send between virtual
devices is counted (`benchmarks.scale_devices`). Writes JSON, prints the tables.
"""

import argparse
import math
import os
import pathlib
import sys
import tempfile
from typing import Any, NamedTuple

from benchmarks import (
    disk_model,
    disk_pools,
    machine,
    process,
    record,
    scale_devices,
)

OUT = process.ROOT / "benchmarks" / "results" / "scale"
TIMEOUT_SECONDS = 3600
D = 128


class Case(NamedTuple):
    """One selection."""

    method: str
    n: int
    budget: int
    options: dict
    dtype: str = "int8"

    @property
    def name(self) -> str:
        """The method, and what makes it another curve."""
        words = [self.method, *(f"{k}={v}" for k, v in self.options.items())]
        return " ".join([*words, *([self.dtype] if self.dtype != "int8" else [])])


LENGTHS = (10**4, 10**5, 10**6, 10**7)
CURVES = (
    ("norm", 300, {}),
    ("gram_schmidt", 300, {}),
    ("k_center", 50, {}),
    ("probcover", 50, {"reference": 16_384}),
)
EXACT_LENGTHS = (10**4, 5 * 10**4, 10**5, 2 * 10**5)


def all_cases() -> list[Case]:
    """By length, so that a pool is written once; all pairs of rows at the end."""
    cases = [Case(m, n, b, o) for n in LENGTHS for m, b, o in CURVES]
    cases += [Case("typiclust", n, 50, {}) for n in LENGTHS[:3]]
    cases += [Case("gram_schmidt", 10**6, 300, {}, "float32")]
    cases.sort(key=lambda case: (case.n, case.dtype))
    return cases + [Case("probcover", n, 50, {"delta": 0.65}) for n in EXACT_LENGTHS]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to 100,000 rows")
    parser.add_argument("--largest", type=float, default=1e7, help="rows at most")
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    parser.add_argument(
        "--only", action="append", help="curves whose name begins so; may be repeated"
    )
    parser.add_argument("--folder", type=pathlib.Path, help="where pools are written")
    parser.add_argument("--memory", default="2GiB", help="bound on each process")
    parser.add_argument(
        "--devices", type=int, nargs="*", help="virtual ones: 2 4 8 if all is run"
    )
    parser.add_argument("--force", action="store_true", help="overwrite results")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    largest = 1e5 if options.quick else options.largest
    cases = [case for case in all_cases() if case.n <= largest]
    if options.only:
        cases = [c for c in cases if c.name.startswith(tuple(options.only))]
    devices = options.devices
    if devices is None:
        devices = [] if options.quick or options.only else [2, 4, 8]
    if not cases and not devices:
        sys.exit("no case is left: see --only and --largest")
    described = machine.describe_in_subprocess()
    target = record.target(options, described)
    report: dict = {
        "command": " ".join(["python -m benchmarks.scale", *sys.argv[1:]]),
        "machine": described,
        "memory": options.memory,
        "d": D,
        "cases": [],
    }
    print(heading(described))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        report["rates"] = _rates(pathlib.Path(folder), largest, options.memory)
        print(_rates_line(report["rates"]))
        for case in cases:
            pool = _pool(pathlib.Path(folder), case)
            found = run(case, pool, options.memory)
            report["cases"].append({**case._asdict(), "name": case.name, **found})
            report["exponents"] = exponents(report["cases"])
            record.write(target, report)
            print(line(report["cases"][-1]), flush=True)
    _exponents_beside(report)
    if devices:
        report["devices"] = scale_devices.of_devices(devices)
        report["device_exponents"] = scale_devices.exponents(report["devices"])
        print(scale_devices.words(report["devices"]))
    record.write(target, report)
    print(f"\nwrote {target}")


def _rates(folder: pathlib.Path, largest: float, memory: str) -> dict:
    """The model's constants, from a pool of up to a million rows."""
    pool = _pool(folder, Case("norm", int(min(largest, 1e6)), 1, {}))
    question = {"pool": str(pool), "memory": memory}
    worker = "benchmarks.disk_rates"
    return process.ask(sys.executable, worker, question, folder, TIMEOUT_SECONDS)


def _rates_line(rates: dict) -> str:
    if "error" in rates:
        return f"rates: {rates['error']}"
    return (
        f"reads {rates['read'] / 1e9:.1f} GB/s, looks at {rates['numbers'] / 1e9:.2f} "
        f"G numbers/s, products {rates['product'] / 1e9:.0f} GFLOP/s, pairs "
        f"{rates['pairs'] / 1e9:.0f} GFLOP/s, {rates['rows'] / 1e6:.0f} M rows/s"
    )


def _exponents_beside(report: dict) -> None:
    """Adds the model's exponents to the report and prints both."""
    known = "error" not in report["rates"]
    model = disk_model.compared(report) if known else []
    report["model_exponents"] = {}
    for name, fitted in report.get("exponents", {}).items():
        paper = disk_model.exponent(model, name)
        report["model_exponents"][name] = paper
        beside = "" if paper is None else f" (the model's: n^{paper:.2f})"
        print(f"{name}: time grows as n^{fitted:.2f}{beside}")


def _pool(folder: pathlib.Path, case: Case) -> pathlib.Path:
    """The case's pool; those of other lengths are deleted."""
    path = folder / f"{case.n}-{case.dtype}.npy"
    if not path.exists():
        for other in folder.glob("*.npy"):
            other.unlink()
        disk_pools.write(path, case.n, D, case.dtype)
    return path


def run(
    case: Case,
    pool: pathlib.Path,
    memory: str,
    timeout: float = TIMEOUT_SECONDS,
    **more: Any,
) -> dict:
    """A case in a process of its own.

    Args:
      case: the selection.
      pool: its file, or a stored folder.
      memory: bound of the process.
      timeout: seconds after which it is stopped.
      **more: of the question; see `benchmarks.scale_worker`.

    Returns:
      The worker's answer, with the size of the file.
    """
    question = {
        "pool": str(pool),
        "method": case.method,
        "budget": case.budget,
        "options": case.options,
        "memory": memory,
        **more,
    }
    bytes_on_disk = os.path.getsize(pool)
    found = process.ask(
        sys.executable,
        "benchmarks.scale_worker",
        question,
        pool.parent,
        timeout,
    )
    return {"bytes_on_disk": bytes_on_disk, **found}


def exponents(cases: list[dict]) -> dict[str, float]:
    """Of the time, from the two largest lengths of a curve."""
    found = {}
    for name in dict.fromkeys(case["name"] for case in cases):
        points = sorted(
            (case["n"], case["seconds"])
            for case in cases
            if case["name"] == name and "error" not in case
        )[-2:]
        if len(points) == 2:
            (n, first), (m, second) = points
            found[name] = math.log(second / first) / math.log(m / n)
    return found


def heading(described: dict) -> str:
    """When, what and where, for people."""
    return (
        f"{described['time']}  commit {described['commit']}  {described['processor']}, "
        f"{described['cores']} cores, load {described['load']:.1f}\n"
        f"float32: XLA {described['xla_gflops']:.0f} GFLOP/s"
    )


def line(case: dict) -> str:
    """A case for people."""
    start = f"{case['name']:36} n={case['n']:>10,} b={case['budget']:<4}"
    if "error" in case:
        return f"{start} {case['error']}"
    info = case["info"]
    return (
        f"{start} {case['seconds']:8.2f} s  first {case['first_seconds']:8.2f}  peak "
        f"{case['peak_mib']:6.0f} MiB  {info['passes']:5.4g} passes  "
        f"{info['bytes_read'] / 1e9:6.2f} GB  load {case['load']:.1f}"
    )


if __name__ == "__main__":
    main()

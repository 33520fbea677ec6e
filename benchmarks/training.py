"""Measures the trainers: `python -m benchmarks.training`.

Each contender runs in a process of its own, ours and the rival (PyTorch, eager) in
turn within one run; calls are warm, and compilation is told apart. Floating-point
operations are counted from the shapes of the network's products
(`benchmarks.flops`), and the share is of the rate that a large matrix product of the
same type reaches on this machine. Writes JSON, prints the table. Needs a quiet machine.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

from benchmarks import machine, process, record
from benchmarks.training_bars import rate, share, study_seconds
from benchmarks.training_cases import Case, Contender, all_cases

OUT = process.ROOT / "benchmarks" / "results" / "training"
# Of the products that an accelerator's rate is measured by.
PRODUCT_SIZE = 8192


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="everything small: does it run?"
    )
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    parser.add_argument(
        "--only", action="append", help="cases whose name begins so; may be repeated"
    )
    parser.add_argument("--force", action="store_true", help="overwrite results")
    parser.add_argument(
        "--rival-python", default=sys.executable, help="a Python with torch"
    )
    return parser.parse_args()


def main() -> None:
    options = arguments()
    described = machine.describe_in_subprocess()
    accelerator = described["backend"] != "cpu"
    target = record.target(options, described)
    cases = chosen(all_cases(accelerator=accelerator, quick=options.quick), options)
    report: dict = {
        "command": " ".join(["python -m benchmarks.training", *sys.argv[1:]]),
        "date": described["time"],
        "commit": described["commit"],
        "machine": described,
        "product_gflops": product_rates(described, accelerator),
        "cases": [],
    }
    print(heading(report))
    for case in cases:
        report["cases"].append(run_case(case, report, options.rival_python))
        record.write(target, report)
        print_case(report["cases"][-1])
    print(f"\nwrote {target.name}")


def chosen(cases: list[Case], options: argparse.Namespace) -> list[Case]:
    """Those that were asked for."""
    if not options.only:
        return cases
    found = [case for case in cases if case.name.startswith(tuple(options.only))]
    if not found:
        names = ", ".join(case.name for case in cases)
        sys.exit(f"no case begins with {', '.join(options.only)}; cases: {names}")
    return found


def product_rates(described: dict, accelerator: bool) -> dict[str, float]:
    """GFLOP/s of large matrix products as trainings do them, by type.

    On a CPU every precision is the highest, which `benchmarks.machine` measures.
    """
    if not accelerator:
        return {"float32": described["xla_gflops"]}
    rates = {}
    for dtype in ("float32", "bfloat16"):
        work = {"dtype": dtype, "size": PRODUCT_SIZE}
        contender = Contender(dtype, "matrix_product", work)
        found = run(contender, 5, sys.executable)
        if "error" not in found:
            rates[dtype] = found["units"]["flops"] / min(found["seconds"]) / 1e9
    return rates


def run_case(case: Case, report: dict, rival_python: str) -> dict:
    """Gives every contender its turns, and judges the bars."""
    results: dict[str, dict] = {}
    for _ in range(case.rounds):
        for contender in case.contenders:
            rival = contender.work.startswith("torch")
            python = rival_python if rival else sys.executable
            earlier = results.get(contender.name, {})
            if "error" in earlier:
                continue
            found = run(contender, case.repeats, python, case.timeout)
            if "error" not in found:
                found["seconds"] = earlier.get("seconds", []) + found["seconds"]
            results[contender.name] = found
    rates = report["product_gflops"]
    for found in results.values():
        found["derived"] = derived(found, rates)
    return {
        "name": case.name,
        "about": case.about,
        "contenders": [contender._asdict() for contender in case.contenders],
        "results": results,
        "verdicts": [bar(results, rates)._asdict() for bar in case.bars],
    }


def run(
    contender: Contender, repeats: int, python: str, timeout: float = 600.0
) -> dict:
    """One contender in its own process; what went wrong is a result too."""
    question = {**contender._asdict(), "repeats": repeats}
    with tempfile.TemporaryDirectory() as folder:
        return process.ask(
            python,
            "benchmarks.training_worker",
            question,
            pathlib.Path(folder),
            timeout,
        )


def derived(found: dict, rates: dict[str, float]) -> dict[str, float]:
    """Figures for people, of the median call."""
    figures: dict[str, float | None] = {
        "images_per_second": rate(found, "images"),
        "iterations_per_second": rate(found, "iterations"),
        "gflops": _times(rate(found, "flops"), 1e-9),
        "share_of_product": share(found, rates),
    }
    if "runs_of_study" in found.get("notes", {}):
        figures["runs_per_hour"] = _times(rate(found, "runs"), 3600)
        figures["study_seconds"] = study_seconds(found)
    return {name: value for name, value in figures.items() if value is not None}


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def heading(report: dict) -> str:
    described = report["machine"]
    rates = ", ".join(
        f"{dtype} {rate:.0f} GFLOP/s"
        for dtype, rate in report["product_gflops"].items()
    )
    busy = described["load"] > 0.5
    warning = (
        "\nWARNING: other work is going on. PyTorch's threads wait for each other in "
        "every layer\nand were seen 20 times slower beside it: such ratios mean nothing"
    )
    return (
        f"{report['date']}  commit {report['commit']}  {described['processor']}, "
        f"{described['cores']} cores, {described['device']}, "
        f"load {described['load']:.1f}\nmatrix products: {rates}" + warning * busy
    )


def print_case(case: dict) -> None:
    print(f"\n{case['name']}: {case['about']}")
    for name, found in case["results"].items():
        if "error" in found:
            print(f"  {name:32} {found['error']}")
            continue
        line = (
            f"  {name:32} {statistics.median(found['seconds']):8.3f} s"
            f"  compile {found['compile_seconds']:5.1f}"
        )
        print(line + "".join(f"  {part}" for part in _columns(found)))
    for verdict in case["verdicts"]:
        word = {True: "pass", False: "FAIL", None: "    "}[verdict["passed"]]
        print(f"  [{word}] {verdict['bar']}: {verdict['measured']}", flush=True)


def _columns(found: dict) -> list[str]:
    """The figures of a contender that there are."""
    figures, notes = found["derived"], found["notes"]
    shown = {
        "images_per_second": "{:.0f} images/s",
        "iterations_per_second": "{:.2f} iterations/s",
        "runs_per_hour": "{:,.0f} runs/h",
        "gflops": "{:.1f} GFLOP/s",
        "share_of_product": "({:.0%})",
    }
    columns = [text.format(figures[k]) for k, text in shown.items() if k in figures]
    columns.append(f"peak {found['peak_mib']:.0f} MiB")
    if "accuracy" in found["scores"]:
        columns.append(f"accuracy {found['scores']['accuracy']:.3f}")
    runs, whole = found["units"].get("runs"), notes.get("runs_of_study")
    if runs is not None and runs < whole:
        columns.append(f"{runs:.0f} of {whole} runs: {figures['study_seconds']:.0f} s")
    if notes.get("mode"):
        columns.append(notes["mode"])
    # A rival's threads that wait for each other suffer most on a busy machine.
    return [*columns, f"load {found['load']:.1f}"]


if __name__ == "__main__":
    main()

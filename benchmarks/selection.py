"""Measures every selector beside its rivals: `python -m benchmarks.selection`.

Each contender runs in a process of its own on the same array; calls are warm, with the
first one (compilation) told apart, and every time stands beside the quality of the
picks. jaxsel is timed through `jaxsel.select`, from a NumPy array to indices, before
the rivals and once more after them. Writes JSON and a picture, prints the table.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

import numpy as np

from benchmarks import inertia, machine, picture, pools, process, quality, record
from benchmarks.cases import Case, Contender, all_cases

OUT = process.ROOT / "benchmarks" / "results" / "selection"
TIMEOUT_SECONDS = 1500
# A contender of a family of cases that took longer is not run at a larger n.
GIVE_UP_SECONDS = 60.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="pools 20 times smaller")
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    parser.add_argument(
        "--only", action="append", help="cases whose name begins so; may be repeated"
    )
    parser.add_argument("--force", action="store_true", help="overwrite results")
    parser.add_argument(
        "--typiclust-repo",
        metavar="DIR",
        help="a checkout of github.com/avihu111/TypiClust",
    )
    parser.add_argument(
        "--rival-python",
        default=sys.executable,
        help="a Python with torch and faiss for the authors' code",
    )
    return parser.parse_args()


def main() -> None:
    options = arguments()
    described = machine.describe_in_subprocess()
    target = record.target(options, described)
    cases = _chosen(options, described["backend"] != "cpu")
    report: dict = {
        "command": " ".join(["python -m benchmarks.selection", *sys.argv[1:]]),
        "machine": described,
        "cases": [],
        "inertia": [],
    }
    print(_heading(described))
    slow: set[tuple[str, str]] = set()
    for case in cases:
        report["cases"].append(_run_case(case, options, described, slow))
        record.write(target, report)
        _print_case(report["cases"][-1])
    if not options.only or "inertia" in options.only:
        report["inertia"] = inertia.in_subprocess(options.quick)
        _print_inertia(report["inertia"])
    record.write(target, report)
    picture.draw(report, target.with_suffix(".png"))
    print(f"\nwrote {target} and {target.with_suffix('.png').name}")


def _chosen(options: argparse.Namespace, accelerator: bool) -> list[Case]:
    cases = all_cases(accelerator)
    if options.only:
        cases = [c for c in cases if c.name.startswith(tuple(options.only))]
        if not cases and "inertia" not in options.only:
            names = ", ".join(case.name for case in all_cases(accelerator))
            sys.exit(f"no case begins with {options.only}; cases: {names}, inertia")
    if options.quick:
        # Curves keep the sizes that stay apart when divided.
        cases = [c for c in cases if not c.family or c.n >= 20_000]
        cases = [case.smaller(20) for case in cases]
    return cases


def _run_case(
    case: Case,
    options: argparse.Namespace,
    described: dict,
    slow: set[tuple[str, str]],
) -> dict:
    """Runs all contenders of a case and judges its bars."""
    x = pools.make(case.pool, case.n, case.d)
    results: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        array = pathlib.Path(folder) / "x.npy"
        np.save(array, x)
        ours = [c for c in case.contenders if c.name.startswith("jaxsel")]
        again = ours[:1] if len(case.contenders) > len(ours) else []
        for contender in [*case.contenders, *again]:
            found = _run(contender, case, array, options, slow)
            if contender.name in results and "error" not in found:
                earlier = results[contender.name].get("seconds", [])
                found["seconds"] = earlier + found["seconds"]
            results[contender.name] = found
            if found.get("first_seconds", 0) > GIVE_UP_SECONDS:
                slow.add((case.family, contender.name))
    for found in results.values():
        if "indices" in found:
            picks = np.asarray(found["indices"])
            found["quality"] = {m: quality.MEASURES[m](x, picks) for m in case.measures}
    verdicts = [bar(results, described)._asdict() for bar in case.bars]
    return {
        "name": case.name,
        "family": case.family,
        "pool": case.pool,
        "n": case.n,
        "d": case.d,
        "budget": case.budget,
        "results": results,
        "verdicts": verdicts,
    }


def _run(
    contender: Contender,
    case: Case,
    array: pathlib.Path,
    options: argparse.Namespace,
    slow: set[tuple[str, str]],
) -> dict:
    """One contender in its own process; what went wrong is a result too."""
    needed = contender.bytes_per_n2 * case.n**2 / 2**30
    free = _free_gib()
    if case.family and (case.family, contender.name) in slow:
        return {"error": f"not started: took over {GIVE_UP_SECONDS:g} s on fewer rows"}
    if contender.largest is not None and case.n > contender.largest:
        return {"error": f"not started: more than {contender.largest} rows"}
    if needed > 0.8 * free:
        return {"error": f"not started: needs {needed:.1f} GiB, {free:.1f} are free"}
    question = {
        "contender": contender.name,
        "options": contender.options,
        "array": str(array),
        "budget": case.budget,
        "seed": 0,
        "repeats": 1 if options.quick else 5,
        "repository": options.typiclust_repo,
    }
    authors = contender.name.startswith("rival:authors.")
    python = options.rival_python if authors else sys.executable
    return process.ask(
        python, "benchmarks.worker", question, array.parent, TIMEOUT_SECONDS
    )


def _free_gib() -> float:
    """Memory that can be had without swapping; infinite where it cannot be told."""
    path = pathlib.Path("/proc/meminfo")
    if not path.is_file():
        return float("inf")
    fields = dict(line.split(":") for line in path.read_text().splitlines())
    return int(fields["MemAvailable"].split()[0]) / 2**20


def _heading(described: dict) -> str:
    return (
        f"{described['time']}  commit {described['commit']}  {described['processor']}, "
        f"{described['cores']} cores, load {described['load']:.1f}\n"
        f"float32: XLA {described['xla_gflops']:.0f} GFLOP/s, NumPy "
        f"{described['numpy_gflops']:.0f}; matrix-vector "
        f"{described['xla_gemv_gb_s']:.1f} and {described['numpy_gemv_gb_s']:.1f} GB/s"
    )


def _print_case(case: dict) -> None:
    print(f"\n{case['name']}: n={case['n']:,} d={case['d']} b={case['budget']}")
    for name, found in case["results"].items():
        if "error" in found:
            print(f"  {name:42} {found['error']}")
            continue
        figures = "  ".join(f"{k} {v:.4f}" for k, v in found["quality"].items())
        print(
            f"  {name:42} {statistics.median(found['seconds']):9.3f} s"
            f"  first {found['first_seconds']:7.2f}  cpu {found['cpu_seconds']:7.2f}"
            f"  peak {found['peak_mib']:6.0f} MiB  load {found['load']:.1f}  {figures}"
        )
    for verdict in case["verdicts"]:
        word = {True: "pass", False: "FAIL", None: "    "}[verdict["passed"]]
        print(f"  [{word}] {verdict['bar']}: {verdict['measured']}", flush=True)


def _print_inertia(lines: list[dict]) -> None:
    print("\nk-means inertia over scikit-learn's, mean of paired seeds (bar: 1.01)")
    for line in lines:
        if "error" in line:
            print(f"  {line['error']}")
            continue
        word = "pass" if line["ratio"] <= 1.01 else "FAIL"
        print(
            f"  [{word}] {line['pool']:13} n={line['n']:6} d={line['d']:4} "
            f"k={line['k']} restarts={line['restarts']}: {line['ratio']:.4f}  "
            f"{line['seconds']:.3f} s against {line['scikit_learn_seconds']:.3f} s"
        )


if __name__ == "__main__":
    main()

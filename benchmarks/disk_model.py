"""How long a selection from disk takes, on paper, beside what was measured.

    python -m benchmarks.disk_model benchmarks/results/scale/RESULT.json

prints the model's seconds beside those of a report, with the report's own constants,
or those of another report (`--constants`);

    python -m benchmarks.disk_model --rows 1e8 1e9 --columns 384 --itemsize 1 \\
        --budget 1000 --read 5e9 --numbers 5e9 --product 1e12 --pairs 2e11 \\
        --listed 1e8

a machine of which five constants are given. A pass takes as long as the slower of
reading its bytes and walking its numbers, which go on at the same time; arithmetic on
top of that, what goes with every row, and rows compared in memory come on top:

    passes n d max(itemsize / read, 1 / numbers) + product flops / product
      + pair flops / pairs + numbers walked / numbers + turns n / rows

Compilation, some seconds a process, is not in it; nor are passes known beforehand: of
Gram-Schmidt, k-means and exact ProbCover a run's `info` has them.
"""

import argparse
import json
import math
import pathlib
from typing import Any, NamedTuple

ITEMS = {"int8": 1, "float16": 2, "bfloat16": 2, "float32": 4}
# As the streamed methods have them.
PROPOSED = 128  # rows of a block of Gram-Schmidt
TOGETHER = 64  # centres of a pass of k-center
WALKED = 8192  # rows that k-center gathers for a walk
SAMPLE = 65_536  # rows that k-means is seeded from
CLUSTER_BYTES = 32 << 20  # of a cluster's rows that are compared
STRIP = 256  # rows of the smallest tile of pairs
BLOCK_BYTES = 8 << 20


class Work(NamedTuple):
    """A selection.

    Attributes:
      method: a name of `MODELS`.
      n, d: the pool's shape.
      itemsize: bytes of a number on disk.
      budget: picks.
      passes: over the pool, or None for a guess.
      options: the method's own.
      covered: the share that ProbCover's picks cover.
    """

    method: str
    n: float
    d: int
    itemsize: int
    budget: int
    passes: float | None = None
    options: dict[str, Any] = {}  # noqa: RUF012 (never written to)
    covered: float = 0.5


class Rates(NamedTuple):
    """What a machine does in a second; see `benchmarks.disk_rates`.

    Attributes:
      read: bytes of the file.
      numbers: float32 numbers that are widened and summed up.
      product: operations in products of a block with a few rows.
      pairs: operations where pairs of rows are counted.
      rows: rows of which a selection is made whose numbers are known.
    """

    read: float
    numbers: float
    product: float
    pairs: float
    rows: float


class Cost(NamedTuple):
    """What a selection does, whatever the machine.

    Attributes:
      passes: over the pool.
      product: operations in products.
      pairs: operations where pairs are counted.
      walked: numbers looked at in memory.
      turns: how often something goes with every row of the pool.
    """

    passes: float
    product: float = 0.0
    pairs: float = 0.0
    walked: float = 0.0
    turns: float = 1.0


def one_pass(w: Work) -> Cost:
    return Cost(w.passes or 1)


def gram_schmidt(w: Work) -> Cost:
    rounds = math.ceil(w.budget / w.d)
    passes = w.passes or rounds * (1 + math.ceil(w.d / PROPOSED))
    # Half of the basis is there on average where it is taken off.
    few = min(w.budget, w.d) / 2 if rounds * PROPOSED < w.budget else 0
    flops = 2 * w.n * w.d * (PROPOSED + few)
    return Cost(passes, product=(passes - 1) * flops, turns=passes)


def k_center(w: Work) -> Cost:
    walks = math.ceil(w.budget / TOGETHER)
    passes = w.passes or 3 + walks
    centres = 1 << max(6, math.ceil(math.log2(w.budget)))
    walked = w.budget * w.d * (WALKED + 2 * centres) + walks * WALKED * w.d
    product = max(passes - 2, 0) * 2 * w.n * w.d * TOGETHER
    return Cost(passes, product=product, walked=walked, turns=walks)


def typiclust(w: Work) -> Cost:
    k = min(w.budget, w.options.get("max_clusters", 500))
    passes = w.passes or 32
    # Scores, then sums of the rows of each centre.
    product = (passes - 1) * 4 * w.n * w.d * k
    product += 2 * min(SAMPLE, w.n) * w.d * k * (2 + math.log(k))
    members = min(w.n / k, CLUSTER_BYTES / (4 * w.d))
    pairs = w.budget * 2 * w.d * members**2
    walked = (passes - 1) * w.n * k
    return Cost(passes, product=product + pairs, walked=walked)


def probcover(w: Work) -> Cost:
    if w.options.get("reference"):
        return _probcover_of_a_sample(w)
    blocks = math.ceil(w.n * w.d * 4 / BLOCK_BYTES)
    passes = w.passes or 1 + blocks / 2 + w.budget
    # Every pair once; then the rows that are covered, with those that lose by it.
    pairs = w.n**2 * w.d * (1 + w.covered**2)
    return Cost(passes, pairs=pairs, turns=w.budget)


def _probcover_of_a_sample(w: Work) -> Cost:
    m = min(w.options["reference"], w.n)
    c = min(w.options.get("n_candidates") or SAMPLE, w.n)
    tiles = w.budget * STRIP
    pairs = 2 * w.d * (c * (m * (1 + w.covered) + tiles / 2) + m * tiles)
    return Cost(w.passes or 1, pairs=pairs, walked=(2 * m + c) * w.d)


MODELS = {
    "random": one_pass,
    "norm": one_pass,
    "gram_schmidt": gram_schmidt,
    "k_center": k_center,
    "typiclust": typiclust,
    "probcover": probcover,
}


def seconds(work: Work, rates: Rates) -> float:
    """The time of a selection without compilation.

    Example:
      >>> rates = Rates(read=1e9, numbers=1e8, product=1e11, pairs=1e10, rows=1e7)
      >>> seconds(Work("norm", n=1e6, d=100, itemsize=1, budget=10), rates)
      1.1
    """
    cost = MODELS[work.method](work)
    numbers = cost.passes * work.n * work.d
    return (
        numbers * max(work.itemsize / rates.read, 1 / rates.numbers)
        + cost.product / rates.product
        + cost.pairs / rates.pairs
        + cost.walked / rates.numbers
        + cost.turns * work.n / rates.rows
    )


def work_of(case: dict, d: int) -> Work:
    """The work of a measured case of `benchmarks.scale`, with the passes it took."""
    info = case["info"]
    return Work(
        case["method"],
        case["n"],
        d,
        ITEMS[case["dtype"]],
        case["budget"],
        info["passes"],
        case["options"],
        info.get("coverage", 0.5),
    )


def rates_of(report: dict) -> Rates:
    """The constants that a report has measured."""
    return Rates(*(report["rates"][name] for name in Rates._fields))


def compared(report: dict, rates: Rates | None = None) -> list[tuple[dict, float]]:
    """The cases of a report that ended, and the model's seconds for them."""
    rates = rates or rates_of(report)
    return [
        (case, seconds(work_of(case, report["d"]), rates))
        for case in report["cases"]
        if "error" not in case
    ]


def exponent(cases: list[tuple[dict, float]], name: str) -> float | None:
    """Of the model's time of a curve, between the two largest pools."""
    points = sorted((case["n"], model) for case, model in cases if case["name"] == name)
    if len(points) < 2:
        return None
    (n, first), (m, second) = points[-2:]
    return math.log(second / first) / math.log(m / n)


def memory(work: Work) -> float:
    """Bytes of the process with the smallest blocks, by the methods' own plan."""
    import numpy as np

    from jaxsel.streaming.methods import check_streamed, procedure_of
    from jaxsel.streaming.plan import RUNTIME
    from jaxsel.streaming.procedure import Task

    options = check_streamed(work.method, work.options)
    mask = np.zeros(int(min(work.n, 1e6)), bool)
    task = Task(None, mask, work.budget, options)  # type: ignore[arg-type]
    need = procedure_of(work.method, options).need(work.d, task)
    return RUNTIME + need.per_row * work.n + need.fixed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=pathlib.Path, nargs="?")
    parser.add_argument("--constants", type=pathlib.Path, help="another report")
    parser.add_argument("--rows", type=float, nargs="+", default=[1e8, 1e9])
    for name in ("columns", "itemsize", "budget"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("read", "numbers", "product", "pairs", "listed"):
        parser.add_argument(f"--{name}", type=float)
    given = parser.parse_args()
    if given.report:
        constants = json.loads((given.constants or given.report).read_text())
        report = json.loads(given.report.read_text())
        print(_beside(report, rates_of(constants)))
    if given.read:
        print(_foretold(given))


def _beside(report: dict, rates: Rates) -> str:
    lines = [
        "| selection | rows | passes | measured s | model s | model / measured |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for case, model in compared(report, rates):
        took = case["seconds"]
        lines.append(
            f"| {case['name']} | {case['n']:,} | {case['info']['passes']:g} | "
            f"{took:.2f} | {model:.2f} | {model / took:.2f} |"
        )
    return "\n".join(lines)


def _foretold(given: argparse.Namespace) -> str:
    rates = Rates(given.read, given.numbers, given.product, given.pairs, given.listed)
    lines = [
        "| rows | method | passes | GB read | memory GB | time |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for rows in given.rows:
        for name, options in (*((m, {}) for m in MODELS), ("probcover", _SAMPLED)):
            work = Work(
                name, rows, given.columns, given.itemsize, given.budget, None, options
            )
            passes = MODELS[name](work).passes
            read = passes * rows * given.columns * given.itemsize / 1e9
            label = f"{name} reference=16384" if options else name
            lines.append(
                f"| {rows:.0e} | {label} | {passes:,.0f} | {read:,.0f} | "
                f"{memory(work) / 1e9:.1f} | {_words(seconds(work, rates))} |"
            )
    return "\n".join(lines)


_SAMPLED = {"reference": 16_384, "n_candidates": 65_536}


def _words(seconds: float) -> str:
    for size, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {name}"
    return f"{seconds:.2g} s"


if __name__ == "__main__":
    main()

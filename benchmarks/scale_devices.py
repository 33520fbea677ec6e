"""Strong and weak scaling over virtual devices: bytes that a device is sent.

Counted from compiled programs by `benchmarks.collectives`, in a process that has the
devices; nothing is timed, for virtual devices share the machine's cores and can show
no speed-up. Strong: the same pool on more devices. Weak: a pool that grows with them.
"""

import math
import os
import subprocess
import sys

from benchmarks import cost_model, process

COLUMNS, BUDGET = 64, 20
STRONG_ROWS = 100_000
WEAK_ROWS = 12_500  # a device
TIMEOUT_SECONDS = 1800
# ProbCover's loop takes a block of so many of the rows that its picks cover.
COVERED_BLOCK = 256


def of_devices(devices: list[int], methods: list[str] | None = None) -> list[dict]:
    """A row a method, kind of scaling and number of devices.

    Args:
      devices: how many, each at least 2.
      methods: selectors; all of `benchmarks.collectives` without it.

    Returns:
      Rows with kind ("strong" or "weak"), method, devices, rows, and MB: once,
      in_a_turn of the loops whose end the data decide, and model, what
      `benchmarks.cost_model` says of both for one turn.

    Raises:
      RuntimeError: a program could not be compiled.
    """
    strong = _counted(STRONG_ROWS, devices, methods)
    found = [{"kind": "strong", "rows": STRONG_ROWS, **row} for row in strong]
    for count in devices:
        rows = count * WEAK_ROWS
        weak = _counted(rows, [count], methods)
        found += [{"kind": "weak", "rows": rows, **row} for row in weak]
    for row in found:
        row["model"] = _model(row)
    return found


def _counted(rows: int, devices: list[int], methods: list[str] | None) -> list[dict]:
    shape = ["--rows", rows, "--columns", COLUMNS, "--budget", BUDGET]
    some = ["--methods", *methods] if methods else []
    command = [sys.executable, "-m", "benchmarks.collectives", *map(str, shape)]
    flag = f"--xla_force_host_platform_device_count={max(devices)}"
    done = subprocess.run(
        [*command, "--devices", *map(str, devices), *some],
        cwd=process.ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flag},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"benchmarks.collectives ended with: {done.stderr[-500:]}")
    return parsed(done.stdout)


def parsed(table: str) -> list[dict]:
    """The columns that count, of a table as `benchmarks.collectives` prints it.

    Example:
      >>> parsed('''| method | devices | a share | once | in a turn |
      ... | --- | ---: | ---: | ---: | ---: |
      ... | norm | 8 | 3.2 | 0.6 | 0.0 |''')
      [{'method': 'norm', 'devices': 8, 'once': 0.6, 'in_a_turn': 0.0}]
    """
    lines = [line for line in table.splitlines() if line.startswith("|")]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    rows = [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]
    return [
        {
            "method": row["method"],
            "devices": int(row["devices"]),
            "once": float(row["once"]),
            "in_a_turn": float(row["in a turn"]),
        }
        for row in rows
    ]


def _model(row: dict) -> float:
    """MB by the cost model, with one turn of every loop."""
    covered = 2 * COVERED_BLOCK / row["rows"] if row["method"] == "probcover" else 0
    work = cost_model.Work(row["rows"], COLUMNS, BUDGET, row["devices"], 1, covered)
    return cost_model.cost(row["method"], work).sent / 1e6


def exponents(rows: list[dict]) -> list[dict]:
    """How what a device is sent grows with the devices, counted and by the model.

    Returns:
      A row a kind and method: kind, method, counted and model, the slopes of log bytes
      over log devices between the fewest and the most devices.
    """
    found = []
    for kind, method in dict.fromkeys((row["kind"], row["method"]) for row in rows):
        some = [row for row in rows if (row["kind"], row["method"]) == (kind, method)]
        few = min(some, key=lambda row: row["devices"])
        many = max(some, key=lambda row: row["devices"])
        if few["devices"] == many["devices"]:
            continue
        apart = math.log(many["devices"] / few["devices"])
        counted = math.log(_sent(many) / _sent(few)) / apart
        model = math.log(many["model"] / few["model"]) / apart
        found.append(
            {"kind": kind, "method": method, "counted": counted, "model": model}
        )
    return found


def _sent(row: dict) -> float:
    return row["once"] + row["in_a_turn"]


def words(rows: list[dict]) -> str:
    """The two tables for people, with exponents."""
    slopes = {(row["kind"], row["method"]): row for row in exponents(rows)}
    lines = []
    for kind in ("strong", "weak"):
        some = [row for row in rows if row["kind"] == kind]
        size = {"strong": f"{STRONG_ROWS:,} rows", "weak": f"{WEAK_ROWS:,} a device"}
        title = f"{kind} scaling, {size[kind]}"
        lines.append(f"\n{title}: MB a device is sent, once + in a turn")
        for method in dict.fromkeys(row["method"] for row in some):
            cells = [
                f"{row['devices']} devices {row['once']:7.2f} + {row['in_a_turn']:5.2f}"
                for row in some
                if row["method"] == method
            ]
            slope = slopes.get((kind, method))
            if slope:
                cells.append(f"D^{slope['counted']:.2f} (model {slope['model']:.2f})")
            lines.append(f"{method:14} {'  '.join(cells)}")
    return "\n".join(lines)

"""What a compiled program sends between devices, counted from its text.

A program of XLA's lists every collective with the shape of what it moves. What it does
in a loop it does many times: where the compiler knows how often, that is counted too.

    XLA_FLAGS=--xla_force_host_platform_device_count=8 \\
        python -m benchmarks.collectives --rows 1281167 --columns 384 --budget 1000

compiles the selectors for a pool of that shape, which need not be there, and prints
what each device holds at once, and what it is sent, in MB: all collectives together,
once and in a turn of the loops whose end the data decide.
"""

import argparse
import re
from typing import Any, NamedTuple

_KINDS = "all-gather|all-reduce|all-to-all|collective-permute|reduce-scatter"
_COLLECTIVE = re.compile(rf"%?[\w.-]+ = (.*?) ({_KINDS})(?:-start)?\(")
_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.-]+) .*\{$")
_CALLED = re.compile(
    r"(?:body|condition|to_apply|calls|true_computation|false_computation)"
    r"=%?([\w.-]+)"
)
_BRANCHES = re.compile(r"branch_computations=\{([^}]*)\}")
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')
_ARRAY = re.compile(r"\b(pred|[suf]\d+|bf16)\[([\d,]*)\]")


SINGLE = (
    "random",
    "norm",
    "gram_schmidt",
    "k_center",
    "typiclust",
    "probcover",
    "max_herding",
)


class Collective(NamedTuple):
    """One collective of a program.

    Attributes:
      kind: "all-gather", "all-reduce", "all-to-all", "collective-permute" or
        "reduce-scatter".
      shape: of what a device holds after it, as XLA writes it.
      bytes: of that shape.
      times: how often it is done, or None in a loop that ends when it may.
    """

    kind: str
    shape: str
    bytes: int
    times: int | None


def collectives(text: str) -> list[Collective]:
    """The collectives of a compiled program, `jitted.lower(...).compile().as_text()`.

    Example:
      >>> found = collectives('''ENTRY %main (x: f32[8]) -> f32[64] {
      ...   ROOT %g = f32[64]{0} all-gather(%x), dimensions={0}
      ... }''')
      >>> found[0].kind, found[0].bytes, found[0].times
      ('all-gather', 256, 1)
    """
    found: list[tuple[str, str, str]] = []
    called: dict[str, tuple[str, int | None]] = {}
    inside = ""
    for line in text.splitlines():
        if opened := _COMPUTATION.match(line):
            inside = opened[1]
        elif moved := _COLLECTIVE.search(line):
            found.append((moved[2], moved[1], inside))
        names = _CALLED.findall(line)
        for branches in _BRANCHES.findall(line):
            names += [name.strip().lstrip("%") for name in branches.split(",")]
        for name in names:
            called[name] = inside, _trips(line)

    def times(computation: str) -> int | None:
        if computation not in called:
            return 1
        above, once = called[computation]
        before = times(above)
        return None if before is None or once is None else before * once

    return [
        Collective(kind, shape, bytes_of(shape), times(inside))
        for kind, shape, inside in found
    ]


def _trips(line: str) -> int | None:
    """How often a line calls what it calls: a loop's trips where they are known."""
    if " while(" not in line:
        return 1
    known = _TRIPS.search(line)
    return int(known[1]) if known else None


def bytes_of(shape: str) -> int:
    """Bytes of an array or a tuple of arrays.

    Example:
      >>> bytes_of("(f32[16,8]{1,0}, pred[4])"), bytes_of("bf16[]")
      (516, 2)
    """
    total = 0
    for kind, sizes in _ARRAY.findall(shape):
        count = 1
        for size in filter(None, sizes.split(",")):
            count *= int(size)
        bits = 8 if kind == "pred" else int(kind.lstrip("bsuf"))
        total += count * max(1, bits // 8)
    return total


def largest(text: str) -> int:
    """Bytes of the largest collective of a program; 0 if it has none."""
    return max((found.bytes for found in collectives(text)), default=0)


def compiled_of(method: str, rows: int, columns: int, budget: int, devices: int) -> Any:
    """The compiled program of a selector for a pool that is not there."""
    import jax
    import numpy as np
    from jax.sharding import NamedSharding

    from jaxsel.selection.methods import METHODS
    from jaxsel.selection.sharded.door import program_of
    from jaxsel.selection.sharded.mesh import BY_ROWS, pool_mesh

    mesh = pool_mesh(devices)
    mask = np.zeros(rows, bool)
    program, traced = program_of(METHODS[method], mesh, mask, budget, {})
    pool = jax.ShapeDtypeStruct(
        (-(-rows // devices) * devices, columns),
        np.float32,
        sharding=NamedSharding(mesh, BY_ROWS),
    )
    with jax.set_mesh(mesh):
        lowered = program.lower(np.zeros(2, np.uint32), pool, mask, traced)
        return lowered.compile()


def held(compiled: Any) -> int:
    """Bytes of one device that a program has at once: arguments, results, the rest."""
    memory = compiled.memory_analysis()
    return (
        memory.argument_size_in_bytes
        + memory.output_size_in_bytes
        + memory.temp_size_in_bytes
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=64)
    parser.add_argument("--budget", type=int, default=20)
    parser.add_argument("--devices", type=int, nargs="+", default=[8])
    parser.add_argument("--methods", nargs="+", default=list(SINGLE))
    chosen = parser.parse_args()
    print("| method | devices | a share | held | largest | once | in a turn |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for method in chosen.methods:
        for devices in chosen.devices:
            shape = chosen.rows, chosen.columns, chosen.budget, devices
            compiled = compiled_of(method, *shape)
            text = compiled.as_text()
            found = collectives(text)
            numbers = (
                4 * chosen.rows * chosen.columns / devices,
                held(compiled),
                largest(text),
                sum(c.bytes * c.times for c in found if c.times is not None),
                sum(c.bytes for c in found if c.times is None),
            )
            cells = " | ".join(f"{number / 1e6:.3f}" for number in numbers)
            print(f"| {method} | {devices} | {cells} |", flush=True)


if __name__ == "__main__":
    main()

"""What a selection costs on paper: operations, bytes read, sent and held, a device.

    python -m benchmarks.cost_model --rows 1e8 1e9 --columns 384 --budget 1000 \\
        --devices 64 --flops 30e12 --memory 2e12 --link 100e9 --held 80e9

prints a table for a machine of which four numbers are given: float32 operations a
second in matrix products, bytes a second from memory and between devices, and bytes of
memory, all of one device. How often a selector comes round depends on the data; the
numbers of turns below are arguments, and what a run took is in its `info`. Bytes sent
are those of the compiled program (`benchmarks.collectives`), to leading order.
"""

import argparse
import math
from collections.abc import Callable
from typing import NamedTuple

# Rows of a block, as the selectors have them.
PROPOSALS = 128  # of Gram-Schmidt, a pass
READING = 16  # picks of k-center that one reading serves, at most
WALKED = 4096  # rows that k-center walks between two readings
CENTRED = 4096  # rows whose mean k-means takes off
REFERENCE = 2048  # rows that the radius is found from
TILES = 12 * 1024**2  # bytes of what a tile of pairs needs
REFRESHED = 128  # rows whose gains MaxHerding brings up to date at a time


class Work(NamedTuple):
    """A selection.

    Attributes:
      rows, columns, budget: `n`, `d`, `s`.
      devices: `D`.
      turns: passes of Gram-Schmidt, readings of k-center, iterations of Lloyd,
        refreshments of MaxHerding.
      covered: the share of the pool that ProbCover's picks cover.
    """

    rows: float
    columns: float
    budget: float
    devices: float
    turns: float
    covered: float = 0.5

    @property
    def pool(self) -> float:
        """Bytes of the pool, all devices together."""
        return 4 * self.rows * self.columns


class Cost(NamedTuple):
    """Of one device.

    Attributes:
      flops: in matrix products and sums over rows.
      read: bytes from its memory.
      sent: bytes that arrive from other devices; 0 on one device.
      held: bytes that it must hold: its rows, the copies that the compiled program
        makes of them, and what goes with every row of the pool.
    """

    flops: float
    read: float
    sent: float
    held: float


def random(w: Work) -> Cost:
    return Cost(0, 0, w.rows, w.pool / w.devices + _with(w))


def norm(w: Work) -> Cost:
    share = w.pool / w.devices
    return Cost(2 * w.rows * w.columns / w.devices, share, 6 * w.rows, share + _with(w))


def gram_schmidt(w: Work) -> Cost:
    share = w.pool / w.devices
    block = 2 * w.rows * w.columns * PROPOSALS / w.devices
    sent = 16 * w.rows + w.turns * (10 * w.rows + 12 * PROPOSALS * w.columns)
    return Cost(w.turns * block, (w.turns + 1) * share, sent, 3 * share + _with(w))


def k_center(w: Work) -> Cost:
    share = w.pool / w.devices
    block = 2 * w.rows * w.columns * READING / w.devices
    walk = 10 * w.rows + 4 * WALKED * w.columns
    sent = 10 * w.rows + (w.turns + 1) * walk
    return Cost(w.turns * block, (w.turns + 2) * share, sent, 2 * share + _with(w))


def typiclust(w: Work) -> Cost:
    share, k = w.pool / w.devices, min(w.budget, 500)
    tries = 2 + math.floor(math.log(k))
    one = 2 * w.rows * w.columns / w.devices
    flops = one * (k * tries + w.turns * k) + one * w.rows / k * w.budget / k
    sent = share + 4 * CENTRED * w.columns + w.pool
    sent += k * 4 * (w.rows + tries * w.columns)
    sent += w.turns * (8 * w.rows + 4 * w.devices * k * w.columns)
    sent += w.budget * 4 * 32 * 33 * w.columns
    tiles = 4 * k * w.columns * w.rows / (4096 * w.devices)
    return Cost(flops, (k + w.turns) * share, sent, 6 * share + tiles + _with(w))


def probcover(w: Work) -> Cost:
    share = w.pool / w.devices
    flops = w.rows**2 * w.columns * (1 + 2 * w.covered) / w.devices
    sent = w.pool / 2 + w.covered * w.pool + 4 * REFERENCE * w.columns
    read = w.budget * share + w.rows * w.pool / w.devices / 1024
    return Cost(flops, read, sent, 5 * share + TILES + _with(w))


def max_herding(w: Work) -> Cost:
    share = w.pool / w.devices
    pairs = w.rows**2 * w.columns / w.devices
    refreshed = 2 * w.rows * w.columns * REFRESHED / w.devices
    sent = w.pool / 2 + 4 * REFERENCE * w.columns + w.budget * 4 * w.rows
    sent += w.turns * (4 * w.rows + 4 * REFRESHED * w.columns)
    read = (w.budget + w.turns) * share + w.rows * w.pool / w.devices / 1024
    return Cost(pairs + w.turns * refreshed, read, sent, 5 * share + TILES + _with(w))


def _with(w: Work) -> float:
    """What goes with every row of the pool, on every device: some four numbers."""
    return 16 * w.rows


# Of each selector, and how often it comes round where nothing better is known.
MODELS: dict[str, tuple[Callable[[Work], Cost], Callable[[float], float]]] = {
    "random": (random, lambda s: 0),
    "norm": (norm, lambda s: 0),
    "gram_schmidt": (gram_schmidt, lambda s: math.ceil(s / 40)),
    "k_center": (k_center, lambda s: math.ceil(s / READING)),
    "typiclust": (typiclust, lambda s: 30),
    "probcover": (probcover, lambda s: 0),
    "max_herding": (max_herding, lambda s: 2 * s),
}


def cost(method: str, work: Work) -> Cost:
    """The cost of a device; nothing is sent where there is one.

    Example:
      >>> cost("norm", Work(1e6, 100, 50, 4, 0)).read
      100000000.0
    """
    found = MODELS[method][0](work)
    return found if work.devices > 1 else found._replace(sent=0.0)


def seconds(cost: Cost, flops: float, memory: float, link: float) -> float:
    """Of a device whose arithmetic and memory overlap, and whose links do not."""
    return max(cost.flops / flops, cost.read / memory) + cost.sent / link


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=float, nargs="+", default=[1e8, 1e9])
    for name in ("columns", "budget", "devices", "flops", "memory", "link", "held"):
        parser.add_argument(f"--{name}", type=float, required=True)
    given = parser.parse_args()
    print("| rows | method | PFLOP | GB read | GB sent | GB held | fits | at least |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | --- | ---: |")
    for rows in given.rows:
        for method, (_, turns) in MODELS.items():
            work = Work(
                rows, given.columns, given.budget, given.devices, turns(given.budget)
            )
            found = cost(method, work)
            numbers = found.flops / 1e15, *(part / 1e9 for part in found[1:])
            cells = " | ".join(f"{number:,.3g}" for number in numbers)
            fits = "yes" if found.held <= given.held else "no"
            time = seconds(found, given.flops, given.memory, given.link)
            print(f"| {rows:.0e} | {method} | {cells} | {fits} | {_words(time)} |")


def _words(seconds: float) -> str:
    for size, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {name}"
    return f"{seconds:.2g} s"


if __name__ == "__main__":
    main()

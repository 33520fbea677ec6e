"""The bytes a selection holds at its peak, by what holds them, from its code.

What `jaxsel.selection` makes of `n` rows of `d` features, with `P = 4 n d` bytes a
copy in float32; XLA's own account of the compiled programs (`memory_analysis`) agrees
with the terms, and `benchmarks/planning.py` with their sum.

- The file, where it is mapped: every method reads all of it. JAX on a CPU works on
  float32 rows of such a file as they are; any others are copied, and while another type
  is converted two more copies exist.
- `unit`: a copy of the rows at length 1, for methods that compare directions; their
  float32 rows are dropped then, except in two stages.
- What the method's programs hold: `_WORK`.
- The compiler, which keeps most of what it took: a number a method, measured.

An accelerator holds neither the file nor the compiler.
"""

import math
from collections.abc import Callable
from typing import Any

from jaxsel.planning.fitted import (
    CLUSTERING_COMPILER_BYTES,
    COMPILER_BYTES,
    CONVERTER_COPIES,
)
from jaxsel.planning.shape import FLOAT, Shape
from jaxsel.selection.coverage import GATHERED, JUDGED
from jaxsel.selection.methods import METHODS
from jaxsel.selection.probcover import TILE

Parts = dict[str, int]

FILE = "the file, mapped"
COMPILER = "the compiler"
# Rows a tile of k-means, and the most clusters of TypiClust by default.
_KMEANS_TILE, _MOST_CLUSTERS = 4096, 500


def peak(
    method: str,
    shape: Shape,
    budget: int,
    *,
    labelled: int = 0,
    options: dict[str, Any] | None = None,
    device: str = "cpu",
) -> Parts:
    """What a selection holds when it holds most, above the idle process.

    Args:
      method: of `jaxsel.METHODS`.
      shape: of the pool.
      budget: rows to pick, 1 or more.
      labelled: how many rows have labels.
      options: the method's own.
      device: "cpu", or another, where the rows are copied to.

    Returns:
      Bytes by what holds them. More rows or features never take less.
    """
    options = options or {}
    host = device == "cpu"
    file = {FILE: shape.stored} if shape.mapped and host else {}
    if shape.gathered and host:
        file["rows gathered"] = shape.stored
    in_place = host and shape.mapped and not shape.gathered
    copied = not (in_place and shape.dtype == "float32")
    rows = {"rows in float32": shape.floats} if copied else {}
    first, _, second = method.partition("+")
    unit = {"rows at length 1": shape.floats}
    moments: list[Parts] = [dict(rows)]
    if host and shape.dtype != "float32":
        moments = [rows | {"the conversion": CONVERTER_COPIES * shape.floats}]
    if METHODS[first].rows == "unit":
        moments.append(rows | unit)
        held = unit | rows if second else unit
    else:
        held = rows
    proposals = min(2 * budget, shape.n) if second else budget
    for moment in _WORK[first](shape, proposals, labelled, options, host):
        compiler = {COMPILER: COMPILER_BYTES[method]} if host else {}
        moments.append(held | (compiler | moment if host else moment))
    state = {"a few numbers a row": 16 * shape.n}
    return max((file | state | m for m in moments), key=lambda m: sum(m.values()))


def _random(shape, budget, labelled, options, host) -> list[Parts]:
    return [{"scores": 32 * shape.n}]


def _norm(shape, budget, labelled, options, host) -> list[Parts]:
    return [{"scores": 40 * shape.n}]


def _gram_schmidt(shape, budget, labelled, options, host) -> list[Parts]:
    """The rows themselves serve the first measurement; any later one copies them.

    It is the only one up to `d` picks, or up to the rank of the features. An
    accelerator sets the copies aside in any case.
    """
    room = min(shape.n, shape.d) + 128
    basis = {"basis": 2 * FLOAT * (room + 2 * 128) * shape.d}
    plain = not any(options.get(name) for name in ("deterministic", "algorithm"))
    plain &= options.get("norm_ord", 2) == 2
    if host and plain and not labelled and budget <= min(shape.n, shape.d):
        return [basis | {"residual lengths": 64 * shape.n}]
    copies = {"residuals, twice": 2 * shape.floats}
    return [basis | copies | {"residual lengths": 274 * shape.n}]


def _k_center(shape, budget, labelled, options, host) -> list[Parts]:
    shuffled = shape.floats if options.get("tie") == "random" else 0
    return [
        {
            "distances": 40 * shape.n,
            "centres": 2 * FLOAT * budget * shape.d,
            "rows in random order": shuffled,
        }
    ]


def _kmeans(shape: Shape, clusters: int) -> Parts:
    """Two centred copies, of which the seeding's columns share the second."""
    trials = 2 + int(math.log(max(1, clusters)))
    return {
        "rows centred": shape.floats,
        "k-means": max(shape.floats, 2 * FLOAT * trials * shape.n) + 20 * shape.n,
        "tiles": 3 * FLOAT * clusters * min(shape.n, _KMEANS_TILE),
    }


def _typiclust(shape, budget, labelled, options, host) -> list[Parts]:
    most = options.get("max_clusters") or _MOST_CLUSTERS
    clusters = max(1, min(budget + labelled, most, shape.n))
    listed = {"rows by cluster": shape.floats, "typicality": 60 * shape.n}
    # The clusters are found before the programs that pick from them are compiled.
    compiler = {COMPILER: CLUSTERING_COMPILER_BYTES} if host else {}
    return [
        _kmeans(shape, clusters) | {"clusters": 60 * shape.n} | compiler,
        listed,
        _judged(shape, budget),
    ]


def _probcover(shape, budget, labelled, options, host) -> list[Parts]:
    padded = FLOAT * shape.d * _padded(shape.n)
    tiles = 3 * FLOAT * TILE * TILE
    moments: list[Parts] = []
    if options.get("delta") == "purity":
        moments.append(_kmeans(shape, min(options.get("n_classes") or 1, shape.n)))
    # Which rows are zero is asked of every number, a byte each and some more.
    asked = padded // FLOAT * 5 // 4
    return [
        *moments,
        {"rows in whole tiles": padded, "tiles": tiles + 16 * shape.n},
        {"rows in whole tiles": padded, "which are zero": asked + 16 * shape.n},
        {"rows in whole tiles": padded} | _judged(shape, budget),
    ]


def _max_herding(shape, budget, labelled, options, host) -> list[Parts]:
    padded = FLOAT * shape.d * _padded(shape.n)
    return [
        {
            "rows centred, twice": 2 * padded,
            "similarities": 80 * shape.n,
            "tiles": FLOAT * min(shape.n, TILE) * TILE,
        },
        _judged(shape, budget),
    ]


def _judged(shape: Shape, budget: int) -> Parts:
    """The rows that coverage is judged on, and their distances to picks."""
    judges = min(shape.n, JUDGED)
    picks = max(GATHERED, budget)
    return {"coverage": FLOAT * (2 * judges + 3 * picks) * shape.d + 2 * judges * 1024}


def _padded(n: int) -> int:
    tile = min(TILE, -(-n // 8) * 8)
    return -(-n // tile) * tile


_WORK: dict[str, Callable[..., list[Parts]]] = {
    "random": _random,
    "norm": _norm,
    "gram_schmidt": _gram_schmidt,
    "k_center": _k_center,
    "probcover": _probcover,
    "typiclust": _typiclust,
    "max_herding": _max_herding,
}

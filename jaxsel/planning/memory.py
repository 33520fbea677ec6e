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

from jaxsel.planning.fitted import (
    CLUSTERING_COMPILER_BYTES,
    COMPILER_BYTES,
)
from jaxsel.planning.shape import FLOAT, Call, Shape
from jaxsel.selection.coverage import GATHERED, JUDGED
from jaxsel.selection.methods import METHODS
from jaxsel.selection.probcover import TILE

Parts = dict[str, int]

FILE = "the file, mapped"
COMPILER = "the compiler"
# Rows a tile of k-means, and the most clusters of TypiClust by default.
_KMEANS_TILE, MOST_CLUSTERS = 4096, 500


def peak(method: str, call: Call, *, device: str = "cpu") -> Parts:
    """What a selection holds when it holds most, above the idle process.

    Args:
      method: of `jaxsel.METHODS`.
      call: of it.
      device: "cpu", or another, where the rows are copied to.

    Returns:
      Bytes by what holds them. More rows never take less.
    """
    shape, host = call.shape, device == "cpu"
    file = {FILE: shape.stored} if shape.mapped and host else {}
    if shape.gathered and host:
        file["rows gathered"] = shape.stored
    in_place = host and shape.mapped and not shape.gathered
    copied = not (in_place and shape.dtype == "float32")
    rows = {"rows in float32": shape.floats} if copied else {}
    first, _, second = method.partition("+")
    unit = {"rows at length 1": shape.floats}
    moments: list[Parts] = [dict(rows)]
    held = rows
    if METHODS[first].rows == "unit":
        moments.append(rows | unit)
        held = rows | unit if second else unit
    compiler = {COMPILER: COMPILER_BYTES[method]}
    for moment in _WORK[first](call.first_of_two() if second else call, host):
        moments.append(held | ((compiler | moment) if host else moment))
    state = {"a few numbers a row": 16 * shape.n}
    return max((file | state | m for m in moments), key=lambda m: sum(m.values()))


def _random(call: Call, host: bool) -> list[Parts]:
    return [{"scores": 32 * call.shape.n}]


def _norm(call: Call, host: bool) -> list[Parts]:
    return [{"scores": 40 * call.shape.n}]


def _gram_schmidt(call: Call, host: bool) -> list[Parts]:
    """The rows themselves serve the first measurement; any later one copies them.

    It is the only one up to `d` picks, or up to the rank of the features. An
    accelerator sets the copies aside in any case.
    """
    n, d = call.shape.n, call.shape.d
    basis = {"basis": 2 * FLOAT * (min(n, d) + 3 * 128) * d}
    plain = not any(call.options.get(o) for o in ("deterministic", "algorithm"))
    plain &= call.options.get("norm_ord", 2) == 2
    if host and plain and not call.labelled and call.budget <= min(n, d):
        return [basis | {"residual lengths": 64 * n}]
    copies = {"residuals, twice": 2 * call.shape.floats}
    return [basis | copies | {"residual lengths": 274 * n}]


def _k_center(call: Call, host: bool) -> list[Parts]:
    shuffled = call.shape.floats if call.options.get("tie") == "random" else 0
    return [
        {
            "distances": 40 * call.shape.n,
            "centres": 2 * FLOAT * call.budget * call.shape.d,
            "rows in random order": shuffled,
        }
    ]


def _kmeans(shape: Shape, clusters: int) -> Parts:
    """Two centred copies; the seeding's columns and tiles take the second's place."""
    columns = 2 * FLOAT * (2 + int(math.log(max(1, clusters)))) * shape.n
    tiles = 3 * FLOAT * clusters * min(shape.n, _KMEANS_TILE)
    return {
        "rows centred": shape.floats,
        "k-means": max(shape.floats, columns, tiles) + 12 * shape.n,
    }


def _typiclust(call: Call, host: bool) -> list[Parts]:
    n = call.shape.n
    most = call.options.get("max_clusters") or MOST_CLUSTERS
    clusters = max(1, min(call.budget + call.labelled, most, n))
    # The clusters are found before the programs that pick from them are compiled.
    compiler = {COMPILER: CLUSTERING_COMPILER_BYTES} if host else {}
    return [
        _kmeans(call.shape, clusters) | {"clusters": 20 * n} | compiler,
        {"rows by cluster": call.shape.floats, "typicality": 60 * n},
        _judged(call),
    ]


def _probcover(call: Call, host: bool) -> list[Parts]:
    n = call.shape.n
    padded = FLOAT * call.shape.d * _padded(n)
    rows = {"rows in whole tiles": padded}
    # Which rows are zero is asked of every number, a byte each and some more.
    asked = padded // FLOAT * 5 // 4
    moments: list[Parts] = [
        rows | {"tiles": 3 * FLOAT * TILE * TILE + 16 * n},
        rows | {"which are zero": asked + 16 * n},
        rows | _judged(call),
    ]
    if call.options.get("delta") == "purity":
        clusters = min(call.options.get("n_classes") or 1, n)
        moments.append(_kmeans(call.shape, clusters))
    return moments


def _max_herding(call: Call, host: bool) -> list[Parts]:
    n = call.shape.n
    return [
        {
            "rows centred, twice": 2 * FLOAT * call.shape.d * _padded(n),
            "similarities": 80 * n,
            "tiles": FLOAT * min(n, TILE) * TILE,
        },
        _judged(call),
    ]


def _judged(call: Call) -> Parts:
    """The rows that coverage is judged on, and their distances to picks."""
    judges, picks = min(call.shape.n, JUDGED), max(GATHERED, call.budget)
    gathered = FLOAT * (2 * judges + 3 * picks) * call.shape.d
    return {"coverage": gathered + 2 * FLOAT * judges * GATHERED}


def _padded(n: int) -> int:
    tile = min(TILE, -(-n // 8) * 8)
    return -(-n // tile) * tile


_WORK: dict[str, Callable[[Call, bool], list[Parts]]] = {
    "random": _random,
    "norm": _norm,
    "gram_schmidt": _gram_schmidt,
    "k_center": _k_center,
    "probcover": _probcover,
    "typiclust": _typiclust,
    "max_herding": _max_herding,
}

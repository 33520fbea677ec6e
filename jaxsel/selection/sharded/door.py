"""`jaxsel.select(..., mesh=...)`: the same picks from rows that many devices share."""

import functools
import time
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding

from jaxsel.errors import UserError
from jaxsel.selection import magnitudes, seeing
from jaxsel.selection.contract import Picks, no_picks
from jaxsel.selection.methods import Method
from jaxsel.selection.rows import unit_rows
from jaxsel.selection.sharded.mesh import BY_ROWS, EVERYWHERE, POOL, by_rows
from jaxsel.selection.sharded.placing import Placed, Rows, place, spread

# Options that do not shape the program: another value does not compile it anew.
_TRACED = ("delta", "bandwidth", "input_norms", "clusters", "candidates")


class OnMesh:
    """A pool that is laid over a mesh and can be selected from.

    Args:
      features: what `jaxsel.select` takes.
      entry: the method, which says what rows it sees.
      mesh: of `pool_mesh`.
      order: int `[n]` or None, the order in which rows are placed.

    Raises:
      UserError: rows that `jaxsel.select` refuses, or a mesh without the axis "pool".

    Attributes:
      placed: the rows as they are.
      extent: their range.
    """

    def __init__(
        self, features: Any, entry: Method, mesh: Mesh, order: np.ndarray | None
    ) -> None:
        check_mesh(mesh)
        self._entry, self._mesh, self._order = entry, mesh, order
        self.placed: Placed = place(features, mesh, order)
        self.extent = magnitudes.extent_of(self.placed.entries)

    def see(self, form: magnitudes.Form, options: dict[str, Any]) -> seeing.Seen:
        """The rows as the method sees them, laid over the mesh; as `seeing.see`."""
        rows, n, entries, given = self.placed
        entry, d = self._entry, given.shape[1]

        def again(rows_of: Any, width: int, dtype: Any) -> jax.Array:
            return spread(given, self._mesh, self._order, rows_of, width, dtype)

        powers, narrow = None, seeing.narrow_options(options)
        if not form.wide:
            if not seeing.is_held(self.extent, form.scale):
                rows = again(lambda part, _: part * form.scale, d, np.float32)
            elif form.scale != 1.0:
                rows = magnitudes.scaled(rows, form.scale)
        elif entry.compares in ("nothing", "directions"):
            rows = again(lambda part, _: magnitudes.by_own_powers(part), d, np.float32)
        else:
            wide = seeing.widen(entry, entries, self.extent, form, options, d)
            narrow, powers = wide.options, wide.powers
            with seeing.precision(True):
                rows = again(wide.rows_of, wide.width or d, np.float64)
        if entry.rows == "unit":
            rows = unit_rows(rows)
        self.placed = self.placed._replace(rows=rows)
        named = Rows(rows, n, self._mesh)
        return seeing.Seen(rows, named, narrow, powers, form.scale)

    def run(
        self, seen: seeing.Seen, seed: int, mask: np.ndarray, budget: int
    ) -> tuple[Picks, float]:
        """The method's picks, as `api.run`, and its seconds."""
        if budget == 0:
            return no_picks(), 0.0
        began = time.perf_counter()
        program, traced = program_of(
            self._entry, self._mesh, mask, budget, seen.options
        )
        with seen.precision(), jax.set_mesh(self._mesh):
            seeds = np.array([seed, mask.sum()], np.uint32)
            picks = program(seeds, seen.rows, mask, traced)
            picks = jax.block_until_ready(picks)
        return jax.tree.map(np.asarray, picks), time.perf_counter() - began


def program_of(
    entry: Method,
    mesh: Mesh,
    mask: np.ndarray,
    budget: int,
    options: dict[str, Any],
) -> tuple[Any, dict[str, Any]]:
    """A method's program for a pool on a mesh, and the options that it is given.

    Args:
      entry: the method.
      mesh: of `pool_mesh`.
      mask: bool `[n]`, labelled rows.
      budget: rows to pick.
      options: the method's, checked.

    Returns:
      The jitted `(seeds, rows, mask, options)`, of the seed and the number of labelled
      rows, uint32 `[2]`; float32 `[m, d]` by rows, `m` the least multiple of the
      devices from `n`; and bool `[n]`; to be called with the mesh set. And the options
      that it takes.
    """
    options = _with_room(entry, mask, budget, options)
    traced = {
        name: value
        for name, value in options.items()
        if name in _TRACED and not isinstance(value, str | None)
    }
    fixed = {n: v for n, v in options.items() if n not in traced}
    # Two stages look at how many rows are free, where that is fewer than they want.
    known = None
    if "candidates" in entry.options and 2 * budget > np.sum(~mask):
        known = mask.tobytes()
    settings = tuple(sorted(fixed.items()))
    program = _program(
        entry.function, mesh, len(mask), budget, settings, known, bool(mask.any())
    )
    return program, traced


def _with_room(
    entry: Method, mask: np.ndarray, budget: int, options: dict[str, Any]
) -> dict[str, Any]:
    """No more room for clusters than they need: the program cannot know it."""
    if "max_clusters" not in entry.options:
        return options
    stages = 2 if "candidates" in entry.options else 1
    labelled, wanted = int(mask.sum()), stages * budget
    if labelled:  # As `typiclust._room`: the same shapes round alike.
        wanted = -(-(labelled + wanted) // 64) * 64
    most = options.get("max_clusters", entry.options["max_clusters"])
    return {**options, "max_clusters": min(most, wanted)}


def check_mesh(mesh: Any) -> None:
    """Refuses what is not a mesh of one axis "pool"."""
    if not isinstance(mesh, Mesh) or mesh.axis_names != (POOL,):
        found = mesh.axis_names if isinstance(mesh, Mesh) else type(mesh).__name__
        raise UserError(
            f'expected mesh to be a jax.sharding.Mesh of one axis "{POOL}", found '
            f"{found}: make it by jaxsel.pool_mesh()"
        )


def drawn_order(
    method: str,
    key: jax.Array,
    n: int,
    order: np.ndarray | None,
    options: dict[str, Any],
) -> tuple[np.ndarray | None, dict[str, Any]]:
    """Where a method would shuffle the rows to break ties, the order that it draws.

    The rows are then placed in that order, instead of being sent around; the lowest
    position among equals is any of them.

    Returns:
      The order of placing, and the options for it.
    """
    random = options.get("tie") == "random"
    if random and method == "gram_schmidt" and options.get("deterministic"):
        key = jax.random.split(key)[1]
    elif not (random and method == "k_center"):
        return order, options
    shuffled = np.asarray(jax.random.permutation(key, n))
    return (
        shuffled if order is None else order[shuffled],
        {**options, "tie": "lowest"},
    )


@functools.lru_cache(maxsize=64)
def _program(
    function: Any,
    mesh: Mesh,
    n: int,
    budget: int,
    fixed: tuple[tuple[str, Any], ...],
    known: bytes | None,
    warm: bool,
) -> Any:
    """A method with its fixed options, for rows that end with some of no pool."""

    def call(seeds: Any, rows: jax.Array, mask: Any, traced: dict[str, Any]) -> Picks:
        key = jax.random.key(seeds[0])
        if warm:  # as `sampling.key_of`
            key = jax.random.fold_in(key, seeds[1])
        if known is None:
            mask = by_rows(mask)
        else:
            mask = np.frombuffer(known, bool)
        return function(
            key,
            by_rows(rows[:n]),
            mask,
            budget=budget,
            **dict(fixed),
            **traced,
        )

    # Said of every argument: the compiler may wish for shares that are not equal.
    whole, rows = NamedSharding(mesh, EVERYWHERE), NamedSharding(mesh, BY_ROWS)
    return jax.jit(call, in_shardings=(whole, rows, whole, whole), out_shardings=whole)

"""The mesh a pool lies on, and what a selector says of it while it is traced.

The rows of a pool, `[n, d]`, are laid over the devices of the mesh axis "pool"; what
is small (picks, a basis, centres, a block of rows) is on all of them. JAX's own
partitioner makes the program of a device from the program of one: it sees each
selector as it is written. Where a selector reads the pool in tiles, one after the
other, it would send the tiles around; there the selector asks `on_mesh()` and runs
the loop on a device's own rows, by `rowwise`. Without a mesh in context nothing here
does anything, and the compiled programs are those of one device.

Floats: the random numbers are the same ones, whatever the mesh. ProbCover's decisions
are by whole numbers and exact; k-means adds up in one order (`tiling`). For the rest,
what is computed for one row alone (its length, its product with a pick) is rounded by
the compiler's choice of instructions for the shape it sees, and a sum over the pool by
the number of devices: both may differ in the last bit from what one device finds. That
changes a pick only where two candidates are tied to within rounding, or a random
number falls within rounding of a boundary.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh, PartitionSpec

from jaxsel.errors import UserError

POOL = "pool"
BY_ROWS = PartitionSpec(POOL)
EVERYWHERE = PartitionSpec()


def pool_mesh(devices: int | Sequence[Any] | None = None) -> Mesh:
    """A mesh of one axis, "pool", over devices of all processes.

    Args:
      devices: how many, the devices themselves, or None (or 0) for all there are.

    Raises:
      UserError: more devices than there are, or a part of those of several processes.

    Example:
      >>> dict(pool_mesh(1).shape)
      {'pool': 1}
    """
    known = jax.devices()
    if devices is None or isinstance(devices, int):
        wanted = devices or len(known)
        if not 1 <= wanted <= len(known):
            raise UserError(
                f"expected from 1 to {len(known)} devices for the pool, found "
                f"{wanted}: 0 takes all of them"
            )
        chosen: Sequence[Any] = known[:wanted]
    else:
        chosen = list(devices)
    lacking = {d.process_index for d in known} - {d.process_index for d in chosen}
    if lacking:
        raise UserError(
            "expected a mesh with devices of every process, found none of process "
            f"{min(lacking)}: use all devices (0)"
        )
    return Mesh(np.array(chosen), (POOL,), axis_types=(AxisType.Auto,))


def devices() -> int:
    """Devices that the rows of the program being traced are laid over; 1 if none."""
    mesh = jax.sharding.get_abstract_mesh()
    if POOL not in mesh.axis_names or POOL in mesh.manual_axes:
        return 1
    return mesh.shape[POOL]


def on_mesh() -> bool:
    """Whether rows are laid over several devices; static, known while tracing."""
    return devices() > 1


def everywhere(x: Any) -> Any:
    """The same array, whole on every device; as it is without a mesh."""
    return lax.with_sharding_constraint(x, EVERYWHERE) if on_mesh() else x


def by_rows(x: Any) -> Any:
    """The same array, its rows laid over the devices; as it is without a mesh."""
    return lax.with_sharding_constraint(x, BY_ROWS) if on_mesh() else x


def top_k(scores: jax.Array, k: int) -> tuple[jax.Array, jax.Array]:
    """`lax.top_k`, kept apart from what follows, which would turn it into a sort."""
    found = lax.top_k(everywhere(scores), k)
    if on_mesh():  # The compiler takes no barrier around both at once there.
        return lax.optimization_barrier(found[0]), lax.optimization_barrier(found[1])
    values, rows = lax.optimization_barrier(found)
    return values, rows


def row_multiple(tile: int) -> int:
    """What the number of rows is padded to: whole tiles, or equal shares of devices.

    Equal shares move nothing: they are where the rows already are.
    """
    return devices() if on_mesh() else tile


def rowwise(
    part: Callable[..., Any], rows: Any, whole: Any = (), *, out: Any = BY_ROWS
) -> Any:
    """Runs `part(rows, whole)` on every device with its own share of the rows.

    Args:
      part: sees a device's rows; what it says for all must be made by `total` or the
        like.
      rows: a tree of arrays `[n, ...]`; shares are made equal by zero rows at the end.
      whole: a tree of small arrays, the same on every device.
      out: where the results go: `BY_ROWS`, `EVERYWHERE` or a tree of them. What is
        returned by rows keeps its padding.
    """
    count = devices()

    def padded(x: jax.Array) -> jax.Array:
        return jnp.pad(x, ((0, -len(x) % count), *[(0, 0)] * (x.ndim - 1)))

    spread = jax.shard_map(
        part, in_specs=(BY_ROWS, EVERYWHERE), out_specs=out, check_vma=False
    )
    return spread(jax.tree.map(padded, rows), whole)


def total(x: Any) -> Any:
    """Within `rowwise`: the sum over all devices, on all of them."""
    return lax.psum(x, POOL)


def row(rows: jax.Array, place: jax.Array) -> jax.Array:
    """`rows[place]` for one place; a slice would send all rows to every device."""
    return rows[place[None]][0] if on_mesh() else rows[place]

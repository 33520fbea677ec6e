"""Which devices share a study's work: rows of the pool, and replicates of a call."""

from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxsel.errors import UserError
from jaxsel.selection.sharded.mesh import pool_mesh

_RUNS = "replicates"


def mesh_of_pool(resolved: dict[str, Any]) -> Mesh | None:
    """The mesh that `config.mesh.pool` asks for; None where that is one device."""
    if _count(resolved, "pool") == 1:
        return None
    return pool_mesh(resolved["mesh"]["pool"])


def mesh_of_replicates(resolved: dict[str, Any]) -> Mesh | None:
    """The mesh that `config.mesh.replicates` asks for; None where that is one."""
    count = _count(resolved, "replicates")
    if count == 1:
        return None
    devices = np.array(jax.devices()[:count])
    return Mesh(devices, (_RUNS,), axis_types=(AxisType.Auto,))


def check_mesh(resolved: dict[str, Any]) -> None:
    """Refuses more devices than there are, or some of several processes' devices."""
    for field in ("pool", "replicates"):
        _count(resolved, field)


def shared_out(train: Any, mesh: Mesh) -> Any:
    """A trainer of `[r]` runs, `r` a multiple of the devices, each training its share.

    Args:
      train: `(keys, indices, sizes, task)`, as `Framework.make_train` returns it.
      mesh: of `mesh_of_replicates`.

    Returns:
      The same function; a run is computed by the program of a call of `r / D` runs.
    """
    runs, whole = PartitionSpec(_RUNS), PartitionSpec()
    return jax.jit(
        jax.shard_map(
            train,
            mesh=mesh,
            in_specs=(runs, runs, runs, whole),
            out_specs=runs,
            check_vma=False,
        ),
        in_shardings=NamedSharding(mesh, whole),
        out_shardings=NamedSharding(mesh, whole),
    )


def on_every_device(tree: Any, mesh: Mesh) -> Any:
    """NumPy arrays, whole on every device of a mesh."""

    def put(x: np.ndarray) -> jax.Array:
        where = NamedSharding(mesh, PartitionSpec())
        return jax.make_array_from_callback(x.shape, where, lambda index: x[index])

    return jax.tree.map(put, tree)


def _count(resolved: dict[str, Any], field: str) -> int:
    # Configs of before there was a mesh had one device in mind.
    wanted = resolved.get("mesh", {}).get(field, 1)
    if type(wanted) is not int or wanted < 0:
        raise UserError(
            f"expected config.mesh.{field} to be a number of devices, or 0 for all, "
            f"found {wanted!r}"
        )
    known = jax.device_count()
    if wanted > known:
        raise UserError(
            f"expected config.mesh.{field} up to the {known} devices there are, found "
            f"{wanted}: 0 takes all of them"
        )
    if jax.process_count() > 1 and wanted not in (0, known):
        raise UserError(
            f"expected config.mesh.{field} = 0 (all {known} devices) with several "
            f"processes, found {wanted}"
        )
    return wanted or known

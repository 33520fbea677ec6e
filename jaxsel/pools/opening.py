"""From what a person names to a pool: a file, a glob, a list, a stored folder."""

import collections
import glob
import json
import math
import os
import pathlib
from collections.abc import Iterable
from typing import Any

from jaxsel.errors import UserError
from jaxsel.natural_order import natural_key
from jaxsel.pools.npy import NpyShard
from jaxsel.pools.parquet import ParquetShard
from jaxsel.pools.pool import Pool
from jaxsel.pools.shard import Shard
from jaxsel.roles import NOTHING, Asked, Roles, asked_of

ENDINGS = (".npy", ".parquet")


def open_pool(
    where: Any,
    *,
    scale: float = 1.0,
    dtype: str | None = None,
    columns: Any = None,
    features: str | None = None,
    ids: str | None = None,
) -> Pool:
    """Opens a pool; nothing but headers is read.

    Args:
      where: a `.npy` or `.parquet` file; a glob, whose files are taken in natural order
        (`jaxsel.natural_order`: shard-2 before shard-10; `**` stands for folders at any
        depth); a list of files, in its order; or a folder with `features.npy`, as
        `jaxsel features` writes it. Files without rows are passed over.
      scale: a number that every row is multiplied with, as for int8 that was quantised;
        without it integers are what they are.
      dtype: "bfloat16" where `.npy` files hold its bits as uint16. A folder that
        `jaxsel features` wrote says so itself.
      columns, features, ids: of parquet, the columns that are the features, or the one
        of vectors, and the one that names the rows; without them `jaxsel.columns`
        chooses. What the first file's columns are, those of the others are too.

    Returns:
      The pool.

    Raises:
      UserError: no file, another kind of file, shards that do not fit together, a file
        that is truncated, no rows at all.

    Example:
      >>> import tempfile, numpy as np
      >>> folder = pathlib.Path(tempfile.mkdtemp())
      >>> for i in range(2):
      ...     np.save(folder / f"{i}.npy", np.full((2, 3), i, np.float16))
      >>> pool = open_pool(str(folder / "*.npy"))
      >>> pool.n, pool.dtype.name, pool.take([3])[0].tolist()
      (4, 'float16', [1.0, 1.0, 1.0])
    """
    asked = asked_of(columns, features, ids)
    if isinstance(where, Pool):
        if asked != NOTHING:
            raise UserError(
                "expected columns where the pool is opened, found them with an open "
                "pool: give them to open_pool"
            )
        return where
    if isinstance(scale, bool) or not isinstance(scale, int | float):
        raise UserError(f"expected a number as the pool's scale, found {scale!r}")
    if not math.isfinite(scale) or scale <= 0:
        raise UserError(f"expected a scale above 0, found {scale!r}")
    if dtype not in (None, "bfloat16"):
        raise UserError(f'expected dtype="bfloat16" or none, found {dtype!r}')
    shards: list[Shard] = []
    for path in _files(where):
        tables = [shard.roles for shard in shards if shard.roles is not None]
        shards.append(_shard(path, dtype, asked, tables))
    return Pool(shards, float(scale))


def _files(where: Any) -> list[pathlib.Path]:
    if isinstance(where, str | os.PathLike):
        return _named(os.fspath(where))
    if not isinstance(where, Iterable) or hasattr(where, "shape"):
        raise UserError(
            "expected a pool as a file, a glob, a list of files or a Pool, found "
            f"{type(where).__name__}: name the file of a memory-mapped array; an array "
            "in memory is for jaxsel.select"
        )
    given = list(where)
    paths = [pathlib.Path(p) for p in given if isinstance(p, str | os.PathLike)]
    if not given or len(paths) < len(given):
        raise UserError(
            f"expected a list of file names, found {len(given)} of which "
            f"{len(given) - len(paths)} are no names"
        )
    names = collections.Counter(os.path.abspath(path) for path in paths)
    name, times = names.most_common(1)[0]
    if times > 1:
        raise UserError(f"expected each shard once, found {name!r} {times} times")
    return paths


def _named(name: str) -> list[pathlib.Path]:
    path = pathlib.Path(name)
    if path.is_dir():
        if (path / "features.npy").is_file():
            return [path / "features.npy"]
        raise UserError(
            f"expected features.npy in the folder {name!r}, found none: name the "
            f"shards by a glob, such as {os.path.join(name, '*.npy')!r}"
        )
    if path.exists() or not glob.has_magic(name):
        return [path]
    found = sorted(glob.glob(name, recursive=True), key=natural_key)
    if not found:
        raise UserError(f"expected shards that match {name!r}, found none")
    return [pathlib.Path(one) for one in found]


def _shard(
    path: pathlib.Path, dtype: str | None, asked: Asked, before: list[Roles]
) -> Shard:
    """Opens a file; the columns of a table are those of the tables before it."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UserError(
            f"expected a shard that ends in {' or '.join(ENDINGS)}, found "
            f"{str(path)!r}: convert it"
        )
    if ending == ".parquet":
        if before:
            first = before[0]
            asked = Asked(first.features, ids=first.ids[0] if first.ids else "")
        return ParquetShard(path, asked)
    if asked != NOTHING:
        raise UserError(
            f"expected parquet where columns are named, found {str(path)!r}, whose "
            "columns have no names: leave them out"
        )
    return NpyShard(path, dtype or _stored_as(path))


def _stored_as(path: pathlib.Path) -> str | None:
    """What the manifest beside a stored `features.npy` says of its bits."""
    manifest = path.parent / "manifest.json"
    if path.name != "features.npy" or not manifest.is_file():
        return None
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))["dtype"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return "bfloat16" if said == "bfloat16" else None

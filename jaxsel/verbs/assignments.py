"""`assignments.parquet`: for every row of the pool, the pick that stands for it."""

import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from jaxsel.annotation.picks import Pick
from jaxsel.verbs.command import printable
from jaxsel.verbs.represents import Explained

COLUMNS = ("id", "index", "pick_id", "pick_rank", "distance", "content")
GROUP = 1 << 16  # rows written at a time


def write_assignments(
    path: pathlib.Path,
    ids: np.ndarray,
    picks: Sequence[Pick],
    seen: Explained,
    content: np.ndarray,
) -> None:
    """Writes a row for every row of the pool, in the pool's order.

    Columns: `id`, its name; `index`, from 0; `pick_id` and `pick_rank`, of the nearest
    pick; `distance`, to it, the Euclidean one between rows at length 1; `content`, a
    hash by which a later round knows the row again.

    Args:
      path: a new file, or one to write over.
      ids: str `[n]`.
      picks: the `[b]` usable picks by rank, as `seen` counts them.
      seen: of the pool. A row that was left out has no pick: -1 there, nothing here.
      content: str `[n]`, see `growing.row_hashes`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.string()
    kinds = (text, pa.int64(), text, pa.int32(), pa.float32(), text)
    schema = pa.schema(list(zip(COLUMNS, kinds, strict=True)))
    names = pa.array([printable(pick.id) for pick in picks], pa.string())
    ranks = pa.array([pick.rank for pick in picks], pa.int32())
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, len(ids), GROUP):
            part = slice(start, min(start + GROUP, len(ids)))
            nobody = seen.nearest[part] < 0
            pick = pa.array(seen.nearest[part], mask=nobody)
            columns = [
                # Bytes of file names that are no text can not stand in the file.
                pa.array([printable(name) for name in ids[part].tolist()], pa.string()),
                pa.array(np.arange(part.start, part.stop)),
                names.take(pick),
                ranks.take(pick),
                pa.array(seen.distances[part], mask=nobody),
                pa.array(content[part].tolist(), text),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def ids_in(path: pathlib.Path) -> Iterator[str]:
    """The ids of the pool's rows, as `printable` has them, in the pool's order."""
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(path).iter_batches(GROUP, columns=["id"]):
        yield from batch.column(0).to_pylist()

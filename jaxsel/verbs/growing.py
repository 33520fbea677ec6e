"""A later round on a pool that has grown or shrunk: earlier picks stay, by their ids.

Images come in week by week, and every row behind a new one gets another number. What a
round knows of rows (picks, labels, what is unusable) is therefore carried over by id,
out of the `assignments.parquet` that lists the earlier pool with a hash of each row.
Rows that only have numbers are the same as long as nothing but the end has grown.
"""

import hashlib
import pathlib
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxsel.doctor.finding import counted
from jaxsel.errors import UserError
from jaxsel.sources.source import Source
from jaxsel.verbs.command import printable, shown
from jaxsel.verbs.picking import path_in
from jaxsel.verbs.round_folder import ASSIGNMENTS, Earlier

_NAMED = 5


class Growth(NamedTuple):
    """How a pool differs from that of the round before, by ids.

    Attributes:
      joined: rows that are new.
      gone: rows that are no longer there.
      changed: rows of the same id with another content.
      lost: those of `gone` that had been picked.
    """

    joined: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def sentences(self, noun: str = "row") -> list[str]:
        """What happened, a line each.

        Example:
          >>> Growth(joined=("a.png",), gone=("b.png",)).sentences("image")
          ['1 image joined the pool (a.png)', '1 image is gone from the pool (b.png)']
        """
        said = []
        if self.joined:
            said.append(f"{counted(len(self.joined), noun)} joined the pool")
            said[-1] += _listed(self.joined)
        if self.gone:
            is_ = "is" if len(self.gone) == 1 else "are"
            said.append(f"{counted(len(self.gone), noun)} {is_} gone from the pool")
            said[-1] += _listed(self.gone)
        if self.changed:
            was = "has" if len(self.changed) == 1 else "have"
            said.append(f"{counted(len(self.changed), noun)} {was} another content now")
            said[-1] += f"{_listed(self.changed)}; labels of before are kept"
        if self.lost:
            said.append(
                f"{counted(len(self.lost), 'earlier pick')} among those gone"
                f"{_listed(self.lost)}: no longer part of the round nor of its budget; "
                "with the files back in their places they would be"
            )
        return said

    def as_json(self) -> dict[str, list[str]]:
        """Plain values: ids by what happened to their rows."""
        return {name: list(ids) for name, ids in self._asdict().items()}


def row_hashes(source: Source) -> np.ndarray | None:
    """A hash of the content of every row, 16 hexadecimal digits each, str `[n]`.

    For an image it is of its file, for features of the numbers as they are stored. None
    for images that were not opened yet.
    """
    if source.content is not None or source.features is None:
        return source.content
    rows = np.ascontiguousarray(source.features)
    return np.array([hashlib.blake2b(row, digest_size=8).hexdigest() for row in rows])


def carried_over(earlier: Earlier, source: Source) -> Earlier:
    """An earlier round in the row numbers of the pool as it is now.

    Args:
      earlier: as `read_folder` gives it.
      source: the pool now.

    Returns:
      The round with its rows renumbered and `growth` set; as it was where nothing says
      that rows have come, gone or changed.

    Raises:
      UserError: the pool has another number of rows, and it cannot be said which of
        them are new.
    """
    found = _renumbered(earlier, source)
    if found.round.rows != len(source.ids):
        why = (
            "rows have numbers instead of ids, and others than the last are new"
            if _is_numbered(source)
            else "no row of that pool is here as it was"
        )
        raise UserError(
            f"expected the pool of the earlier round ({earlier.round.source}, "
            f"{earlier.round.rows} rows), found {len(source.ids)} rows in "
            f"{source.path}; {why}: give that pool, or start a first round on this "
            "one, with --labelled for what has labels"
        )
    return found


def _is_numbered(source: Source) -> bool:
    n = len(source.ids)
    return source.paths is None and source.ids.tolist() == list(map(str, range(n)))


def _renumbered(earlier: Earlier, source: Source) -> Earlier:
    before = _pool_before(earlier.folder)
    if before is None or len(before[0]) != earlier.round.rows:
        return earlier
    names, contents = before
    now = [printable(name) for name in source.ids.tolist()]
    row_of = {name: row for row, name in enumerate(now)}
    same = [name for name in names if name in row_of]
    changed: list[str] = []
    hashes = None if contents is None else row_hashes(source)
    if contents is not None and hashes is not None:
        changed = [
            name
            for name, content in zip(names, contents, strict=True)
            if name in row_of and hashes[row_of[name]] != content
        ]
    if _is_numbered(source) and (changed or contents is None or len(same) < len(names)):
        return earlier  # a number is no name: these may be any rows
    if len(changed) == len(same) or (now == names and not changed):
        return earlier
    known = set(names)
    picks = tuple(
        pick._replace(index=row, path=path_in(source, row))
        for pick in earlier.picks
        if (row := row_of.get(printable(pick.id))) is not None
    )
    here = {printable(pick.id) for pick in picks}
    growth = Growth(
        tuple(name for name in now if name not in known),
        tuple(name for name in names if name not in row_of),
        tuple(changed),
        tuple(pick.id for pick in earlier.picks if printable(pick.id) not in here),
    )

    def moved(rows: Collection[int]) -> frozenset[int]:
        return frozenset(row_of[names[r]] for r in rows if names[r] in row_of)

    options = dict(earlier.round.options)
    options["gone"] = sorted({*options.get("gone", ()), *growth.gone} - set(now))
    options["limits"] = _limits_of_those_here(options.get("limits", {}), growth.gone)
    return earlier._replace(
        round=earlier.round._replace(rows=len(now), options=options),
        picks=picks,
        labelled=moved(earlier.labelled),
        unusable=moved(earlier.unusable),
        growth=growth,
    )


def sentences_of(earlier: Earlier | None, source: Source) -> list[str]:
    """How the pool has changed since an earlier round; nothing where it has not."""
    if earlier is None or earlier.growth is None:
        return []
    return earlier.growth.sentences("row" if source.paths is None else "image")


def gone(earlier: Earlier | None) -> Collection[str]:
    """Ids that were in the pool of an earlier round and are not in this one."""
    return () if earlier is None else set(earlier.round.options.get("gone", ()))


def _limits_of_those_here(
    limits: Mapping[str, Any], gone: Collection[str]
) -> dict[str, Any]:
    """Constraints without the ids of rows that are no longer there."""
    missing, kept = set(gone), dict(limits)
    for name in ("include", "exclude"):
        if kept.get(name):
            kept[name] = [one for one in kept[name] if printable(one) not in missing]
    return kept


def _pool_before(
    folder: pathlib.Path | None,
) -> tuple[list[str], list[str] | None] | None:
    """Ids of the earlier pool and hashes of its rows, where they are written down."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if folder is None or not (folder / ASSIGNMENTS).is_file():
        return None
    try:
        table = pq.read_table(folder / ASSIGNMENTS)
        names = table.column("id").to_pylist()
        if "content" not in table.column_names:  # a round of an older version
            return names, None
        return names, table.column("content").to_pylist()
    except (OSError, KeyError, pa.ArrowException):
        return None


def _listed(names: tuple[str, ...]) -> str:
    listed = ", ".join(shown(name) for name in names[:_NAMED])
    return f" ({listed}{', …' if len(names) > _NAMED else ''})"

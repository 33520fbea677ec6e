"""`--labelled`: rows that need no label any more, as ids, a labels file or indices."""

import pathlib
import re
from collections.abc import Collection

import numpy as np

from jaxsel.annotation.labels import Label, LabelRow, labels_of, parse_labels
from jaxsel.annotation.spelling import respelt
from jaxsel.annotation.tables import refuse_repeats, text_of
from jaxsel.errors import UserError, listed, quoted, shortened
from jaxsel.npy_header import load_npy

_HEADER = ",".join(LabelRow._fields)
KNOWN = "labelled"  # what stands for the label where a file only has ids


def read_labelled(
    file: pathlib.Path, ids: np.ndarray, gone: Collection[str] = ()
) -> dict[int, Label]:
    """Rows of the pool that were labelled, or were found unusable.

    A labels.csv goes by its ids: the rows of a pool that grows move. Where ids are but
    the rows' numbers its index has to agree.

    Args:
      file: an `.npy` of row indices; the `labels.csv` that `jaxsel import` writes; or
        text with one id a line.
      ids: str `[n]`, of the pool.
      gone: ids that were in the pool of an earlier round; labels of theirs are passed
        over.

    Returns:
      By row, its label; `UNUSABLE` for what can not be used.

    Raises:
      UserError: no such file, or a row, id or index that is not of the pool.
    """
    if file.suffix.lower() == ".npy":
        return dict.fromkeys(indices_in(file, len(ids)), KNOWN)
    row_of = {name: row for row, name in enumerate(ids.tolist())}
    text = text_of(file, "labelled ids")
    if text.partition("\n")[0].strip() != _HEADER:
        _refuse_table(file, text)
        names = [line.removesuffix("\r") for line in text.split("\n")]
        names = [name for name in names if name]
        names = [name for name in names if name not in gone or name in row_of]
        names = _as_in_the_pool(file, names, row_of)
        return {row_of[name]: KNOWN for name in names}
    rows = parse_labels(text, str(file))
    rows = [row for row in rows if row.id not in gone or row.id in row_of]
    names = _as_in_the_pool(file, [row.id for row in rows], row_of)
    rows = [row._replace(id=name) for row, name in zip(rows, names, strict=True)]
    refuse_repeats(list(enumerate(rows, start=2)), ("id",), str(file))
    moved = [row for row in rows if row_of[row.id] != row.index]
    if moved and all(name == str(row) for name, row in row_of.items()):
        raise UserError(
            f"{file}: expected labels of this pool, found {quoted(moved[0].id)} at row "
            f"{moved[0].index}, which is row {row_of[moved[0].id]} here: give the "
            "labels of this pool"
        )
    return {row_of[name]: label for name, label in labels_of(rows).items()}


def _refuse_table(file: pathlib.Path, text: str) -> None:
    """A table that a tool wrote is for `jaxsel import`, which knows what it says."""
    header = text.partition("\n")[0].strip()
    if {"id", "label"} <= set(re.split("[,;\t]", header)):
        raise UserError(
            f"{file}: expected a labels.csv with the columns {_HEADER}, or ids one a "
            f"line, found a table with {shortened(header)}: make a labels.csv of "
            "it by jaxsel import --from csv"
        )


def _as_in_the_pool(
    file: pathlib.Path, names: list[str], row_of: dict[str, int]
) -> list[str]:
    """Names as the pool spells them, where another spelling can mean one row alone."""
    meant = respelt({name for name in names if name not in row_of}, row_of)
    strangers = [name for name in names if not meant.get(name, True)]
    if strangers:
        raise UserError(
            f"{file}: expected ids of the pool's {len(row_of)} rows, found "
            f"{len(strangers)} of {len(names)} that are not among them "
            f"({listed(strangers)}): give ids of this pool, one a line, or a labels.csv"
        )
    for name, ids in meant.items():
        if len(ids) > 1:
            raise UserError(
                f"{file}: expected names that mean one row each, found {quoted(name)}, "
                f"which can mean {listed(sorted(ids))}: give the ids as the pool has "
                "them"
            )
    return [next(iter(meant.get(name, (name,)))) for name in names]


def indices_in(file: pathlib.Path, n: int) -> list[int]:
    """Row indices of a pool of `n` rows, out of an `.npy` file.

    Raises:
      UserError: no such file, or what is not among them.
    """
    try:
        found = load_npy(file)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{file}: expected row indices in an .npy file, found that it cannot be "
            f"read ({error}): write them with numpy.save"
        ) from error
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise UserError(
            f"{file}: expected row indices, whole numbers [k], found {found.dtype} "
            f"{list(found.shape)}"
        )
    outside = found[(found < 0) | (found >= n)]
    if outside.size:
        raise UserError(
            f"{file}: expected rows from 0 to {n - 1}, found {outside[0]}: give "
            "indices of this pool"
        )
    return [int(row) for row in found]

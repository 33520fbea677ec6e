"""`--labelled`: rows that need no label any more, as ids, a labels file or indices."""

import pathlib
import re
from collections.abc import Collection

import numpy as np

from jaxsel.annotation.labels import Label, LabelRow, labels_of, parse_labels
from jaxsel.annotation.tables import text_of
from jaxsel.errors import UserError

_HEADER = ",".join(LabelRow._fields)
KNOWN = "labelled"  # what stands for the label where a file only has ids


def read_labelled(file: pathlib.Path, ids: np.ndarray) -> dict[int, Label]:
    """Rows of the pool that were labelled, or were found unusable.

    Args:
      file: an `.npy` of row indices; the `labels.csv` that `jaxsel import` writes; or
        text with one id a line.
      ids: str `[n]`, of the pool.

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
        _refuse_strangers(file, names, row_of)
        return {row_of[name]: KNOWN for name in names}
    rows = parse_labels(text, str(file))
    _refuse_strangers(file, [row.id for row in rows], row_of)
    moved = [row for row in rows if row_of[row.id] != row.index]
    if moved:
        raise UserError(
            f"{file}: expected labels of this pool, found {moved[0].id!r} at row "
            f"{moved[0].index}, which is row {row_of[moved[0].id]} here: give the "
            "labels of this pool"
        )
    return {row_of[name]: label for name, label in labels_of(rows).items()}


def check_names(file: pathlib.Path, ids: Collection[str]) -> None:
    """Refuses a file for what it names, before it is known which images can be read.

    Args:
      file: as for `read_labelled`; an `.npy` names nothing.
      ids: of all images that there may be.

    Raises:
      UserError: no such file, or an id that is not among them.
    """
    if file.suffix.lower() == ".npy":
        return
    text = text_of(file, "labelled ids")
    if text.partition("\n")[0].strip() == _HEADER:
        names = [row.id for row in parse_labels(text, str(file))]
    else:
        _refuse_table(file, text)
        names = [line.removesuffix("\r") for line in text.split("\n")]
    row_of = {name: row for row, name in enumerate(ids)}
    _refuse_strangers(file, [name for name in names if name], row_of)


def _refuse_table(file: pathlib.Path, text: str) -> None:
    """A table that a tool wrote is for `jaxsel import`, which knows what it says."""
    header = text.partition("\n")[0].strip()
    if {"id", "label"} <= set(re.split("[,;\t]", header)):
        raise UserError(
            f"{file}: expected a labels.csv with the columns {_HEADER}, or ids one a "
            f"line, found a table with {header}: make a labels.csv of it by jaxsel "
            "import --from csv"
        )


def _refuse_strangers(
    file: pathlib.Path, names: list[str], row_of: dict[str, int]
) -> None:
    strangers = [name for name in names if name not in row_of]
    if strangers:
        raise UserError(
            f"{file}: expected ids of the pool's {len(row_of)} rows, found "
            f"{len(strangers)} of {len(names)} that are not among them "
            f"({', '.join(map(repr, strangers[:5]))}): give ids of this pool, one a "
            "line, or a labels.csv"
        )


def indices_in(file: pathlib.Path, n: int) -> list[int]:
    """Row indices of a pool of `n` rows, out of an `.npy` file.

    Raises:
      UserError: no such file, or what is not among them.
    """
    try:
        found = np.load(file)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"{file}: expected row indices in an .npy file, found {error}"
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

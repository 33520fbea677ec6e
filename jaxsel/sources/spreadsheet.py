"""Feature tables as text: CSV, with commas, semicolons or tabs.

A column that names rows, by what it is called, is kept as the text it is, so that an id
007 stays 007. Other types are inferred from all rows.
"""

import csv
import io
import pathlib
from collections.abc import Sequence
from typing import Any

from jaxsel.arrow import columns_of, names_of, one_array
from jaxsel.column_names import row_name_rank
from jaxsel.errors import UserError
from jaxsel.features.parquet import Read
from jaxsel.roles import NOTHING, Asked
from jaxsel.tables import Table, choose, ids_of, rows_of

ENDINGS = (".csv", ".tsv")
_DELIMITERS = ",;\t|"
_LARGEST = 2**31 - 1
_BEGINNING = 1 << 20


def read_csv(file: pathlib.Path, asked: Asked = NOTHING) -> Read:
    """Reads features and ids, from the columns that `jaxsel.columns` chooses.

    The first line has the names of the columns; the delimiter is the one that gives the
    most of them. A mark of UTF-8 at the beginning is no part of the first name. An
    empty cell of a column of numbers is NaN.

    Args:
      file: a UTF-8 text.
      asked: what the caller says of its columns.

    Returns:
      Read.

    Raises:
      UserError: no UTF-8, lines of several lengths, no names in the first line, numbers
        with decimal commas or among text, or it is not clear which columns are meant.

    Example:
      >>> import tempfile
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "t.csv"
      >>> _ = file.write_text("id;age;label\\n007;1.5;0\\n008;2;1\\n")
      >>> found = read_csv(file)
      >>> found.rows.tolist(), found.ids.tolist()
      ([[1.5], [2.0]], ['007', '008'])
    """
    where = repr(str(file))
    values = _columns(file, where, asked)
    if not values or not len(next(iter(values.values()))):
        raise UserError(
            f"expected rows below the names of columns in {where}, found none"
        )

    def head(names: Sequence[str]) -> dict[str, Any]:
        return {name: values[name] for name in names}

    def parts(name: str) -> list[Any]:
        return [values[name]]

    roles = choose(Table(where, _kinds(values), head, parts), asked)
    ids, roles = ids_of(roles, lambda name: names_of(values[name], name, where))
    return Read(rows_of(values, roles, where), ids, roles)


def _kinds(values: dict[str, Any]) -> list[Any]:
    import pyarrow as pa

    return columns_of(pa.schema([(name, one.type) for name, one in values.items()]))


def _columns(file: pathlib.Path, where: str, asked: Asked) -> dict[str, Any]:
    """The values of every column by its name."""
    import pyarrow as pa
    import pyarrow.csv as pc

    names, delimiter = _header(file, where)
    texts = [name for name in names if row_name_rank(name) is not None]
    texts += [asked.ids] if asked.ids in names else []
    try:
        table = pc.read_csv(
            file,
            # One block, since a row may be longer than several.
            read_options=pc.ReadOptions(
                column_names=names,
                skip_rows_after_names=1,
                block_size=min(max(1 << 20, file.stat().st_size + 2), _LARGEST),
            ),
            parse_options=pc.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pc.ConvertOptions(
                column_types={
                    name: pa.string() for name in texts if name not in asked.columns
                },
            ),
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"expected a table of UTF-8 text with a cell for each of the "
            f"{len(names)} names of its first line in {where}, found "
            f"{' '.join(str(error).split())[:200]}: save it again as CSV"
        ) from error
    return {name: one_array(table[name]) for name in names}


def _header(file: pathlib.Path, where: str) -> tuple[list[str], str]:
    """Names of the columns, and what is between them."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            text = stream.read(_BEGINNING)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"expected a table of UTF-8 text in {where}, found {error}: save it again "
            "as CSV in UTF-8"
        ) from error
    splits = {
        mark: next(csv.reader(io.StringIO(text, newline=""), delimiter=mark), [])
        for mark in _DELIMITERS
    }
    delimiter = max(splits, key=lambda mark: len(splits[mark]))
    cells = [cell.strip() for cell in splits[delimiter]]
    if not any(cells):
        raise UserError(
            f"expected names of columns in the first line of {where}, found nothing"
        )
    if _is_data(cells):
        raise UserError(
            f"expected names of columns in the first line of {where}, found numbers "
            f"({text[:40].splitlines()[0]!r}): write names above them"
        )
    names: list[str] = []
    for place, cell in enumerate(cells):
        names.append(cell or f"Unnamed: {place}")
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(
            f"expected columns of different names in {where}, found {twice[0]!r} "
            "twice: rename or drop columns"
        )
    return names, delimiter


def _is_data(cells: list[str]) -> bool:
    """Whether a first line is rather a row: all numbers, but not 0, 1, 2, …"""
    full = [cell for cell in cells if cell]
    try:
        numbers = [float(cell.replace(",", ".")) for cell in full]
    except ValueError:
        return False
    return not any(numbers == list(range(k, k + len(full))) for k in (0, 1))

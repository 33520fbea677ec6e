"""Tables as features and ids: parquet, CSV, and pools on disk are read by this.

`jaxsel.columns` says what the columns are by name and type; here their values are
looked at where that is needed.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsel.arrow import decoded, numbers_of, vectors_of
from jaxsel.column_names import row_name_rank
from jaxsel.columns import roles_of
from jaxsel.errors import UserError
from jaxsel.roles import NUMBER, TEXT, Asked, Column, Roles

# Rows that are looked at before a column is read whole.
HEAD = 100
# Fewer rows may count 0, 1, 2, … by chance.
RUN = 10
REPEATS = "does not tell the rows apart"
_PLAIN = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*")
_LISTLIKE = re.compile(r"\s*[\[(]\s*[+-]?[\d.]")


class Table(NamedTuple):
    """A table that need not be read yet.

    Attributes:
      where: what to call it in a message.
      columns: all of it.
      head: the first rows (`HEAD` of them, or all) of the named columns, by name.
      parts: all values of a column, in parts.
    """

    where: str
    columns: Sequence[Column]
    head: Callable[[Sequence[str]], dict[str, Any]]
    parts: Callable[[str], Iterable[Any]]


def choose(table: Table, asked: Asked) -> Roles:
    """What the columns of a table are, its values looked at where that is needed.

    Raises:
      UserError: as `roles_of`; numbers or vectors that are written as text.
    """
    numbers = [c.name for c in table.columns if c.kind == NUMBER]
    heads: dict[str, Any] = {}

    def numbers_rows(name: str) -> bool:
        if not heads:
            heads.update(table.head(numbers))
        # The head tells of nearly every column that it does not.
        if not is_run(numbers_of(heads[name]), least=1):
            return False
        return _counts_on(table.parts(name))

    def texts(names: Sequence[str]) -> dict[str, list[str]]:
        found = {}
        for name, column in table.head(names).items():
            values = [v for v in decoded(column).to_pylist() if v is not None]
            found[name] = [
                v.decode(errors="replace") if isinstance(v, bytes) else str(v)
                for v in values
            ]
        return found

    roles = roles_of(table.columns, asked, where=table.where, numbers_rows=numbers_rows)
    refuse_written(roles, table.where, texts)
    return roles


def _counts_on(parts: Iterable[Any]) -> bool:
    """`is_run` of values that come in parts."""
    first, done = 0, 0
    for part in parts:
        values = numbers_of(part)
        if len(values) and not done:
            first = int(values[0]) if values[0] in (0, 1) else -1
        if first < 0 or not np.array_equal(
            values, np.arange(len(values)) + first + done
        ):
            return False
        done += len(values)
    return done >= RUN


def is_run(values: np.ndarray, least: int = RUN) -> bool:
    """Whether values are 0, 1, 2, … or 1, 2, 3, …

    Example:
      >>> is_run(np.arange(1, 21)), is_run(np.arange(5)), is_run(np.arange(20) * 2)
      (True, False, False)
    """
    if len(values) < least or not len(values) or values[0] not in (0, 1):
        return False
    return bool(np.array_equal(values, np.arange(len(values)) + int(values[0])))


def refuse_written(
    roles: Roles,
    where: str,
    texts: Callable[[Sequence[str]], Mapping[str, Sequence[str]]],
) -> None:
    """Refuses numbers that are written as text, which would be left out as text.

    Args:
      roles: of a table; where its features are vectors, or the caller named them, its
        text is not looked at.
      where: what to call the table in a message.
      texts: the first values of some columns.

    Raises:
      UserError: a column holds text that is numbers, most of it.
    """
    if roles.vector or roles.chosen:
        return
    names = [name for name, why in roles.left_out.items() if why == TEXT]
    for name, values in texts(names).items() if names else ():
        if reason := text_of_numbers(values):
            raise UserError(
                f"expected numbers in column {name!r} of {where}, found {reason}: "
                "convert it, or name the features with --columns (columns= in Python)"
            )


def text_of_numbers(values: Sequence[str]) -> str:
    """Why text is rather numbers, in a few words; empty where it is text.

    Example:
      >>> text_of_numbers(["1.5", "n/a", "2", "3"])
      "numbers written as text, and 'n/a' among them"
      >>> text_of_numbers(["1,5"]), text_of_numbers(["[0.1, 0.2]"])[:20]
      ("decimal commas, as in '1,5'", 'vectors written as t')
      >>> text_of_numbers(["red", "2"])
      ''
    """
    full = [value for value in values if value.strip()]
    if not full:
        return ""
    if sum(bool(_LISTLIKE.match(value)) for value in full) == len(full):
        return f"vectors written as text, as in {full[0][:20]!r}"
    numbers = [value for value in full if _PLAIN.fullmatch(value)]
    if 2 * len(numbers) <= len(full):
        return ""
    if commas := [value for value in numbers if "," in value]:
        return f"decimal commas, as in {commas[0]!r}"
    odd = next((value for value in full if not _PLAIN.fullmatch(value)), None)
    return "numbers written as text" + (
        "" if odd is None else f", and {odd[:20]!r} among them"
    )


def rows_of(columns: dict[str, Any], roles: Roles, where: str) -> np.ndarray:
    """The features out of the values of their columns.

    Args:
      columns: arrays of Arrow by name, those of `roles.features` among them.
      roles: of the table.
      where: what to call the table in a message.

    Returns:
      `[n, d]` in the type of the vectors, or the one that holds all columns. A missing
      number is NaN.

    Raises:
      UserError: vectors that are missing, or of several lengths.
    """
    if roles.vector:
        return vectors_of(columns[roles.features[0]], roles.features[0], where)
    arrays = [numbers_of(columns[name]) for name in roles.features]
    whole = np.empty((len(arrays[0]), len(arrays)), np.result_type(*arrays))
    for place, array in enumerate(arrays):
        whole[:, place] = array
    return whole


def ids_of(
    roles: Roles, read: Callable[[str], np.ndarray]
) -> tuple[np.ndarray | None, Roles]:
    """The ids of the rows, by the first column that tells all rows apart.

    A column that the caller named, and one called `id`, is taken as it is: what is
    wrong with it is for the caller to mend.

    Args:
      roles: of the table.
      read: the text of a column; it may raise `UserError`.

    Returns:
      The ids, str `[n]`, or None; and the roles with that column as the only one.
    """
    for name in roles.ids:
        if roles.ids_asked or row_name_rank(name) == 0:
            return read(name), roles.named_by(name)
        try:
            found = read(name)
        except UserError:
            found = None
        if found is not None and len(set(found.tolist())) == len(found):
            return found, roles.named_by(name)
        roles = roles._replace(left_out={**roles.left_out, name: REPEATS})
    return None, roles.named_by(None)

"""What a caller asks of a table's columns, and what the rule makes of them.

The rule itself is in `jaxsel.columns`.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from jaxsel.errors import UserError

NUMBER, VECTOR, TEXT, FLAG = "numbers", "a vector", "text", "true or false"
DATE, CATEGORY, OTHER = "dates", "categories", "no numbers"
NAMES, NUMBERS = "names the rows", "numbers the rows"
ANSWER, BESIDE, UNASKED = "an answer", "beside the features", "not asked for"
LISTED, _ENDS = 8, 3


class Column(NamedTuple):
    """A column of a table, as far as the rule looks at it.

    Attributes:
      name: of the column.
      kind: one of the constants above: NUMBER to OTHER.
      about: its type in the words of its library, for messages.
      is_index: the table says that the column is its index.
      is_class: the table says that the column holds classes.
    """

    name: str
    kind: str
    about: str = ""
    is_index: bool = False
    is_class: bool = False


class Asked(NamedTuple):
    """What a caller says of the columns; empty where nothing.

    Attributes:
      columns: the features, as columns of numbers or one column of vectors; a name may
        have the wildcards * and ?.
      features: the column of vectors, or what numbered columns begin with.
      ids: the column that names the rows.
    """

    columns: tuple[str, ...] = ()
    features: str = ""
    ids: str = ""

    def record(self) -> dict[str, Any]:
        """What was asked for, as JSON holds it; empty where nothing was."""
        told = {"columns": list(self.columns), "features": self.features}
        return {k: v for k, v in {**told, "ids": self.ids}.items() if v}

    @property
    def given(self) -> dict[str, Any]:
        """The same as the arguments of `asked_of`; None where nothing was asked for."""
        return {name: value or None for name, value in self._asdict().items()}


NOTHING = Asked()


class Roles(NamedTuple):
    """What the columns of a table are.

    Attributes:
      features: names, in order.
      vector: whether `features` is one column of vectors.
      ids: columns that may name the rows, the best first.
      ids_asked: whether the caller named that column.
      left_out: every other column with the reason, in the order of the table.
      chosen: whether the caller named the features.
    """

    features: tuple[str, ...]
    vector: bool
    ids: tuple[str, ...] = ()
    ids_asked: bool = False
    left_out: Mapping[str, str] = {}
    chosen: bool = False

    def named_by(self, ids: str | None) -> "Roles":
        """The same with the one column of ids that turned out to be usable."""
        return self._replace(ids=() if ids is None else (ids,))

    def sentence(self) -> str:
        """What was used and what was left out, in one line.

        Example:
          >>> print(Roles(("age",), False, left_out={"label": ANSWER}).sentence())
          1 feature (age); rows by number; left out: label (an answer)
        """
        count = "1 feature" if len(self.features) == 1 else ""
        count = count or f"{len(self.features):,} features"
        what = "features" if self.vector else count
        said = [f"{what} ({listed(self.features)})"]
        said.append(f"ids from {self.ids[0]!r}" if self.ids else "rows by number")
        reasons: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            if name not in self.ids:
                reasons.setdefault(reason, []).append(name)
        if reasons:
            parts = [f"{listed(names)} ({why})" for why, names in reasons.items()]
            said.append(f"left out: {', '.join(parts)}")
        return "; ".join(said)

    def record(self) -> dict[str, Any]:
        """The same as JSON holds it."""
        return {
            "features": list(self.features),
            "ids": self.ids[0] if self.ids else None,
            "left_out": dict(self.left_out),
        }


def asked_of(columns: Any = None, features: Any = None, ids: Any = None) -> Asked:
    """A caller's words about columns, checked.

    Args:
      columns: a name, or several.
      features: a name.
      ids: a name.

    Raises:
      UserError: no names, a name twice, or both `columns` and `features`.

    Example:
      >>> asked_of("age").columns
      ('age',)
    """
    if isinstance(columns, str):
        columns = [columns]
    if columns is not None and (
        not isinstance(columns, Iterable) or isinstance(columns, Mapping)
    ):
        raise UserError(f"expected columns as a list of names, found {columns!r}")
    names = () if columns is None else tuple(columns)
    for what, given in (("features", features), ("ids", ids)):
        if given is not None and not (isinstance(given, str) and given):
            raise UserError(
                f"expected the name of a column for {what}, found {given!r}"
            )
    odd = [name for name in names if not isinstance(name, str)]
    if odd or (columns is not None and not names):
        found = repr(odd[0]) if odd else "none"
        raise UserError(f"expected columns as a list of names, found {found}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"expected each column once, found {twice!r} twice")
    if names and features:
        raise UserError(
            "expected columns or features, found both: features is one column of "
            "vectors, columns are columns of numbers"
        )
    return Asked(names, features or "", ids or "")


def split_names(text: str) -> list[str]:
    """Names out of `a,b,"c,d"`, as the command line has them.

    Example:
      >>> split_names('a, b,"c,d"')
      ['a', 'b', 'c,d']
    """
    found = next(csv.reader([text], skipinitialspace=True), [])
    return [name.strip() for name in found if name.strip()]


def listed(names: Sequence[str]) -> str:
    """Names in a few words: of many, the first and the last.

    Example:
      >>> listed([f"x{k}" for k in range(128)])
      'x0, x1, x2, … x127'
    """
    if len(names) <= LISTED:
        return ", ".join(names)
    return f"{', '.join(names[:_ENDS])}, … {names[-1]}"

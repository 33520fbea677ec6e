"""Which columns of a table are features, which name its rows, and which are neither.

One rule for tables of every kind: CSV, parquet, `.npz`, pandas, polars and Arrow. It
looks at names and types; of values it asks one thing, whether they number the rows.

1. A column that names rows (`id`, `file_name`, `Unnamed: 0`, an index of pandas: see
   `column_names`), numbers them, or holds answers (`label`, `target`, `split`) is no
   feature.
2. A column of vectors is the features: the one called `embedding` or the like, else
   the only one. Other columns are left out beside it.
3. Without vectors, numbered columns called `embedding_0`, `embedding_1`, … are a
   vector, and other columns are left out beside them.
4. Else all columns of numbers are the features, numbered or not. Text, dates,
   categories and true-or-false are left out.

A caller may name the columns of features, or the column of ids, and is then obeyed.
"""

import difflib
import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from jaxsel.column_names import is_answer, is_spread, row_name_rank, vector_rank
from jaxsel.errors import UserError
from jaxsel.roles import (
    ANSWER,
    BESIDE,
    CATEGORY,
    FLAG,
    LISTED,
    NAMES,
    NOTHING,
    NUMBER,
    NUMBERS,
    OTHER,
    TEXT,
    UNASKED,
    VECTOR,
    Asked,
    Column,
    Roles,
    listed,
)  # fmt: skip

_NUMBERED = re.compile(r"(.*?)(\d+)", re.DOTALL)


def roles_of(
    columns: Sequence[Column],
    asked: Asked = NOTHING,
    *,
    where: str = "the table",
    numbers_rows: Callable[[str], bool] = lambda name: False,
) -> Roles:
    """Applies the rule of this module.

    A column called `y` is an answer, unless `x` stands beside it: then the two are
    coordinates. The same holds of `y1`, `y2` beside `x1`, `x2`.

    Args:
      columns: all of the table.
      asked: what the caller said.
      where: what to call the table in a message.
      numbers_rows: whether the values of a column of numbers are 0, 1, 2, … or
        1, 2, 3, … in the order of the rows; asked of columns that would be features.

    Returns:
      Roles.

    Raises:
      UserError: a name twice, a name that is not there, or that it is not clear which
        columns are the features.
    """
    _check_names(columns, where)
    by_name = {column.name: column for column in columns}
    out = {name: why for name, why in _not_features(columns).items()}
    ids, ids_asked = _ids(columns, by_name, asked, where)
    if asked.columns or asked.features:
        chosen = _asked_features(by_name, asked, where)
        vector = by_name[chosen[0]].kind == VECTOR
        others = {n: out.get(n, UNASKED) for n in by_name if n not in chosen}
        return Roles(chosen, vector, ids, ids_asked, others, True)
    free = [column for column in columns if column.name not in out]
    if asked.ids:
        free = [column for column in free if column.name != asked.ids]
        out.setdefault(asked.ids, NAMES)
    vector_name = _vector_of(free, where)
    if vector_name is not None:
        chosen = (vector_name,)
    else:
        numbers = [column.name for column in free if column.kind == NUMBER]
        chosen = _spread(numbers, where) or tuple(numbers)
        out |= {name: NUMBERS for name in chosen if numbers_rows(name)}
        chosen = tuple(name for name in chosen if name not in out)
    if not chosen:
        raise UserError(_nothing_left(columns, out, where))
    for column in free:
        if column.name not in chosen:
            beside = column.kind in (NUMBER, VECTOR)
            out.setdefault(column.name, BESIDE if beside else column.kind)
    order = {name: out[name] for name in by_name if name in out}
    return Roles(chosen, vector_name is not None, ids, ids_asked, order)


def _check_names(columns: Sequence[Column], where: str) -> None:
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise UserError(
                f"expected columns of different names in {where}, found "
                f"{column.name!r} twice: rename or drop columns"
            )
        seen.add(column.name)


def _not_features(columns: Sequence[Column]) -> dict[str, str]:
    """Columns that are no features by what they are called, with the reason."""
    numbered: dict[str, set[str]] = {"x": set(), "y": set()}
    for column in columns:
        if match := re.fullmatch(r"([xy])_?(\d*)", column.name.lower()):
            numbered[match[1]].add(match[2])
    coordinates = numbered["x"] == numbered["y"]
    found: dict[str, str] = {}
    for column in columns:
        lone_y = re.fullmatch(r"y_?\d*", column.name.lower()) and not coordinates
        if column.is_class or is_answer(column.name) or lone_y:
            found[column.name] = ANSWER
        elif column.is_index:
            found[column.name] = NAMES
        elif row_name_rank(column.name) is not None:
            # A vector that is called `image` is one all the same.
            if column.kind not in (VECTOR, FLAG, OTHER):
                found[column.name] = NAMES
    return found


def _ids(
    columns: Sequence[Column], by_name: Mapping[str, Column], asked: Asked, where: str
) -> tuple[tuple[str, ...], bool]:
    """Columns that may name the rows, the best first."""
    if asked.ids:
        return (_known(asked.ids, by_name, where),), True
    ranked: list[tuple[int, str]] = []
    levels = sum(column.is_index for column in columns)
    for column in columns:
        rank = row_name_rank(column.name)
        if rank is None and column.kind == TEXT:  # `images`, but no number of `cases`
            rank = row_name_rank(column.name.removesuffix("s"))
        if column.is_index and levels == 1:
            most = 5 if column.kind == NUMBER else 2
            rank = most if rank is None else min(rank, most)
        if rank is None or column.kind in (VECTOR, FLAG, OTHER):
            continue
        if (
            column.is_class
            or is_answer(column.name)
            or (column.is_index and levels > 1)
        ):
            continue
        ranked.append((rank, column.name))
    ranked.sort(key=lambda one: one[0])
    best = [name for rank, name in ranked if rank == 0]
    if len(best) > 1:
        raise UserError(
            f"expected one column of ids in {where}, found {' and '.join(best)}: "
            "choose one with --ids (ids= in Python), or drop the others"
        )
    return tuple(name for _, name in ranked), False


def _asked_features(
    by_name: Mapping[str, Column], asked: Asked, where: str
) -> tuple[str, ...]:
    names: list[str] = []
    if asked.features:
        family = _family(asked.features, by_name)
        if asked.features in by_name:
            names = [asked.features]
        elif family:
            names = family
        else:
            _known(asked.features, by_name, where)
    for name in asked.columns:
        if name not in by_name and set(name) & set("*?"):
            more = [n for n in by_name if fnmatch.fnmatchcase(n, name)]
            names += [n for n in more if n not in names] or [name]
        elif name not in names:
            names.append(name)
    kinds = {by_name[_known(name, by_name, where)].kind for name in names}
    if kinds == {VECTOR} and len(names) == 1:
        return tuple(names)
    bad = [by_name[n] for n in names if by_name[n].kind not in (NUMBER, FLAG)]
    if asked.features and asked.features in by_name and not bad:
        raise UserError(
            f"expected a column of vectors as features in {where}, found that "
            f"{asked.features!r} holds {by_name[names[0]].kind}: name columns of "
            "numbers with --columns (columns= in Python)"
        )
    if bad:
        raise UserError(
            f"expected columns of numbers, or one column of vectors, as features of "
            f"{where}, found {bad[0].name!r} with {_kind_in_words(bad[0])}: convert "
            "it, or choose others"
        )
    return tuple(names)


def _kind_in_words(column: Column) -> str:
    return f"{column.kind} ({column.about})" if column.about else column.kind


def _known(name: str, by_name: Mapping[str, Column], where: str) -> str:
    if name in by_name:
        return name
    near = difflib.get_close_matches(name, by_name, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise UserError(
        f"expected a column {name!r} in {where}, found {listed(list(by_name))}{hint}"
    )


def _vector_of(free: Sequence[Column], where: str) -> str | None:
    """The one column of vectors that is the features; None where there is none."""
    ranked = [(vector_rank(c.name), c) for c in free]
    for rank, column in ranked:
        if rank == 0 and column.kind in (TEXT, OTHER, CATEGORY):
            raise UserError(
                f"expected lists of numbers in column {column.name!r} of {where}, "
                f"found {_kind_in_words(column)}: write one list of numbers a row, "
                "all of one length, as parquet holds them"
            )
    vectors = [(rank, c.name) for rank, c in ranked if c.kind == VECTOR]
    if not vectors:
        return None
    least = min(rank for rank, _ in vectors)
    best = [name for rank, name in vectors if rank == least]
    if least == 3:
        if any(column.kind == NUMBER for column in free):
            return None
        raise UserError(
            f"expected a column of vectors called embedding or the like in {where}, "
            f"found {' and '.join(map(repr, best))}: choose one with --features "
            "(features= in Python)"
        )
    if len(best) > 1:
        raise UserError(
            f"expected one column of vectors in {where}, found "
            f"{' and '.join(map(repr, best))}: choose one with --features (features= "
            "in Python), or drop the others"
        )
    return best[0]


def _family(prefix: str, names: Iterable[str]) -> list[str]:
    """Columns called alike but for a number, by that number."""
    found: dict[int, str] = {}
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match and match[1] in (prefix, prefix + "_"):
            found[int(match[2])] = name
    return [found[number] for number in sorted(found)]


def _spread(numbers: Sequence[str], where: str) -> tuple[str, ...]:
    """Columns that are a vector, one number a column; empty where there are none."""
    prefixes: list[str] = []
    for name in numbers:
        match = _NUMBERED.fullmatch(name)
        if match and match[1] not in prefixes and is_spread(match[1]):
            prefixes.append(match[1])
    families = {prefix: _family(prefix, numbers) for prefix in prefixes}
    long = {prefix: found for prefix, found in families.items() if len(found) > 1}
    if len(long) > 1:
        raise UserError(
            f"expected one series of numbered columns in {where}, found those of "
            f"{' and '.join(map(repr, sorted(long)))}: choose one with --features "
            "(features= in Python), or drop the others"
        )
    return tuple(next(iter(long.values()), ()))


def _nothing_left(columns: Sequence[Column], out: Mapping[str, str], where: str) -> str:
    found = [
        f"{c.name!r} ({out.get(c.name) or _kind_in_words(c)})" for c in columns
    ] or ["no column"]
    more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return (
        f"expected a column of vectors or columns of numbers as features in {where}, "
        f"found {', '.join(found[:LISTED])}{more}: choose columns with --columns "
        "(columns= in Python)"
    )

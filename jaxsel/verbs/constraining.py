"""Constraints from the command line: columns of a table, files of ids, numbers."""

import csv
import dataclasses
import io
import math
import pathlib
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxsel.annotation.cells import from_cell
from jaxsel.annotation.tables import text_of
from jaxsel.doctor.finding import counted
from jaxsel.errors import UserError
from jaxsel.selection.constraints import Constraints
from jaxsel.sources.source import Source
from jaxsel.verbs.labelled import read_labelled

FOLDER = "folder"
_ID = ("id", "path")


class Limits(NamedTuple):
    """Constraints as they were asked for: plain values that a round's file can hold.

    Attributes:
      table: a CSV with a row for every row of the pool, by its column `id` or `path`.
      groups: the column with the group of each row, or "folder".
      per_group: the most labels of a group.
      strata: the column with the stratum of each row, or "folder".
      quotas: the fewest labels of each stratum.
      cost: the column with the cost of each label.
      funds: the most that all picks may cost.
      min_distance: the least distance between two picks, rows at length 1.
      include, exclude: ids.
    """

    table: str = ""
    groups: str = ""
    per_group: int | None = None
    strata: str = ""
    quotas: Mapping[str, int] = {}
    cost: str = ""
    funds: float | None = None
    min_distance: float | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked for, by name; empty without constraints."""
        told = {name: value for name, value in self._asdict().items() if value}
        told.pop("table", None)
        return told


def limits_of(told: Mapping[str, Any]) -> Limits:
    """Limits out of the values of a round's file."""
    known = {name: told[name] for name in Limits._fields if name in told}
    for name in ("include", "exclude"):
        known[name] = tuple(known.get(name, ()))
    return Limits(**known)


def ids_in(file: pathlib.Path | None, source: Source) -> tuple[str, ...]:
    """The ids of the rows that a file names, ids one a line or an .npy of indices."""
    if file is None:
        return ()
    return tuple(str(source.ids[row]) for row in read_labelled(file, source.ids))


def quotas_of(words: Collection[str]) -> dict[str, int]:
    """Quotas out of words like `lung=30`.

    Raises:
      UserError: a word of another form, or a stratum named twice.

    Example:
      >>> quotas_of(["a=b=2", "c=10"])
      {'a=b': 2, 'c': 10}
    """
    found: dict[str, int] = {}
    for word in words:
        name, equals, number = word.rpartition("=")
        if not equals or not name or not number.isdecimal():
            raise UserError(f"expected --quota NAME=NUMBER, as lung=30, found {word!r}")
        if name in found:
            raise UserError(f"expected one --quota a stratum, found {name!r} twice")
        found[name] = int(number)
    return found


def constraints_of(limits: Limits, source: Source) -> Constraints | None:
    """Constraints on the rows of a source; None where nothing is asked for.

    Args:
      limits: what is asked for.
      source: the pool.

    Raises:
      UserError: options that go together are not given together, or a table without
        a column or a row that is needed.
    """
    _check_pairs(limits)
    if not limits.asked:
        return None
    columns = [c for c in (limits.groups, limits.strata, limits.cost) if c]
    table = _columns(limits, source, columns)
    row_of = {str(name): row for row, name in enumerate(source.ids.tolist())}
    costs = None
    if limits.cost:
        costs = np.array([_cost(value, limits.cost) for value in table[limits.cost]])

    def rows_of(names: tuple[str, ...]) -> np.ndarray | None:
        return np.array([row_of[name] for name in names]) if names else None

    return Constraints(
        include=rows_of(limits.include),
        exclude=rows_of(limits.exclude),
        groups=np.array(table[limits.groups]) if limits.groups else None,
        per_group=limits.per_group,
        strata=np.array(table[limits.strata]) if limits.strata else None,
        quotas=dict(limits.quotas) or None,
        min_distance=limits.min_distance,
        costs=costs,
        funds=limits.funds,
    )


def constraints_after(
    limits: Limits, source: Source, staying: Collection[int], known: Collection[int]
) -> Constraints | None:
    """Constraints on what is picked beside earlier picks, which were paid from the
    same funds.

    Args:
      limits: on all picks together.
      source: the pool.
      staying: rows picked before.
      known: those, and rows with labels.
    """
    wanted = constraints_of(limits, source)
    if wanted is None:
        return None
    include = wanted.include
    if include is not None:
        include = include[~np.isin(include, list(known))]
    funds = wanted.funds
    if wanted.costs is not None and funds is not None:
        funds -= float(wanted.costs[list(staying)].sum())
        if funds <= 0:
            raise UserError(
                f"expected funds beyond the cost of the {len(staying)} earlier picks, "
                f"found {limits.funds:g}: they are the funds of all rounds together"
            )
    return dataclasses.replace(wanted, include=include, funds=funds)


def affordable(limits: Limits, source: Source) -> int:
    """The most labels that the funds can pay for: so many of the cheapest."""
    wanted = constraints_of(limits, source)
    assert wanted is not None and wanted.funds is not None
    return int(np.sum(np.cumsum(np.sort(wanted.costs)) <= wanted.funds))


def in_words(limits: Limits, heeded: Mapping[str, Any]) -> dict[str, str]:
    """Constraints and what came of them, a few words each, by a short name.

    Example:
      >>> in_words(Limits(groups="patient", per_group=2), {})
      {'groups': 'at most 2 labels for each patient'}
    """
    said: dict[str, str] = {}
    if limits.include:
        said["included"] = f"{len(limits.include):,} rows that had to be picked"
    if limits.exclude:
        said["excluded"] = f"{len(limits.exclude):,} rows that could not be picked"
    if limits.groups:
        most = counted(limits.per_group or 0, "label")
        said["groups"] = f"at most {most} for each {limits.groups}"
    if limits.quotas:
        listed = ", ".join(f"{name} {least}" for name, least in limits.quotas.items())
        said["quotas"] = f"at least, by {limits.strata}: {listed}"
    if limits.min_distance:
        said["distance"] = f"at least {limits.min_distance:g} between two picks"
    if limits.funds:
        said["costs"] = f"by {limits.cost}, at most {limits.funds:g}"
        if "spent" in heeded:
            said["costs"] += f"; the new picks cost {heeded['spent']:g}"
    return said


def _check_pairs(limits: Limits) -> None:
    pairs = (
        ("--groups", bool(limits.groups), "--max-per-group", limits.per_group),
        ("--strata", bool(limits.strata), "--quota", limits.quotas or None),
        ("--cost", bool(limits.cost), "--funds", limits.funds),
    )
    for one, given, other, value in pairs:
        if given != (value is not None):
            raise UserError(
                f"expected {one} and {other} together, found "
                f"{one if given else other} alone: give both or neither"
            )


def _columns(limits: Limits, source: Source, wanted: list[str]) -> dict[str, list[str]]:
    """The wanted columns, a value for every row of the pool in its order."""
    found: dict[str, list[str]] = {}
    if FOLDER in wanted and source.paths is not None:
        found[FOLDER] = [name.rpartition("/")[0] for name in source.ids.tolist()]
    missing = [name for name in wanted if name not in found]
    if not missing:
        return found
    if not limits.table:
        hint = '; of an image folder, "folder" is a column without a table'
        raise UserError(
            f"expected --table FILE.csv with the column {missing[0]!r}, found none"
            + (hint if source.paths is not None else "")
        )
    return {**found, **_read(pathlib.Path(limits.table), source, missing)}


def _read(
    file: pathlib.Path, source: Source, wanted: list[str]
) -> dict[str, list[str]]:
    reader = csv.DictReader(io.StringIO(text_of(file, "a table"), newline=""))
    header = reader.fieldnames or []
    key = next((name for name in _ID if name in header), None)
    absent = [name for name in wanted if name not in header]
    if key is None or absent:
        lacks = f"column {absent[0]!r}" if absent else "column 'id' or 'path'"
        raise UserError(
            f"{file}: expected the {lacks}, found {', '.join(map(repr, header))}"
        )
    row_of = {str(name): row for row, name in enumerate(source.ids.tolist())}
    values: dict[str, list[str | None]] = {
        name: [None] * len(row_of) for name in wanted
    }
    for line in reader:
        name = line[key] or ""
        # Our own tables guard ids that a spreadsheet would take for formulas.
        row = row_of.get(name, row_of.get(from_cell(name)))
        if row is None:
            continue  # an image that cannot be read, or one that is not of this pool
        for column in wanted:
            if values[column][row] is not None:
                raise UserError(
                    f"{file}, line {reader.line_num}: expected each {key} once, found "
                    f"{name!r} again"
                )
            values[column][row] = line[column] or ""
    found: dict[str, list[str]] = {}
    for column, cells in values.items():
        empty = [str(source.ids[row]) for row, cell in enumerate(cells) if not cell]
        if empty:
            raise UserError(
                f"{file}: expected a value in column {column!r} for every row of the "
                f"pool, found none for {len(empty)} of {len(cells)} (first: "
                f"{empty[0]!r}); name what is unknown, as 'unknown'"
            )
        found[column] = [cell for cell in cells if cell is not None]
    return found


def _cost(value: str, column: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise UserError(f"expected costs above 0 in column {column!r}, found {value!r}")
    return number

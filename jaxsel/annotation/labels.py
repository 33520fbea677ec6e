"""`labels.csv`: what came back from annotation; `unusable` is a word of its own."""

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from jaxsel.annotation.picks import Pick
from jaxsel.annotation.tables import (
    parse_table,
    refuse_repeats,
    table_text,
    text_of,
)
from jaxsel.errors import UserError, listed, quoted, shortened
from jaxsel.files import write_text


class Mark(enum.Enum):
    """What an annotator says instead of a label."""

    UNUSABLE = "unusable"


UNUSABLE = Mark.UNUSABLE
Label = str | Mark


class LabelRow(NamedTuple):
    """One annotated row of the pool.

    Attributes:
      id: its name in the pool.
      index: its row of the pool, from 0, when the label was read: a pool that grows
        moves rows, so `id` is what counts.
      label: a class's name, or `unusable`, which no class may be called.
    """

    id: str
    index: int  # type: ignore[assignment]  # hides tuple.index
    label: str


def label_of(
    names: Iterable[str],
    where: str,
    unusable: Collection[str] = (UNUSABLE.value,),
    separator: str | None = None,
) -> Label | None:
    """One label out of the names that an annotator gave an item.

    Args:
      names: class names, repeats allowed (the boxes of one image).
      where: the item, for the message.
      unusable: names that mean that the item can not be used, in capitals or not; one
        is enough. `unusable` itself is always among them.
      separator: put between several different names; `None` refuses them.

    Returns:
      The label, `UNUSABLE`, or `None` where nothing was said.

    Raises:
      UserError: several different names, and no separator or one that is part of a
        name.

    Example:
      >>> label_of(["cat", "cat"], "a.png"), label_of(["cat", "unusable"], "a.png")
      ('cat', <Mark.UNUSABLE: 'unusable'>)
    """
    distinct = sorted({name.strip() for name in names} - {""})
    words = {word.casefold() for word in (*unusable, UNUSABLE.value)}
    if any(name.casefold() in words for name in distinct):
        return UNUSABLE
    if len(distinct) > 1 and separator is None:
        raise UserError(
            f"{where}: expected one label, found "
            f"{shortened(', '.join(map(shortened, distinct)))}; label each item once, "
            "or give a separator to keep several"
        )
    if len(distinct) > 1 and any(str(separator) in name for name in distinct):
        raise UserError(
            f"{where}: expected a separator that no class contains, found "
            f"{quoted(separator)} in {shortened(', '.join(map(shortened, distinct)))}; "
            "give another separator"
        )
    return (separator or "").join(distinct) or None


def rows_of(labels: Mapping[str, Label], picks: Sequence[Pick]) -> list[LabelRow]:
    """Labels as rows, in pick order.

    Args:
      labels: by id, each of a pick.
      picks: where the ids' rows of the pool stand.

    Raises:
      UserError: ids that are not among the picks; both counts and the first are named.
    """
    known = {pick.id for pick in picks}
    strangers = [name for name in labels if name not in known]
    refuse_strangers(strangers, len(labels), len(known), "labels")
    ordered = sorted(picks, key=lambda pick: pick.rank)
    chosen = [pick for pick in ordered if pick.id in labels]
    return [LabelRow(pick.id, pick.index, word_of(labels[pick.id])) for pick in chosen]


def labels_of(rows: Iterable[LabelRow]) -> dict[str, Label]:
    """Labels by id; the word `unusable` is `UNUSABLE`.

    Example:
      >>> labels_of([LabelRow("a", 0, "cat"), LabelRow("b", 3, "unusable")])
      {'a': 'cat', 'b': <Mark.UNUSABLE: 'unusable'>}
    """
    word = UNUSABLE.value
    return {row.id: UNUSABLE if row.label == word else row.label for row in rows}


def word_of(label: Label) -> str:
    """How a label is written."""
    return label.value if isinstance(label, Mark) else label


def refuse_strangers(
    strangers: Sequence[str], found: int, known: int, source: str
) -> None:
    """Every name that was found means a pick.

    Args:
      strangers: the names that mean none.
      found: how many names there were in all.
      known: how many picks there are.
      source: what to call the file in a message.

    Raises:
      UserError: there are strangers; the first few and both counts are named.
    """
    if strangers:
        raise UserError(
            f"{source}: expected ids of the {known} picks, found {len(strangers)} of "
            f"{found} that are not among them ({listed(strangers)}); give the "
            "picks.csv that was exported, or mend the ids"
        )


def labels_text(rows: Sequence[LabelRow]) -> str:
    r"""Rows as the text of `labels.csv`.

    Raises:
      UserError: an empty id or label, a negative index, or an id twice.

    Example:
      >>> labels_text([LabelRow("a", 0, "cat")])
      'id,index,label\na,0,cat\n'
    """
    _check(list(enumerate(rows, start=2)), "labels")
    return table_text(LabelRow, rows)


def parse_labels(text: str, source: str) -> list[LabelRow]:
    """Rows out of the text of `labels.csv`, in file order.

    Args:
      text: as `labels_text` writes it.
      source: what to call the file in a message.

    Raises:
      UserError: a header, a line or a cell that is wrong, or an id twice; the file
        and the line are named.
    """
    lines = parse_table(text, LabelRow, source)
    _check(lines, source)
    return [row for _, row in lines]


def _check(lines: Sequence[tuple[int, LabelRow]], source: str) -> None:
    for line, row in lines:
        if not (row.id and row.label and row.index >= 0):
            raise UserError(
                f"{source}, line {line}: expected an id, an index of at least 0 and a "
                f"label, found {quoted(tuple(row))}; mend or delete the line"
            )
    # Two rows may have had one number, before and after their pool has grown.
    refuse_repeats(lines, ("id",), source)


def read_labels(path: Path) -> list[LabelRow]:
    """Reads `labels.csv`.

    Raises:
      UserError: the file cannot be read, or as `parse_labels`.
    """
    return parse_labels(text_of(path, "labels"), str(path))


def write_labels(path: Path, rows: Sequence[LabelRow]) -> None:
    """Replaces `labels.csv`, whole or not at all.

    Raises:
      UserError: as `labels_text`.
    """
    write_text(path, labels_text(rows))


def merged(
    earlier: Sequence[LabelRow], new: Sequence[LabelRow], *, replace: bool = False
) -> list[LabelRow]:
    """Labels of an earlier file with those of a new one behind them.

    Args:
      earlier: what was known; keeps its order.
      new: what came back since; may repeat what was known.
      replace: whether a new label stands for an earlier one that differs.

    Raises:
      UserError: labels that differ, unless `replace`; or an id whose row of the pool
        differs: that is another pool (`renumbering` is for one that has grown). The
        first few are named.

    Example:
      >>> merged([LabelRow("a", 0, "cat")], [LabelRow("b", 4, "dog")])
      [LabelRow(id='a', index=0, label='cat'), LabelRow(id='b', index=4, label='dog')]
    """
    known = {row.id: row for row in earlier}
    moved = []
    for row in new:
        same = known.get(row.id)
        if (same or row).index != row.index:
            moved.append(f"{quoted(row.id)} at row {row.index}")
    if moved:
        raise UserError(
            f"expected labels of one pool, found {len(moved)} of {len(new)} where id "
            f"and row disagree with the earlier labels ({'; '.join(moved[:5])}); give "
            "the labels of the same pool"
        )
    other = changes(earlier, new)
    if other and not replace:
        words = [
            f"{quoted(name)}: {shortened(was)} before, {shortened(now)} now"
            for name, was, now in other[:5]
        ]
        raise UserError(
            f"expected labels that agree with the earlier ones, found {len(other)} "
            f"of {len(new)} that differ ({'; '.join(words)}); mend one of the two, or "
            "let the new ones replace the earlier ones by --replace (replace=True)"
        )
    return list((known | {row.id: row for row in new}).values())


def changes(
    earlier: Iterable[LabelRow], new: Iterable[LabelRow]
) -> list[tuple[str, str, str]]:
    """Ids whose label differs between two lists, with the label before and now.

    Example:
      >>> changes([LabelRow("a", 0, "cat")], [LabelRow("a", 0, "dog")])
      [('a', 'cat', 'dog')]
    """
    known = {row.id: row.label for row in earlier}
    return [
        (row.id, known[row.id], row.label)
        for row in new
        if known.get(row.id, row.label) != row.label
    ]

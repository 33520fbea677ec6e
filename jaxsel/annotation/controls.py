"""Which of several controls holds the label, and what the others are counted as.

A control is whatever a tool lets people answer with under a name of its own: a control
tag of Label Studio, a field of FiftyOne, a column of a table.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jaxsel.annotation.answers import Answer
from jaxsel.annotation.options import ImportOptions
from jaxsel.errors import UserError, listed, quoted, shortened


class Holds(enum.Enum):
    """What a control gives."""

    CLASS = "class"  # a choice among names or numbers
    TEXT = "text"  # free words: a label only where nothing else is, or by name
    NOTHING = "nothing"  # no single class: an order, a relation, an outline


class Result(NamedTuple):
    """One answer to one control.

    Attributes:
      control: its name; empty where it has none.
      kind: the tool's word for what it is.
      holds: what such a control gives.
      classes: the names that were given.
      without: how many parts of the answer name no class.
    """

    control: str
    kind: str
    holds: Holds
    classes: tuple[str, ...]
    without: int = 0


class Item(NamedTuple):
    """What one annotator answered to all controls of one item; as in `Answer`."""

    name: str
    results: tuple[Result, ...]
    where: str
    skipped: bool = False


def answers_to(
    items: Sequence[Item], options: ImportOptions, source: str
) -> tuple[list[Answer], Counter[str]]:
    """The answers to the control that holds the label.

    That is the one of `options.control`; else the only one that gives classes; else the
    only one that gives text.

    Args:
      items: of the whole file.
      options: `control` is used.
      source: what to call the file in a message.

    Returns:
      An answer for each item, and what was left out.

    Raises:
      UserError: no item has that control, or it gives no class; or there are several
        controls and none was named.
    """
    results = [one for item in items for one in item.results]
    wanted = holding_label(results, options.controls, source)
    given = []
    left_out: Counter[str] = Counter()
    for item in items:
        classes: list[str] = []
        for one in item.results:
            if one.holds is Holds.NOTHING:
                left_out[f"{_named(one)}, which names no class"] += 1
            elif one.control not in wanted:
                left_out[f"{_named(one)}, as another control was read"] += 1
            else:
                classes += one.classes
                if one.without:
                    left_out[f"{_named(one)} without a class"] += one.without
        given.append(Answer(item.name, tuple(classes), item.where, item.skipped))
    return given, left_out


def _named(one: Result) -> str:
    kind = shortened(one.kind)
    return f"{kind} of {quoted(one.control)}" if one.control else kind


def holding_label(
    results: Sequence[Result], asked: Sequence[str], source: str
) -> set[str]:
    """The controls that hold the label, as `answers_to` chooses them."""
    if not results:
        return set(asked)
    known = {one.control for one in results if one.control}
    able = {one.control for one in results if one.holds is not Holds.NOTHING}
    for name in asked:
        if name not in known:
            raise UserError(
                f"{source}: expected a control of the file, found {quoted(name)}, "
                f"which no item has: it has {listed(sorted(known)) or 'none'}; give "
                "one of these with --control"
            )
        if name not in able:
            kinds = sorted({one.kind for one in results if one.control == name})
            raise UserError(
                f"{source}: expected a control that names a class, found "
                f"{quoted(name)}, which holds {', '.join(kinds)}; give another of "
                f"{listed(sorted(able)) or 'none'} with --control"
            )
    if asked:
        return set(asked)
    for holds in (Holds.CLASS, Holds.TEXT):
        found = {one.control for one in results if one.holds is holds}
        if len(found) > 1:
            raise UserError(
                f"{source}: expected one control with labels, found "
                f"{_names(found)}; say which one holds the label with --control"
            )
        if found:
            return found
    return set()


def _names(controls: Iterable[str]) -> str:
    return shortened(", ".join(shortened(name, 60) for name in sorted(controls)), 600)

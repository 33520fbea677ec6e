"""What annotators said of each item, and the one label of a pick that follows.

Every reader of a tool's export returns `Answers`: what it found, and a count of what it
left out by reason. `settled` makes labels of them. So each annotation in a file either
counts towards a label or is named in a sentence.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from jaxsel.annotation.labels import UNUSABLE, Label, label_of, word_of
from jaxsel.annotation.names import meant_by
from jaxsel.annotation.options import DISAGREE, ImportOptions
from jaxsel.annotation.picks import Pick
from jaxsel.errors import UserError, listed, quoted, shortened

_MOST = 10  # disagreements that a sentence lists


class Answer(NamedTuple):
    """What one annotator said of one item.

    Attributes:
      name: what the tool calls the item.
      classes: the names given to it; none where it was looked at and left open.
      where: the place in the file, for a message.
      skipped: whether the annotator said that it cannot be answered.
    """

    name: str
    classes: tuple[str, ...]
    where: str
    skipped: bool = False


class Answers(NamedTuple):
    """What a file says.

    Attributes:
      given: in the file's order.
      left_out: how often something in the file gave no class, by what it was, which is
        a noun in the singular ("region without a class").
      stems: whether names stand without the extension of the file.
      notes: sentences on what the format cannot say.
    """

    given: Sequence[Answer]
    left_out: Counter[str]
    stems: bool = False
    notes: tuple[str, ...] = ()


class Disagreement(NamedTuple):
    """A pick whose annotators gave different labels.

    Attributes:
      id: of the pick.
      labels: each label and how many gave it, in the file's order.
      taken: the label that counts; `None` where the pick stays open.
    """

    id: str
    labels: dict[str, int]
    taken: str | None


class Imported(NamedTuple):
    """Labels out of a file, and what else is to be said of it.

    Attributes:
      labels: by id of the pick; picks that nobody labelled are not there.
      left_out: as in `Answers`.
      guessed: as in `names.Meant`.
      disagreements: in the file's order.
      notes: as in `Answers`.
    """

    labels: dict[str, Label]
    left_out: dict[str, int]
    guessed: dict[str, str]
    disagreements: tuple[Disagreement, ...]
    notes: tuple[str, ...] = ()


def settled(
    answers: Answers, picks: Sequence[Pick], options: ImportOptions, source: str
) -> Imported:
    """One label a pick.

    Args:
      answers: what the file says.
      picks: what was exported.
      options: `unusable`, `separator` and `disagree` are used.
      source: what to call the file in a message.

    Returns:
      Labels in the file's order. A pick that somebody skipped and nobody labelled is
      unusable.

    Raises:
      UserError: names that are no picks; several classes in one answer and no
        separator; or answers that differ, unless `options.disagree` says what counts.

    Example:
      >>> picks = [Pick(1, "a", "", 3, None, 9)]
      >>> both = Answers([Answer("a", ("cat",), "f"), Answer("a", (), "f")], Counter())
      >>> settled(both, picks, ImportOptions(), "f").labels
      {'a': 'cat'}
    """
    if options.disagree not in (None, *DISAGREE):
        raise UserError(
            f"expected disagree to be one of {', '.join(DISAGREE)}, found "
            f"{quoted(options.disagree)}"
        )
    said: list[tuple[Answer, Label | None]] = []
    for one in answers.given:
        label = None
        if not one.skipped:
            label = label_of(
                one.classes, one.where, options.unusable, options.separator
            )
        if label is not None or one.skipped:
            said.append((one, label))
    meant = meant_by((one.name for one, _ in said), picks, source, stems=answers.stems)
    votes: dict[str, list[Label]] = {}
    skips: Counter[str] = Counter()
    for one, label in said:
        known = votes.setdefault(meant.ids[one.name], [])
        if label is None:
            skips[meant.ids[one.name]] += 1
        else:
            known.append(label)
    labels: dict[str, Label] = {}
    left_out = Counter(answers.left_out)
    disagreements = []
    for known_id, given in votes.items():
        if not given:
            labels[known_id] = UNUSABLE
            continue
        left_out["skipped annotation of a pick that has another"] += skips[known_id]
        taken = _taken(given, options.disagree)
        if len(set(given)) > 1:
            counts = Counter(word_of(label) for label in given)
            word = None if taken is None else word_of(taken)
            disagreements.append(Disagreement(known_id, dict(counts), word))
        if taken is not None:
            labels[known_id] = taken
    if disagreements and options.disagree is None:
        raise UserError(_refusal(disagreements, source))
    return Imported(
        labels,
        {what: count for what, count in left_out.items() if count},
        meant.guessed,
        tuple(disagreements),
        answers.notes,
    )


def _taken(given: Sequence[Label], disagree: str | None) -> Label | None:
    """The label that counts of one or more."""
    if len(set(given)) == 1 or disagree == "first":
        return given[0]
    if disagree == "majority":
        (top, most), (_, second) = Counter(given).most_common(2)
        return top if most > second else None
    return None


def _refusal(found: Sequence[Disagreement], source: str) -> str:
    first = found[0]
    words = " and ".join(shortened(word) for word in first.labels)
    return (
        f"{source}: expected one label for {quoted(first.id)}, found {words}; "
        f"annotators disagree on {len(found):,} "
        f"pick{'s' if len(found) > 1 else ''} "
        f"({listed(one.id for one in found)}): keep one answer for each, or say which "
        f"counts by --disagree {', '.join(DISAGREE[:-1])} or {DISAGREE[-1]}"
    )


def sentences(found: Imported) -> list[str]:
    """What a person is to know of an import besides its labels.

    Example:
      >>> sentences(Imported({}, {"region without a class": 2}, {}, ()))
      ['Left out: 2 × region without a class.']
    """
    lines = list(found.notes)
    if found.left_out:
        parts = (f"{count:,} × {what}" for what, count in found.left_out.items())
        lines.append(f"Left out: {'; '.join(parts)}.")
    if found.guessed:
        pairs = [
            f"{quoted(name)} is {quoted(known)}"
            for name, known in found.guessed.items()
        ]
        lines.append(
            f"{_count(len(pairs), 'name')} spelt otherwise than exported: "
            f"{_first(pairs)}."
        )
    if found.disagreements:
        each = [_words_of(one) for one in found.disagreements]
        lines.append(
            f"Annotators disagree on {_count(len(each), 'pick')}: {_first(each)}."
        )
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _first(parts: Sequence[str]) -> str:
    more = len(parts) - _MOST
    return "; ".join(parts[:_MOST]) + (f"; and {more:,} more" if more > 0 else "")


def _words_of(one: Disagreement) -> str:
    given = ", ".join(f"{shortened(word)} {k}" for word, k in one.labels.items())
    taken = "left open" if one.taken is None else f"taken as {shortened(one.taken)}"
    return f"{quoted(one.id)} ({given}) is {taken}"

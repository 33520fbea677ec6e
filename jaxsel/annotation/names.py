"""What a tool calls a pick, and which pick a tool means by a name."""

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

from jaxsel.annotation.cells import escape, unescape
from jaxsel.annotation.labels import Label, refuse_strangers, word_of
from jaxsel.annotation.picks import Pick
from jaxsel.errors import UserError

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 80


def columns_of(pick: Pick) -> dict[str, Any]:
    r"""What a pick carries through a tool that keeps columns of its own.

    The id is escaped, since databases behind the tools take no control characters.

    Example:
      >>> columns_of(Pick(1, "a", "a.png", 3, 0.5, 9))["jaxsel_rank"]
      1
    """
    return {
        "jaxsel_rank": int(pick.rank),
        "jaxsel_id": escape(pick.id),
        "jaxsel_gain": None if pick.gain is None else float(pick.gain),
        "jaxsel_represents": int(pick.represents),
    }


def link_names(picks: Sequence[Pick]) -> list[str]:
    """File names that sort in pick order: the rank with zeros before it, then the name.

    Args:
      picks: each with a path.

    Returns:
      One name a pick, of letters, digits, `.`, `_` and `-` alone, all different.

    Example:
      >>> link_names([Pick(1, "x", "scans/left eye.png", 3, None, 9)])
      ['000001_left_eye.png']
    """
    width = max([6, *(len(str(pick.rank)) for pick in picks)])
    return [f"{pick.rank:0{width}d}_{_safe(pick.path)}" for pick in picks]


def _safe(path: str) -> str:
    """The end of a path in characters that every file system and tool takes."""
    stem, extension = os.path.splitext(os.path.basename(path))
    return _UNSAFE.sub("_", stem)[:_LONGEST] + _UNSAFE.sub("_", extension)


def matched(
    found: Iterable[tuple[str, Label]], picks: Sequence[Pick], source: str
) -> dict[str, Label]:
    """Labels by the id of the pick that each name means.

    A name means the pick with that id, as exported (escaped) or as it is; else the pick
    with that path, that link (`link_names`) or that file name, where only one has it.

    Args:
      found: names as the tool gives them, and labels; a name may come again.
      picks: what was exported.
      source: what to call the file in a message.

    Raises:
      UserError: names that mean no pick or several, the first few named; or two labels
        for one pick that differ.

    Example:
      >>> picks = [Pick(1, "a", "scans/a.png", 3, None, 9)]
      >>> matched([("000001_a.png", "cat")], picks, "f")
      {'a': 'cat'}
    """
    exact = {escape(pick.id): pick.id for pick in picks}
    loose: dict[str, set[str]] = {}
    for pick, link in zip(picks, link_names(picks), strict=True):
        for name in {pick.id, pick.path, link, os.path.basename(pick.path)} - {""}:
            loose.setdefault(name, set()).add(pick.id)
    labels: dict[str, Label] = {}
    strangers: list[str] = []
    several: list[str] = []
    total = 0
    for name, label in found:
        total += 1
        meant = {exact[name]} if name in exact else _meant_by(name, loose)
        if len(meant) != 1:
            (several if meant else strangers).append(name)
            continue
        (known,) = meant
        if labels.setdefault(known, label) != label:
            raise UserError(
                f"{source}: expected one label for {name!r}, found "
                f"{word_of(labels[known])} and {word_of(label)}; keep one of them"
            )
    if several:
        raise UserError(
            f"{source}: expected names that mean one pick each, found {len(several)} "
            f"of {total} that several share ({', '.join(map(repr, several[:5]))}); "
            "export again under names that are unique"
        )
    refuse_strangers(strangers, total, len(picks), source)
    return labels


def _meant_by(name: str, loose: dict[str, set[str]]) -> set[str]:
    """The ids that a name may mean, as it is or else with escapes undone."""
    if name in loose:
        return loose[name]
    try:
        return loose.get(unescape(name), set())
    except ValueError:
        return set()

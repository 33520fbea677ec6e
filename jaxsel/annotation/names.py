"""What a tool calls a pick, and which pick a tool means by a name."""

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from jaxsel.annotation.cells import escape
from jaxsel.annotation.labels import refuse_strangers
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.spelling import (
    Parts,
    ends_alike,
    parts_of,
    readings_of,
    without_extension,
)
from jaxsel.errors import UserError, listed, quoted

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


class Meant(NamedTuple):
    """Which picks the names of a file mean.

    Attributes:
      ids: the id of a pick by each name.
      guessed: names that are spelt unlike the pick's id, path and link, by name the id
        of the pick that alone can be meant.
    """

    ids: dict[str, str]
    guessed: dict[str, str]


def meant_by(
    names: Iterable[str],
    picks: Sequence[Pick],
    source: str,
    *,
    stems: bool = False,
) -> Meant:
    """Which pick each name means, where it can mean one alone.

    The first of these that any pick fits decides: the id as exported (escaped); the id,
    the path or the link (`link_names`) as they are; one of them in another spelling
    (`spelling.readings_of`); one of them with folders before it, or without some of its
    own.

    Args:
      names: as the tool gives them; repeats allowed.
      picks: what was exported.
      source: what to call the file in a message.
      stems: whether names stand without the extension of the file.

    Raises:
      UserError: names that mean no pick, or that several picks fit, or different names
        that only one pick fits; the first few are named.

    Example:
      >>> picks = [Pick(1, "a", "scans/a.png", 3, None, 9)]
      >>> meant_by(["upload/000001_a.png"], picks, "f").guessed
      {'upload/000001_a.png': 'a'}
    """
    index = _Index(picks, stems)
    ids: dict[str, str] = {}
    guessed: dict[str, str] = {}
    strangers: list[str] = []
    several: list[str] = []
    distinct = list(dict.fromkeys(names))
    for name in distinct:
        found, exact = index.find(name)
        if len(found) == 1:
            (ids[name],) = found
            if not exact:
                guessed[name] = ids[name]
        elif found:
            several.append(f"{quoted(name)} ({listed(sorted(found))})")
        else:
            strangers.append(name)
    if several:
        raise UserError(
            f"{source}: expected names that mean one pick each, found {len(several)} "
            f"of {len(distinct)} that several share: {'; '.join(several[:5])}; "
            "export again under names that are unique"
        )
    refuse_strangers(strangers, len(distinct), len(picks), source)
    _refuse_rivals(ids, guessed, source)
    return Meant(ids, guessed)


class _Index:
    """Picks by everything that a name of theirs may be, from strict to loose."""

    def __init__(self, picks: Sequence[Pick], stems: bool) -> None:
        self._escaped = {escape(pick.id): {pick.id} for pick in picks}
        self._exact: dict[str, set[str]] = {}
        self._spelt: dict[Parts, set[str]] = {}
        self._by_file: dict[str, set[tuple[Parts, str]]] = {}
        for pick, link in zip(picks, link_names(picks), strict=True):
            for name in {pick.id, pick.path, link} - {""}:
                self._exact.setdefault(name, set()).add(pick.id)
                for parts in readings_of(name):
                    self._add(parts, pick.id)
                    if stems:
                        self._add(without_extension(parts), pick.id)

    def _add(self, parts: Parts, known: str) -> None:
        self._spelt.setdefault(parts, set()).add(known)
        self._by_file.setdefault(parts[-1], set()).add((parts, known))

    def find(self, name: str) -> tuple[set[str], bool]:
        """The ids that a name may mean, and whether it is spelt as one of them."""
        for strict in (self._escaped, self._exact):
            if found := strict.get(name):
                return found, True
        readings = readings_of(name)
        for reading in readings:
            found = (found or set()) | self._spelt.get(reading, set())
        if found:
            return found, False
        return {
            known
            for reading in readings
            for parts, known in self._by_file.get(reading[-1], ())
            if ends_alike(parts, reading)
        }, False


def _refuse_rivals(ids: dict[str, str], guessed: dict[str, str], source: str) -> None:
    """Two names that differ are two items, even where one pick alone fits both."""
    names_of: dict[str, list[str]] = {}
    for name, known in ids.items():
        names_of.setdefault(known, []).append(name)
    for name, known in guessed.items():
        for other in names_of[known]:
            if parts_of(other) != parts_of(name):
                raise UserError(
                    f"{source}: expected one name for each pick, found {quoted(name)} "
                    f"and {quoted(other)}, which both can mean {quoted(known)} alone; "
                    "give the items the ids that were exported"
                )

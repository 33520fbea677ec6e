"""The picks of a round in pick order: a contact sheet of images, or a table."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from jaxsel.report.thumbnail import LARGEST_SIDE, image_of, thumbnail

SIDE = 128  # pixels of a thumbnail; drawn at 104, so that it is sharp on fine screens
_DRAWN = 104
MOST_TILES = 400
MOST_ROWS = 500
MOST_BYTES = 2_200_000  # of all thumbnails
_STATES = {"new": "", "kept": "picked before", "unusable": "unusable"}


class ShownPick(NamedTuple):
    """One pick.

    Attributes:
      rank: 1 for the first.
      id: its name; any text.
      index: its row of the pool.
      gain: in the method's measure, where it has one.
      represents: the rows of the pool that are nearest to it.
      state: "new", "kept" (of an earlier round) or "unusable".
    """

    rank: int
    id: str
    index: int  # type: ignore[assignment]  # hides tuple.index
    gain: float | None
    represents: int
    state: str = "new"


def pick_sheet(picks: Sequence[ShownPick], images: Mapping[int, np.ndarray]) -> str:
    """A tile a pick: its image, rank, name, and how many images it stands for.

    Args:
      picks: by rank.
      images: by row of the pool, uint8 `[h, w]` or `[h, w, c]`; of the first
        `MOST_TILES` picks at least.

    Returns:
      HTML; cut where all thumbnails would pass `MOST_BYTES`.

    Raises:
      UserError: an image is missing or is none.
    """
    tiles, size = list[str](), 0
    most = max((pick.represents for pick in picks), default=1)
    for pick in picks[:MOST_TILES]:
        uri, side = thumbnail(image_of(images, pick.index), SIDE)
        size += len(uri)
        if size > MOST_BYTES and tiles:
            break
        tiles.append(_tile(pick, uri, side, most))
    cut = _cut(len(tiles), len(picks), "images")
    return f'{cut}<ol class="picks">{"".join(tiles)}</ol>'


def pick_table(picks: Sequence[ShownPick]) -> str:
    """A row a pick, where there are no images.

    Args:
      picks: by rank.

    Returns:
      HTML; the first `MOST_ROWS`.

    >>> "<td>2.5</td>" in pick_table([ShownPick(1, "a", 3, 2.5, 9)])
    True
    """
    most = max((pick.represents for pick in picks), default=1)
    gains = any(pick.gain is not None for pick in picks)
    named = any(pick.id != str(pick.index) for pick in picks)
    body = []
    for pick in picks[:MOST_ROWS]:
        gain = "" if pick.gain is None else f"{pick.gain:.4g}".replace("-", "−")
        body.append(
            f'<tr class="{pick.state}"><th scope="row">{pick.rank}</th>'
            f'<td class="who">{escape(shown(pick.id))}{_badge(pick)}</td>'
            + (f"<td>{pick.index:,}</td>" if named else "")
            + f'<td class="bar">{pick.represents:,}{_bar(pick.represents, most)}</td>'
            + (f"<td>{gain}</td>" if gains else "")
            + "</tr>"
        )
    name, row = ("id", '<th scope="col">row</th>') if named else ("row", "")
    last = '<th scope="col">gain</th>' if gains else ""
    return (
        f"{_cut(len(body), len(picks), 'rows')}"
        '<div class="wide tall"><table class="picks"><caption>Stands for: rows of the '
        "pool that are nearest to this pick.</caption><thead><tr>"
        f'<th scope="col">rank</th><th scope="col" class="who">{name}</th>{row}'
        f'<th scope="col">stands for</th>{last}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def shown(name: str) -> str:
    """A name on one line, with control characters escaped, that UTF-8 can write.

    >>> shown("a\\nb"), shown("caf\\udce9")
    ("'a\\\\nb'", "'caf\\\\udce9'")
    """
    return name if name.isprintable() else repr(name)


def _tile(pick: ShownPick, uri: str, side: int, most: int) -> str:
    name = shown(pick.id)
    told = f"{name}, row {pick.index:,}"
    if pick.gain is not None:
        told += f", gain {pick.gain:.4g}"
    # Whole multiples keep the pixels of small images square and even.
    small = side <= LARGEST_SIDE
    width = max(1, _DRAWN // side) * side if small else _DRAWN
    kind = ' class="small"' if small else ""
    shape = "width" if small else "max-width"
    label = escape(_short(name)).replace("/", "/<wbr>")
    return (
        f'<li class="{pick.state}" title="{escape(told, quote=True)}">'
        f'<div class="frame"><img{kind} src="{uri}" '
        f'alt="pick {pick.rank}: {escape(name, quote=True)}" '
        f'style="{shape}:{width}px">{_badge(pick)}</div>'
        f'<div class="who"><b>{pick.rank}</b> {label}</div>'
        f'<div class="for">{_bar(pick.represents, most)}for {pick.represents:,}</div>'
        "</li>"
    )


def _badge(pick: ShownPick) -> str:
    words = _STATES[pick.state]
    return f'<span class="badge">{words}</span>' if words else ""


def _bar(value: int, most: int) -> str:
    width = 100 * value / max(1, most)
    return f'<i class="share"><i style="width:{width:.0f}%"></i></i>'


def _short(name: str, most: int = 44) -> str:
    """A long name's end, which tells images of one folder apart."""
    return name if len(name) <= most else f"…{name[1 - most :]}"


def _cut(shown_picks: int, all_picks: int, noun: str) -> str:
    if shown_picks == all_picks:
        return ""
    return (
        f'<p class="note">The first {shown_picks:,} of {all_picks:,} {noun}; '
        "picks.csv has all of them.</p>"
    )

"""The contact sheet: what each method chose, image by image, in the order of picks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from jaxsel.evaluation.picks import Pick
from jaxsel.report.palette import in_order, method_style
from jaxsel.report.thumbnail import image_of, thumbnail

MOST_A_METHOD = 60
MOST_BYTES = 2_200_000  # of all thumbnails in the page


def sheet_budget(picks: Iterable[Pick]) -> int | None:
    """The budget to show: the largest whose picks all fit, else the smallest.

    >>> sheet_budget([Pick("norm", b, 0, 0, 3, "x", 1) for b in (10, 40, 500)])
    40
    """
    budgets = sorted({pick.budget for pick in picks})
    fitting = [budget for budget in budgets if budget <= MOST_A_METHOD]
    return fitting[-1] if fitting else (budgets[0] if budgets else None)


def first_seed_picks(picks: Iterable[Pick], budget: int) -> dict[str, list[Pick]]:
    """By method, the picks at a budget of that method's first seed, by rank.

    Args:
      picks: rows of `selections.csv`.
      budget: the budget to look at.

    Returns:
      The methods in the order of the palette, each with at least one pick.
    """
    by_run: dict[tuple[str, int], list[Pick]] = defaultdict(list)
    for pick in picks:
        if pick.budget == budget:
            by_run[pick.method, pick.seed].append(pick)
    first = {
        method: min(seed for other, seed in by_run if other == method)
        for method in in_order(method for method, _ in by_run)
    }
    return {
        method: sorted(by_run[method, seed], key=lambda pick: pick.rank)
        for method, seed in first.items()
    }


def contact_sheet(
    chosen: Mapping[str, Sequence[Pick]],
    images: Mapping[int, np.ndarray] | np.ndarray,
    class_names: Sequence[str] = (),
) -> str:
    """The chosen images as HTML, a figure a method.

    Every method shows equally many of its first picks: at most `MOST_A_METHOD`,
    and fewer when the thumbnails of all methods would pass `MOST_BYTES`.

    Args:
      chosen: by method, its picks by rank (`first_seed_picks`).
      images: `images[pick.index]` is uint8 `[h, w]` or `[h, w, c]`, c one of
        1, 3 or 4; the whole pool (it may be memory-mapped) or a mapping that
        holds at least the chosen rows.
      class_names: the name of each label; without one, its number is shown.

    Returns:
      The HTML of the figures; empty when nothing was chosen.

    Raises:
      UserError: an image is missing or is not of that form.
    """
    encoded: dict[int, tuple[str, int]] = {}
    for picks in chosen.values():
        for pick in picks[:MOST_A_METHOD]:
            if pick.index not in encoded:
                encoded[pick.index] = thumbnail(image_of(images, pick.index))
    shown = _how_many(chosen, {index: len(uri) for index, (uri, _) in encoded.items()})

    figures = []
    for method, picks in chosen.items():
        tiles = []
        for pick in picks[:shown]:
            uri, side = encoded[pick.index]
            label = str(pick.label)
            if pick.label < len(class_names):
                label = class_names[pick.label]
            tiles.append(_tile(pick, escape(label, quote=True), uri, side))
        classes = len({pick.label for pick in picks})
        note = f"{len(picks)} picks from {_count(classes, 'class', 'classes')}"
        if shown < len(picks):
            note += f"; the first {shown} are shown"
        figures.append(
            f'<figure class="sheet"><figcaption>'
            f'<span class="swatch" style="background:{method_style(method).colour}">'
            f"</span><strong>{escape(method)}</strong> "
            f'<span class="note">seed {picks[0].seed}; {note}</span></figcaption>'
            f"<ol>{''.join(tiles)}</ol></figure>"
        )
    return "\n".join(figures)


def _tile(pick: Pick, label: str, uri: str, side: int) -> str:
    """One image with its rank (from 1, as people count) and its label, escaped."""
    rank = pick.rank + 1
    identity = escape(f"id {pick.id}", quote=True)
    # Whole multiples keep the pixels of small images square and even.
    size = max(1, round(56 / side)) * side if side < 56 else 56
    return (
        f'<li title="{identity}"><img src="{uri}" alt="pick {rank}: {label}" '
        f'style="width:{size}px"><span class="rank">{rank}.</span> {label}</li>'
    )


def _how_many(chosen: Mapping[str, Sequence[Pick]], sizes: Mapping[int, int]) -> int:
    """The largest common number of picks whose thumbnails stay within the bytes."""
    total, shown = 0, 0
    longest = max((len(picks) for picks in chosen.values()), default=0)
    for rank in range(min(longest, MOST_A_METHOD)):
        total += sum(
            sizes[picks[rank].index] for picks in chosen.values() if rank < len(picks)
        )
        if total > MOST_BYTES and shown:
            break
        shown = rank + 1
    return shown


def _count(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"

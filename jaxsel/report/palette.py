"""One fixed colour, marker and dash pattern a method, in every figure and table.

The single methods wear the eight colours of Okabe and Ito (2008), which people
with the common colour deficiencies tell apart; a two-stage method wears a dark
or light shade of its first stage and a dashed line. Markers and dashes repeat
the distinction for a print without colours.
"""

import zlib
from collections.abc import Iterable
from typing import NamedTuple


class Style(NamedTuple):
    """How a method is drawn."""

    colour: str  # "#rrggbb"
    marker: str  # Matplotlib's name
    dashes: str  # Matplotlib's line style


# In the order of legends and tables: the baseline, the paper's two, the others.
STYLES: dict[str, Style] = {
    "random": Style("#6b6b6b", "o", "-"),
    "norm": Style("#d55e00", "s", "-"),
    "gram_schmidt": Style("#0072b2", "D", "-"),
    "probcover": Style("#009e73", "^", "-"),
    "probcover+norm": Style("#00573f", "^", "--"),
    "probcover+gs": Style("#5fd3b0", "^", "-."),
    "probcover+random": Style("#7fa89a", "^", ":"),
    "typiclust": Style("#cc79a7", "v", "-"),
    "typiclust+norm": Style("#7d2f5c", "v", "--"),
    "typiclust+gs": Style("#e9b3d0", "v", "-."),
    "typiclust+random": Style("#a0808f", "v", ":"),
    "k_center": Style("#e69f00", "P", "-"),
    "max_herding": Style("#56b4e9", "X", "-"),
}

# Variants of a method, as "norm_l1": by how much its own colour is mixed with white, or
# with black where below 0, and the dashes. The marker is the method's.
VARIANTS: dict[str, tuple[float, str]] = {
    "l1": (0.45, "-."),
    "linf": (-0.45, ":"),
    "max": (-0.3, ":"),
    "input": (0.3, "--"),
    "75": (0.3, ":"),
}

_OTHER_COLOURS = ("#000000", "#8c510a", "#4d4dff", "#b8860b", "#7b3294", "#556b2f")
_OTHER_MARKERS = ("*", "p", "h", "<", ">", "d", "8")
_OTHER_DASHES = ("--", "-.", ":")


def method_style(method: str) -> Style:
    """The style of a method; a label not in `STYLES` gets one from its checksum.

    The same label has the same style in every figure and on every machine,
    whatever else is drawn beside it.

    >>> method_style("random")
    Style(colour='#6b6b6b', marker='o', dashes='-')
    """
    if method in STYLES:
        return STYLES[method]
    base, _, variant = method.rpartition("_")
    if base in STYLES and variant in VARIANTS:
        shade, dashes = VARIANTS[variant]
        style = STYLES[base]
        return Style(_mixed(style.colour, shade), style.marker, dashes)
    code = zlib.crc32(method.encode())
    code, colour = divmod(code, len(_OTHER_COLOURS))
    code, marker = divmod(code, len(_OTHER_MARKERS))
    return Style(
        _OTHER_COLOURS[colour],
        _OTHER_MARKERS[marker],
        _OTHER_DASHES[code % len(_OTHER_DASHES)],
    )


def _mixed(colour: str, shade: float) -> str:
    """A colour mixed with white (shade above 0) or black.

    >>> _mixed("#808080", 0.5), _mixed("#808080", -0.5)
    ('#c0c0c0', '#404040')
    """
    end = 255 if shade > 0 else 0
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    mixed = (round(part + abs(shade) * (end - part)) for part in parts)
    return "#" + "".join(f"{part:02x}" for part in mixed)


def in_order(methods: Iterable[str]) -> list[str]:
    """The distinct methods: those of `STYLES` in its order, each with its variants
    after it, then the others by name.

    >>> in_order(["zebra", "norm", "random", "norm"])
    ['random', 'norm', 'zebra']
    """
    rank = {method: place for place, method in enumerate(STYLES)}

    def place(method: str) -> int:
        base, _, variant = method.rpartition("_")
        known = base if variant in VARIANTS and method not in rank else method
        return rank.get(known, len(rank))

    return sorted(set(methods), key=lambda method: (place(method), method))

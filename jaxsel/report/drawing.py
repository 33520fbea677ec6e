"""A Matplotlib figure as PNG bytes, or as SVG that can stand inside an HTML page."""

import io
import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def png_bytes(figure: "Figure") -> bytes:
    """The figure as a PNG file, at its own resolution.

    The same figure gives the same bytes: no date and no program's name in it.

    Args:
      figure: what to draw.

    Returns:
      The file's bytes.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def svg_bytes(figure: "Figure") -> bytes:
    """The figure as an SVG file; the same figure gives the same bytes.

    Args:
      figure: what to draw.

    Returns:
      The file's bytes.
    """
    import matplotlib

    buffer = io.BytesIO()
    # Salted ids and glyph outlines: the same text on every machine, no font needed.
    with matplotlib.rc_context({"svg.hashsalt": "jaxsel", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def inline_svg(figure: "Figure", *, name: str, description: str) -> str:
    """The figure as one `<svg>` element for an HTML page.

    HTML knows the namespaces of SVG by itself, so the element names no address
    at all; its ids begin with `name`, so that several figures share a page.

    Args:
      figure: what to draw.
      name: letters and hyphens, different for every figure of the page.
      description: what a person who cannot see the figure should know.

    Returns:
      The element's text.
    """
    import matplotlib

    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    # Salted ids and glyph outlines: the same text on every machine, no font needed.
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r"\n\s*", "\n", text)
    label = escape(description, quote=True)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1).strip()

"""The frame of a page that needs no other file: a head, a heading, sections."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from jaxsel.report.stylesheet import STYLESHEET

# Even if a name slipped through unescaped: nothing is fetched and nothing runs.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Part(NamedTuple):
    """One section.

    Attributes:
      name: its anchor, letters and hyphens.
      heading: plain text.
      content: HTML; a section without any is left out.
    """

    name: str
    heading: str
    content: str


def document(title: str, intro: str, parts: Sequence[Part], styles: str = "") -> str:
    """One self-contained HTML document, with links to its sections.

    Args:
      title: plain text.
      intro: HTML between the heading and the links.
      parts: the sections.
      styles: CSS beside that of every page.

    Returns:
      The document's text.

    Example:
      >>> document("a < b", "", [Part("x", "X", "<p>x</p>")]).splitlines()[5]
      '<title>jaxsel: a &lt; b</title>'
    """
    shown = [part for part in parts if part.content]
    links = "".join(
        f'<a href="#{part.name}">{escape(part.heading)}</a>' for part in shown
    )
    body = "\n".join(
        f'<section id="{part.name}"><h2>{escape(part.heading)}</h2>\n'
        f"{part.content}</section>"
        for part in shown
    )
    sheet = f"{STYLESHEET}\n{styles}".strip()
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>jaxsel: {escape(title)}</title>\n"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<style>\n{sheet}\n</style>\n</head>\n"
        f"<body>\n<header><h1>{escape(title)}</h1>\n{intro}\n"
        f"<nav>{links}</nav></header>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )

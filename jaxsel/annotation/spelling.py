r"""What a name may mean: the same file is spelt in many ways.

Windows writes `wells\b.png`, a Mac decomposes the umlaut of `größe.png`, a web server
asks for `a%20b.png`, and tools put `./`, a folder or `https://host/` before a path.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from urllib.parse import unquote

from jaxsel.annotation.cells import unescape

Parts = tuple[str, ...]
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_QUERY = re.compile(r"[?&]d=([^&]*)")


def parts_of(name: str) -> Parts:
    r"""The parts of a path in one spelling: composed, without `.`, `..` and blanks.

    Args:
      name: a path with `/` or `\` between its parts, absolute or not; blanks around a
        part are dropped.

    Example:
      >>> parts_of(".\\wells/../wells/b.png")
      ('wells', 'b.png')
    """
    text = unicodedata.normalize("NFC", name).replace("\\", "/")
    parts: list[str] = []
    for part in map(str.strip, text.split("/")):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return tuple(parts)


def readings_of(name: str) -> set[Parts]:
    r"""All that a name can stand for, each as `parts_of` has it.

    A name is read as it stands; with the escapes of `cells.escape` undone; with `%20`
    and the like undone; without a scheme and a query; and as the `d` of Label Studio's
    `/data/local-files/?d=`.

    Example:
      >>> sorted(readings_of("a%20b.png"))
      [('a b.png',), ('a%20b.png',)]
    """
    texts = {name}
    if "\\" in name:
        try:
            texts.add(unescape(name))
        except ValueError:
            pass  # no escape of ours
    for text in tuple(texts):
        if scheme := _SCHEME.match(text):
            texts.add(re.split("[?#]", text[scheme.end() :])[0])
        if query := _QUERY.search(text):
            texts.add(query[1])
    texts |= {unquote(text, errors="surrogateescape") for text in texts if "%" in text}
    return {parts for text in texts if (parts := parts_of(text))}


def respelt(names: Collection[str], ids: Iterable[str]) -> dict[str, set[str]]:
    """Ids that are names in another spelling.

    Args:
      names: few, which are no ids as they stand.
      ids: may be many.

    Returns:
      For every name the ids that share a reading with it; none, one or several.

    Example:
      >>> respelt(["./a.png", "b.png"], ["a.png", "c.png"])
      {'./a.png': {'a.png'}, 'b.png': set()}
    """
    wanted: dict[Parts, list[str]] = {}
    for name in names:
        for reading in readings_of(name):
            wanted.setdefault(reading, []).append(name)
    found: dict[str, set[str]] = {name: set() for name in names}
    for one in ids if wanted else ():
        for reading in readings_of(one):
            for name in wanted.get(reading, ()):
                found[name].add(one)
    return found


def ends_alike(one: Parts, other: Parts) -> bool:
    """Whether one of two paths is the other with folders before it."""
    short = min(len(one), len(other))
    return one[len(one) - short :] == other[len(other) - short :]


def without_extension(parts: Parts) -> Parts:
    """A path without the extension of its file.

    Example:
      >>> without_extension(("wells", "b.left.png"))
      ('wells', 'b.left')
    """
    stem, dot, _ = parts[-1].rpartition(".")
    return (*parts[:-1], stem) if dot and stem else parts

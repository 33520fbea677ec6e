r"""Text in a file that other programs open: reversible, one line, never a formula.

Two conventions, each undone by its reader:

- `escape` writes what is not plain text (control characters, line breaks, bytes of a
  file name that are no UTF-8) as `\n`, `\r`, `\t`, `\xNN` or `\uNNNN`, and a backslash
  as two. What remains is one line of valid UTF-8, and most ids stay as they are.
- `guard` puts an apostrophe before a cell that a spreadsheet would run as a formula, or
  that begins with an apostrophe already.

Sources: CWE-1236 and OWASP ASVS 5.0, 1.2.10 name the leading characters and the
apostrophe. Stricter than they ask: a formula behind spaces or quotes is guarded too,
and so is one behind a semicolon, which is where spreadsheets of many locales split.
"""

import re

# The full-width forms are formulas as well where spreadsheets are set to Chinese,
# Japanese or Korean.
_FORMULA = r"[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20]"
_GUARDED = re.compile(rf"'|{_FORMULA}")
_SPECIAL = re.compile(
    r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]" rf"|;(?={_FORMULA})"
)
_ESCAPED = re.compile(r"\\(\\|n|r|t|x[0-9a-f]{2}|u[0-9a-f]{4}|)")
_SHORT = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONG = {short[1:]: character for character, short in _SHORT.items()}


def escape(text: str) -> str:
    r"""Any text as one line of valid UTF-8; `unescape` undoes it.

    Args:
      text: anything a `str` can hold, lone surrogates included.

    Returns:
      The text without control characters, line breaks or surrogates.

    Example:
      >>> print(escape("scan 7\nleft.png"), escape("a\udcff"), escape("café.png"))
      scan 7\nleft.png a\udcff café.png
    """
    return _SPECIAL.sub(_escape_one, text)


def _escape_one(found: re.Match[str]) -> str:
    character = found[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def unescape(text: str) -> str:
    r"""What `escape` was given.

    Raises:
      ValueError: a backslash begins nothing that `escape` writes.

    Example:
      >>> unescape(escape("a\\b\n")) == "a\\b\n"
      True
    """
    return _ESCAPED.sub(_unescape_one, text)


def _unescape_one(found: re.Match[str]) -> str:
    code = found[1]
    if code in _LONG:
        return _LONG[code]
    if not code:
        raise ValueError("a backslash that begins no escape: write it twice")
    return chr(int(code[1:], 16))


def to_cell(text: str) -> str:
    r"""A text as it is written in a CSV file: escaped, and guarded against formulas.

    Example:
      >>> print(to_cell("=1+1.png"), to_cell("'quoted'"), to_cell("a-b.png"))
      '=1+1.png ''quoted' a-b.png
    """
    plain = escape(text)
    return "'" + plain if _GUARDED.match(plain) else plain


def from_cell(cell: str) -> str:
    """What `to_cell` was given.

    Raises:
      ValueError: as `unescape`.

    Example:
      >>> from_cell("'=1+1.png")
      '=1+1.png'
    """
    return unescape(cell.removeprefix("'"))

"""Mistakes a person can mend, faults that are ours, and how messages quote things."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

LONGEST_QUOTE = 200  # characters of one thing that is quoted
LONGEST_MESSAGE = 3000  # characters of a whole message


class UserError(ValueError):
    """What was expected, what was found and what to do, in one line.

    The command line prints the message and exits with code 2; libraries can
    catch it as the `ValueError` it is. A message longer than `LONGEST_MESSAGE`
    loses its middle, so that no file is ever quoted as a whole.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(shortened(str(message), LONGEST_MESSAGE))


def shortened(text: str, longest: int = LONGEST_QUOTE) -> str:
    """A text without its middle, where it is longer than a message may quote.

    Args:
      text: anything.
      longest: how many characters are kept, about three quarters of them in front.

    Returns:
      The text itself, or its beginning and its end with the number of characters
      that are missing between them.

    Example:
      >>> shortened("a word"), shortened("x" * 1000, 8)
      ('a word', 'xxxxxx … (992 more characters) … xx')
    """
    if len(text) <= longest:
        return text
    behind = longest // 4
    missing = len(text) - longest
    front, end = text[: longest - behind], text[len(text) - behind :]
    return f"{front} … ({missing:,} more characters) … {end}"


def quoted(value: Any, longest: int = LONGEST_QUOTE) -> str:
    """A value as a message quotes it: as a literal on one line, never a whole file.

    Args:
      value: what was found; a long text is cut before it is made a literal.
      longest: as for `shortened`.

    Example:
      >>> quoted("two\\nlines"), quoted(3), quoted("x" * 1000, 8)
      ("'two\\\\nlines'", '3', "'xxxxxx … (992 more characters) … xx'")
    """
    if isinstance(value, str):
        return repr(shortened(value, longest))
    return shortened(repr(value), longest)


def listed(values: Iterable[Any], most: int = 5) -> str:
    """The first few of several values, quoted, and how many more there are.

    Args:
      values: what was found.
      most: how many are quoted.

    Example:
      >>> listed(["a", "b"]), listed(range(7), most=2)
      ("'a', 'b'", '0, 1, … (5 more)')
    """
    rest = iter(values)
    first = [quoted(value) for value in islice(rest, most)]
    left = sum(1 for _ in rest)
    return ", ".join([*first, f"… ({left:,} more)"] if left else first)


class InternalError(RuntimeError):
    """A fault of jaxsel itself: something that it computed cannot be right.

    Nothing that a person gave is wrong, and no result is returned.
    """

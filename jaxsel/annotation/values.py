"""A value of JSON as the text of a label, where it is one."""

import math
from typing import Any


def text_of(value: Any) -> str | None:
    """A text or a number as a label; nothing where it is none.

    Whole numbers are written without a point, so that 4 and 4.0 are one class. `null`,
    an empty text, `true`, NaN, an infinity, a list and an object are no labels.

    Example:
      >>> text_of(" cat "), text_of(4.0), text_of(0.5), text_of(None), text_of("")
      ('cat', '4', '0.5', None, None)
    """
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return None
    return str(int(value)) if value.is_integer() else repr(value)


def name_of(value: Any) -> str | None:
    """What an item is called: as `text_of`, but a text keeps its blanks.

    Example:
      >>> name_of(" a.png"), name_of(7), name_of("")
      (' a.png', '7', None)
    """
    return (value or None) if isinstance(value, str) else text_of(value)

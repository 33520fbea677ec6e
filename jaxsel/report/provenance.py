"""What was run and on what: the manifest as tables."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any


def manifest_tables(manifest: Mapping[str, Any]) -> str:
    """The manifest as HTML: plain entries first, then a table a nested mapping.

    Args:
      manifest: what `manifest.json` holds: names to numbers, text, lists or
        further mappings.

    Returns:
      The HTML; every name and value is escaped.
    """
    plain = {
        name: value
        for name, value in manifest.items()
        if not isinstance(value, Mapping)
    }
    tables = [_table("run", plain)] if plain else []
    tables += [
        _table(name, dict(flattened(value)))
        for name, value in manifest.items()
        if isinstance(value, Mapping) and value
    ]
    return f'<div class="manifest">{"".join(tables)}</div>'


def flattened(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """The leaves of nested mappings under dotted names, in order.

    >>> flattened({"a": {"b": 1, "c": {"d": 2}}, "e": 3})
    [('a.b', 1), ('a.c.d', 2), ('e', 3)]
    """
    leaves: list[tuple[str, Any]] = []
    for name, value in mapping.items():
        if isinstance(value, Mapping) and value:
            leaves += flattened(value, f"{prefix}{name}.")
        else:
            leaves.append((f"{prefix}{name}", value))
    return leaves


def _table(title: str, entries: Mapping[str, Any]) -> str:
    """One table of names and values."""
    rows = "".join(
        f'<tr><th scope="row">{escape(str(name))}</th><td>{escape(_text(value))}</td>'
        "</tr>"
        for name, value in entries.items()
    )
    return f"<table><caption>{escape(title)}</caption><tbody>{rows}</tbody></table>"


def _text(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value) or "(none)"
    return json.dumps(value, default=str, ensure_ascii=False)

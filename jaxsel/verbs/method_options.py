"""`-O NAME=VALUE`: options of a method on the command line."""

import json
from collections.abc import Sequence
from typing import Any

import click

from jaxsel.errors import UserError

option_option = click.option(
    "-O",
    "--option",
    "words",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the method, as delta=0.4. Repeatable; a wrong one lists them.",
)


def options_of(words: Sequence[str]) -> dict[str, Any]:
    """Values out of words: numbers, true, false and null, or else text.

    Raises:
      UserError: a word without "=", or a name twice.

    Example:
      >>> options_of(["delta=0.4", "tie=random", "deterministic=true"])
      {'delta': 0.4, 'tie': 'random', 'deterministic': True}
    """
    given: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UserError(f"expected -O NAME=VALUE, as delta=0.4, found {word!r}")
        if name in given:
            raise UserError(f"expected -O {name}=… once, found it twice")
        try:
            given[name] = json.loads(value.lower())
        except ValueError:
            given[name] = value
    return given

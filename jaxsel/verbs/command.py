"""How every verb runs: one line for a mistake, code 2, and text or one JSON object."""

import json
import re
from collections.abc import Sequence
from typing import Any

import click

from jaxsel.errors import LONGEST_MESSAGE, UserError, shortened

MISTAKE = 2
STOPPED = 130
# What Python calls an option, where that is no ordinary word.
_OPTIONS = {
    "per_group": "--max-per-group",
    "min_distance": "--min-distance",
    "ignore_memory": "--ignore-memory",
    "n_classes": "-O n_classes",
}

as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object instead of text."
)


def run_verb(command: click.Command, words: Sequence[str]) -> int:
    """Runs a verb as a program would.

    Args:
      command: the verb; what it returns is its exit code, nothing is 0.
      words: those after the verb's name.

    Returns:
      The exit code: the verb's own; 2 after a mistake that one line on stderr
      explains; 130 when it was stopped by hand.
    """
    name = f"jaxsel {command.name}"
    try:
        code = command.main(list(words), prog_name=name, standalone_mode=False)
        return code or 0
    except (UserError, OSError) as error:
        message = str(error)
    except click.UsageError as error:
        message = f"{error.format_message()} See {name} --help."
    except (KeyboardInterrupt, click.Abort):
        click.echo("jaxsel: stopped; nothing was left half-written", err=True)
        return STOPPED
    say_mistake(message)
    return MISTAKE


def say_mistake(message: str) -> None:
    """Prints why nothing was done, on one line, with options as the verbs call them."""
    line = shortened(" ".join(message.split()), LONGEST_MESSAGE)
    for name, option in _OPTIONS.items():
        line = re.sub(rf"(?<![\w.-]){name}(?![\w.])", option, line)
    click.echo(f"jaxsel: {plain(line)}", err=True)


def say(as_json: bool, found: dict[str, Any], text: str) -> None:
    """Prints what was found: one JSON object, or text."""
    if as_json:
        click.echo(json.dumps(found, allow_nan=False))
    elif text:
        click.echo(printable(text))


def printable(text: str) -> str:
    """Text that UTF-8 can write: bytes of file names that are not are escaped.

    Example:
      >>> printable("caf\\udce9")
      'caf\\\\udce9'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def plain(line: str) -> str:
    """A line without characters that steer a terminal, which a file name may hold.

    Example:
      >>> plain("two\\x1b[31m.png")
      'two\\\\x1b[31m.png'
    """
    return "".join(
        character if character.isprintable() else repr(character)[1:-1]
        for character in printable(line)
    )


def shown(name: str) -> str:
    """A name on one line: with a newline or a control character in it, as a literal.

    Example:
      >>> shown("a b.png"), shown("two\\nlines")
      ('a b.png', "'two\\\\nlines'")
    """
    return name if name.isprintable() else repr(name)

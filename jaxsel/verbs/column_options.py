"""`--columns`, `--features`, `--ids`: what a table's columns are, and saying so."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from jaxsel.roles import Asked, Roles, asked_of, split_names
from jaxsel.verbs.command import shown

_OPTIONS = (
    click.option(
        "--columns",
        metavar="A,B,C",
        help="Of a table, the columns that are the features; * and ? are wildcards.",
    ),
    click.option(
        "--features",
        metavar="COLUMN",
        help="Of a table or an .npz, the column or array of vectors; of columns x0, "
        "x1, … the name x.",
    ),
    click.option(
        "--ids",
        metavar="COLUMN",
        help="Of a table or an .npz, the column or array that names the rows.",
    ),
)
CHOOSE = "--columns, --features and --ids choose otherwise"


def column_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a verb the options, by the names of the arguments of `asked_by`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asked_by(columns: str | None, features: str | None, ids: str | None) -> Asked:
    """What the options' values say.

    Raises:
      UserError: nothing between commas, a name twice, or both kinds of features.
    """
    names = None if columns is None else split_names(columns)
    return asked_of(names, features, ids)


def remembered(asked: Asked, options: Mapping[str, Any]) -> Asked:
    """What is asked for now, or else what an earlier round was asked for.

    Args:
      asked: of this round.
      options: of the earlier round.
    """
    if asked != Asked():
        return asked
    told = options.get("reading", {})
    return asked_of(told.get("columns"), told.get("features"), told.get("ids"))


def say_columns(roles: Roles | None, as_json: bool) -> None:
    """Says on stderr, in one line, what was read of a table."""
    if roles is not None and not as_json:
        click.echo(f"{shown(roles.sentence())}; {CHOOSE}", err=True)


def columns_found(roles: Roles | None) -> dict[str, Any] | None:
    """The same for JSON and for a manifest."""
    return None if roles is None else roles.record()

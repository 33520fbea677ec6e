"""The options of `jaxsel select` that say what may be picked together."""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import click

from jaxsel.sources.source import Source
from jaxsel.verbs.constraining import Limits, ids_in, quotas_of

_FILE = click.Path(path_type=pathlib.Path)
_POSITIVE = click.FloatRange(0, min_open=True)
_OPTIONS = (
    click.option("--include", type=_FILE, help="Ids to pick first: one a line."),
    click.option("--exclude", type=_FILE, help="Ids never to pick, but to cover."),
    click.option(
        "--table",
        type=_FILE,
        help="A CSV with the column id (or path) and those named below.",
    ),
    click.option(
        "--groups", help='Column of the patient, video, …; "folder" for images.'
    ),
    click.option("--max-per-group", "per_group", type=click.IntRange(1)),
    click.option("--strata", help="Column of the site, class, …, for --quota."),
    click.option(
        "--quota",
        "quotas",
        multiple=True,
        metavar="NAME=N",
        help="At least N labels of that stratum. Repeatable.",
    ),
    click.option("--cost", help="Column of what each label costs, for --funds."),
    click.option("--funds", type=_POSITIVE, help="The most that all picks may cost."),
    click.option(
        "--min-distance",
        type=_POSITIVE,
        help="Between two picks, of features at length 1: from 0, copies, to 2.",
    ),
)
NAMES = (
    "include", "exclude", "table", "groups", "per_group", "strata", "quotas", "cost",
    "funds", "min_distance",
)  # fmt: skip


def constraint_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a verb the options, which it gets by the names of `NAMES`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def limits_from(given: Mapping[str, Any], source: Source) -> Limits | None:
    """What was asked for; None where nothing was, so that an earlier round's stay.

    Args:
      given: the options' values, by the names of `NAMES`.
      source: the pool.
    """
    if not any(given[name] for name in NAMES):
        return None
    table = given["table"]
    return Limits(
        table=str(table.resolve()) if table else "",
        groups=given["groups"] or "",
        per_group=given["per_group"],
        strata=given["strata"] or "",
        quotas=quotas_of(given["quotas"]),
        cost=given["cost"] or "",
        funds=given["funds"],
        min_distance=given["min_distance"],
        include=ids_in(given["include"], source),
        exclude=ids_in(given["exclude"], source),
    )

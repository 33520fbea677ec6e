"""The options of `jaxsel select` that say what may be picked together."""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import click

from jaxsel.sources.source import Source
from jaxsel.verbs.constraining import Limits, ids_in, merged, quotas_of

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
    click.option(
        "--max-per-group",
        "per_group",
        type=click.IntRange(1),
        help="The most labels that each of --groups may have.",
    ),
    click.option("--strata", help="Column of the site, class, …, for --quota."),
    click.option(
        "--quota",
        "quotas",
        multiple=True,
        metavar="NAME=N",
        help="At least N labels of that stratum. Repeatable.",
    ),
    click.option("--cost", help="Column of what each label costs, for --funds."),
    click.option(
        "--funds",
        type=_POSITIVE,
        help="The most that all picks may cost, but for unusable ones.",
    ),
    click.option(
        "--min-distance",
        type=_POSITIVE,
        help="Between two picks, of features at length 1: from 0, copies, to 2.",
    ),
    click.option(
        "--drop-limits",
        is_flag=True,
        help="Forget the constraints of the round in --continue.",
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


def limits_from(
    given: Mapping[str, Any], source: Source, earlier: Limits | None
) -> Limits | None:
    """What was asked for, over what an earlier round was asked for.

    Args:
      given: the options' values, by the names of `NAMES`, and `drop_limits`.
      source: the pool.
      earlier: the limits of the round that this one goes on from.

    Returns:
      The limits; None where nothing is said of them.
    """
    asked = {name: given[name] for name in NAMES if given[name] not in (None, ())}
    if "table" in asked:
        asked["table"] = str(asked["table"].resolve())
    if "quotas" in asked:
        asked["quotas"] = quotas_of(asked["quotas"])
    for name in ("include", "exclude"):
        if name in asked:
            asked[name] = ids_in(asked[name], source)
    return merged(asked, earlier, drop=given["drop_limits"])

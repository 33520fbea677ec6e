"""`jaxsel backfill DIR --labels labels.csv`: other picks for those of no use."""

import os
import pathlib

import click

from jaxsel.annotation.labels import UNUSABLE
from jaxsel.doctor.finding import counted
from jaxsel.experiment.warm import keep_compiled
from jaxsel.roles import NOTHING
from jaxsel.sources.source import Source
from jaxsel.verbs import select as selecting
from jaxsel.verbs.column_options import remembered
from jaxsel.verbs.command import as_json_option, printable, say
from jaxsel.verbs.encoding import open_with_features
from jaxsel.verbs.growing import carried_over, gone, sentences_of
from jaxsel.verbs.labelled import read_labelled
from jaxsel.verbs.place import pool_place
from jaxsel.verbs.round_folder import Earlier, check_new, next_folder, read_folder
from jaxsel.verbs.rounds import Done, Wish, check_before_encoding, make_round


@click.command("backfill")
@click.argument("folder", type=click.Path(path_type=pathlib.Path))
@click.option(
    "--labels",
    type=click.Path(path_type=pathlib.Path),
    required=True,
    help="The labels.csv that jaxsel import wrote.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=pathlib.Path),
    help="The new round's folder; FOLDER-2, or the next number that is free.",
)
@click.option("--source", help="The pool, where it has moved since.")
@click.option(
    "--ignore-memory",
    is_flag=True,
    help="Begin even where the forecast says that memory does not suffice.",
)
@as_json_option
def backfill(
    folder: pathlib.Path,
    labels: pathlib.Path,
    out: pathlib.Path | None,
    source: str | None,
    ignore_memory: bool,
    as_json: bool,
) -> None:
    """Replaces the picks of the round in FOLDER that were marked unusable.

    The same method picks, from the same pool without the unusable rows, and with
    everything picked before as labelled. FOLDER stays as it is: the new round has all
    its picks and the replacements behind them.

    \b
    Example:
      jaxsel backfill round1 --labels labels.csv -o round1b
    """
    keep_compiled()
    target = out or next_folder(folder)
    done, opened, needed = _backfilled(folder, labels, target, source, ignore_memory)
    if done is None:
        told = {"folder": None, "needed": 0, "added": 0}
        say(as_json, told, "0 replacements needed: nothing was written")
        return
    say(
        as_json,
        {"needed": needed, **selecting.found(done, opened, target)},
        f"{counted(needed, 'replacement')} needed\n"
        + selecting.text(done, opened, target),
    )


def backfill_round(
    folder: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    source: str | os.PathLike[str] | None = None,
    ignore_memory: bool = False,
) -> Done | None:
    """Replaces the picks that were marked unusable: `jaxsel backfill`.

    Args:
      folder: the round; it stays as it is.
      labels: the labels.csv that says what was unusable.
      out: the new round's folder, new or empty.
      source: the pool, where it has moved since.
      ignore_memory: whether to begin even where memory will not suffice by forecast.

    Returns:
      The new round, or `None` where no replacement is needed: nothing was written.

    Raises:
      UserError: no such round or labels, or another pool.
    """
    done, _, _ = _backfilled(
        pathlib.Path(folder),
        pathlib.Path(labels),
        pathlib.Path(out),
        None if source is None else os.fspath(source),
        ignore_memory,
    )
    return done


def _backfilled(
    folder: pathlib.Path,
    labels: pathlib.Path,
    target: pathlib.Path,
    source: str | None,
    ignore_memory: bool = False,
) -> tuple[Done | None, Source, int]:
    """The new round, the pool, and how many replacements were needed."""
    before = read_folder(folder)
    budget = before.round.budget
    reading = remembered(NOTHING, before.round.options)

    def wished(opened: Source) -> tuple[Earlier, Wish, int]:
        """The earlier round on the pool as it is, what is asked for, how many more."""
        earlier = carried_over(before, opened)
        known = read_labelled(labels, opened.ids, gone(earlier))
        bad = {row for row, mark in known.items() if mark is UNUSABLE}
        bad |= earlier.unusable - (known.keys() - bad)
        needed = budget - sum(pick.index not in bad for pick in earlier.picks)
        wish = Wish(
            budget,
            None,
            None,
            known,
            quiet=True,
            ignore_memory=ignore_memory,
            reading=reading,
        )
        if needed > 0:
            check_new(target, force=False)
            check_before_encoding(opened, wish, earlier)
        return earlier, wish, needed

    opened, pool = open_with_features(
        pool_place(before.round, folder, source),
        selecting.settings_of(before),
        reading=reading,
        check=wished,
    )
    earlier, wish, needed = wished(opened)
    if needed <= 0:
        return None, opened, 0
    for sentence in sentences_of(earlier, opened):
        click.echo(printable(sentence), err=True)
    return make_round(opened, pool, wish, target, earlier), opened, needed

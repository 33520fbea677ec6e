"""`jaxsel select SOURCE -b N`: which examples to label, in which order."""

import pathlib
from collections.abc import Mapping
from typing import Any

import click

from jaxsel.annotation.labels import UNUSABLE, Label
from jaxsel.doctor.finding import as_json as findings_json
from jaxsel.doctor.finding import counted
from jaxsel.errors import UserError
from jaxsel.experiment.warm import keep_compiled
from jaxsel.features.representation import REPRESENTATIONS
from jaxsel.report.budget_curve import coverage_sentence
from jaxsel.selection.methods import METHODS
from jaxsel.selection.options import check_options
from jaxsel.sources.source import Source
from jaxsel.verbs.column_options import (
    asked_by,
    column_options,
    columns_found,
    remembered,
    say_columns,
)
from jaxsel.verbs.command import as_json_option, printable, say, shown
from jaxsel.verbs.constraining import Before, Limits, affordable, limits_of
from jaxsel.verbs.constraint_options import constraint_options, limits_from
from jaxsel.verbs.encoding import (
    SIDES,
    UNTRAINED,
    Settings,
    encoder_settings,
    features_line,
    open_with_features,
)
from jaxsel.verbs.explaining import coverage_json
from jaxsel.verbs.growing import carried_over, gone, sentences_of
from jaxsel.verbs.labelled import read_labelled
from jaxsel.verbs.method_options import option_option, options_of
from jaxsel.verbs.picking import check_room
from jaxsel.verbs.reading import reading_json, reading_sentences
from jaxsel.verbs.round_folder import OURS, REPORT, Earlier, check_new, read_folder
from jaxsel.verbs.rounds import Done, Wish, check_before_encoding, make_round

_FIRST = 5
_ENDED = {
    "funds": "; they pay for no other row that may be picked",
    "candidates": "; they pay for no other row that the first stage proposed",
}


@click.command("select")
@click.argument("source")
@click.option(
    "-b",
    "--budget",
    type=click.IntRange(1),
    help="How many labels, in all; may be left out with --funds.",
)
@click.option(
    "-m",
    "--method",
    type=click.Choice(list(METHODS)),
    metavar="METHOD",
    help="Who chooses, see above; by default a rule by budget and features, which "
    "says why.",
)
@option_option
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=pathlib.Path),
    default="picks",
    show_default=True,
    help="The folder to write.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="0 by default.")
@click.option(
    "--labelled",
    type=click.Path(path_type=pathlib.Path),
    help="What needs no label: ids one a line, a labels.csv, or an .npy of indices.",
)
@click.option(
    "--continue",
    "earlier",
    type=click.Path(path_type=pathlib.Path),
    help="An earlier round's folder: its picks are kept and count as budget.",
)
@click.option(
    "--encoder", type=click.Choice(list(SIDES)), help="What makes features of images."
)
@click.option("--weights", help="DINO's file, or the folder of a SimCLR encoder.")
@click.option(
    "--side",
    type=click.IntRange(4, 1024),
    help="Pixels that images are read at; by their own size without it.",
)
@click.option(
    "--representation",
    type=click.Choice(REPRESENTATIONS),
    help="How the encoder's features are seen: as they are, centred unit rows, or 128 "
    "principal components of those (the default of efficientnet_lite0).",
)
@column_options
@constraint_options
@click.option("--strict", is_flag=True, help="An unreadable image is a mistake.")
@click.option(
    "--drop-bad",
    is_flag=True,
    help="Leave out rows with NaN or infinity, which are a mistake otherwise.",
)
@click.option("--force", is_flag=True, help="Replace the files of an earlier round.")
@click.option(
    "--ignore-memory",
    is_flag=True,
    help="Begin even where the forecast says that memory does not suffice.",
)
@as_json_option
def select(
    source: str,
    budget: int | None,
    method: str | None,
    words: tuple[str, ...],
    out: pathlib.Path,
    seed: int | None,
    labelled: pathlib.Path | None,
    earlier: pathlib.Path | None,
    encoder: str | None,
    weights: str | None,
    side: int | None,
    representation: str | None,
    columns: str | None,
    features: str | None,
    ids: str | None,
    strict: bool,
    drop_bad: bool,
    force: bool,
    ignore_memory: bool,
    as_json: bool,
    **constraints: Any,
) -> None:
    """Picks the examples of SOURCE that are worth a label, the best first.

    SOURCE is a folder of images, or a file of features (.npy, .npz, .parquet, .csv)
    with one row an example. Images get features by --encoder: efficientnet_lite0, which
    has learned ImageNet's classes and comes with jaxsel, or DINO where --weights are
    given. Features are kept: a second call makes those of new and changed images alone.

    Of a table, columns that name rows or hold answers are never features: what was
    used and what was left out is printed, and stands in manifest.json.

    Written are picks.csv (rank, id, path, index, gain, and how many rows of the pool
    each pick represents), picks.npy (the indices), assignments.parquet (the pick that
    stands for each row of the pool), coverage.csv (how much of the pool the first k
    picks cover), report.html (all of it to look at), round.json and manifest.json.

    \b
    Methods:
      random        uniform draws: what every other has to beat
      norm          draws by the length of the rows
      gram_schmidt  what points furthest away from all that was picked
      k_center      what lies furthest away from all that was picked
      probcover     what has the most rows around it that no pick covers yet
      typiclust     the most typical row of each of as many clusters as picks
      max_herding   what brings the picks closest to all rows on the whole
      probcover+norm, probcover+gs, probcover+random, typiclust+…
                    the first proposes, the second chooses among what it proposed

    \b
    Examples:
      jaxsel select photos/ -b 100 -o round1
      jaxsel select scans/ -b 100 --weights dino.safetensors -o round1
      jaxsel select features.npy -b 50 -m norm
      jaxsel select scans/ -b 200 --continue round1 --labelled labels.csv -o round2
      jaxsel select scans/ -b 50 --table meta.csv --groups patient --max-per-group 2
    """
    keep_compiled()
    before = read_folder(earlier) if earlier else None
    checked = _options(words, method, before)
    check_new(out, force)
    reading = asked_by(columns, features, ids)
    if before is not None:
        reading = remembered(reading, before.round.options)

    def wished(opened: Source) -> tuple[Earlier | None, Wish]:
        """The earlier round on the pool as it is, and what is asked for."""
        here = carried_over(before, opened) if before else None
        labels = read_labelled(labelled, opened.ids, gone(here)) if labelled else {}
        old = limits_of(here.round.options.get("limits", {})) if here else None
        limits = limits_from(constraints, opened, old)
        total = budget or _budget_of(limits or old, opened, here, labels)
        if here is None:  # else what is left depends on the earlier picks
            check_room(len(opened.ids), labels, (), total)
        wish = Wish(
            total,
            method,
            seed,
            labels,
            as_json,
            checked,
            limits,
            ignore_memory,
            reading,
            drop_bad,
        )
        check_before_encoding(opened, wish, here)
        return here, wish

    asked = settings_of(before, encoder, weights, side, representation)
    opened, pool = open_with_features(
        source, asked, strict=strict, reading=reading, check=wished
    )
    say_columns(opened.roles, as_json)
    here, wish = wished(opened)
    if not as_json:
        say_before(opened, here)
        if pool.encoder:
            click.echo(features_line(pool), err=True)
        if not pool.learned:
            click.echo(UNTRAINED, err=True)
    done = make_round(opened, pool, wish, out, here)
    say(as_json, found(done, opened, out, here), text(done, opened, out))


def _budget_of(
    limits: Limits | None,
    source: Source,
    earlier: Earlier | None,
    labels: Mapping[int, Label],
) -> int:
    """The labels that the funds can pay for, where no budget was given."""
    if limits is None or limits.funds is None:
        raise UserError("expected -b, the number of labels, or --funds; found none")
    bad = {row for row, mark in labels.items() if mark is UNUSABLE}
    good = set(labels) - bad
    stay: frozenset[int] = frozenset()
    if earlier is not None:
        bad |= earlier.unusable - good
        stay = frozenset(pick.index for pick in earlier.picks) - bad
        good |= earlier.labelled - bad
    return affordable(limits, source, Before(stay, stay | good, frozenset(bad)))


def _options(
    words: tuple[str, ...], method: str | None, earlier: Earlier | None
) -> dict[str, Any] | None:
    """The method's options out of words like delta=0.4, checked."""
    if not words:
        return None
    name = method or (earlier.round.method if earlier else None)
    if name is None:
        raise UserError("expected -m METHOD with -O, found none: options are its own")
    given = options_of(words)
    check_options(name, given)
    return given


def settings_of(
    earlier: Earlier | None,
    encoder: str | None = None,
    weights: str | None = None,
    side: int | None = None,
    representation: str | None = None,
) -> Settings:
    """The encoder's settings: what was asked for, or else the earlier round's.

    Args:
      earlier: the round before.
      encoder, weights, side, representation: what was asked for.

    Returns:
      What `open_with_features` asks, once it knows whether there are images.
    """
    asked = bool(encoder or weights or side or representation)
    # Refused before anything is read.
    given = None
    if asked:
        given = encoder_settings(encoder, weights, side, representation)

    def settings(images: bool) -> dict[str, Any] | None:
        if given is None and earlier and earlier.round.options["encoder"]:
            return dict(earlier.round.options["encoder"])
        if given is None and images:
            return encoder_settings(None, None, None)
        return given

    return settings


def found(
    done: Done, source: Source, folder: pathlib.Path, earlier: Earlier | None = None
) -> dict[str, Any]:
    """A round as one JSON object."""
    growth = earlier.growth if earlier else None
    return {
        "folder": str(folder),
        "method": done.round.method,
        "reason": done.reason,
        "encoder": done.round.options["encoder"].get("encoder"),
        "seed": done.round.seed,
        "budget": done.round.budget,
        "added": done.added,
        "constraints": dict(done.heeded),
        "coverage": coverage_json(done.coverage),
        "columns": columns_found(source.roles),
        "report": str(folder / REPORT),
        "picks": [pick._asdict() for pick in done.picks],
        "unreadable": [entry._asdict() for entry in source.unreadable],
        "reading": reading_json(source.reading),
        "since": growth.as_json() if growth is not None else None,
        "findings": findings_json(done.findings),
        "dropped": list(done.dropped),
    }


def text(done: Done, source: Source, folder: pathlib.Path) -> str:
    """A round in a few lines: the method and why, the first new picks, where it is."""
    new = done.picks[len(done.picks) - done.added :]
    unusable = set(done.round.options["unusable"])
    kept = sum(pick.index not in unusable for pick in done.picks) - done.added
    told = done.heeded if done.round.options["limits"]["funds"] else {}
    lines = [f"{done.round.method}: {done.reason}."]
    lines.append(
        f"{done.added:,} of {len(source.ids):,} picked"
        + (f", {kept:,} kept from before" if kept else "")
        + (f", for {told['spent']:g} of the funds" if "spent" in told else "")
        + _ENDED.get(told.get("ended", ""), "")
    )
    lines += [
        f"  {pick.rank}. {shown(pick.id)} "
        f"(nearest for {counted(pick.represents, 'row')})"
        for pick in new[:_FIRST]
    ]
    if len(new) > _FIRST:
        lines.append(f"  and {len(new) - _FIRST:,} more")
    lines.append(coverage_sentence(done.coverage))
    lines.append(f"{folder}/: {', '.join(OURS)}")
    lines.append(f"Look at {folder / REPORT}")
    return "\n".join(lines)


def say_before(source: Source, earlier: Earlier | None) -> None:
    """Prints, on the side, what a person should know before the work begins."""
    for line in sentences_before(source, earlier):
        click.echo(printable(line), err=True)


def sentences_before(source: Source, earlier: Earlier | None) -> list[str]:
    """What is left out, how images are read, and how the pool has changed."""
    said = []
    if source.unreadable:
        first = source.unreadable[0]
        said.append(
            f"{counted(len(source.unreadable), 'unreadable image')} left out, the "
            f"first {shown(first.id)}: {first.reason} (jaxsel doctor lists them)"
        )
    return said + reading_sentences(source.reading) + sentences_of(earlier, source)

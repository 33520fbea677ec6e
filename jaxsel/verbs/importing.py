"""`jaxsel import FILE --from TOOL --picks PICKS`: a tool's labels as labels.csv."""

import pathlib
from collections import Counter

import click

from jaxsel.annotation.labels import (
    UNUSABLE,
    merged,
    read_labels,
    rows_of,
    word_of,
    write_labels,
)
from jaxsel.annotation.options import ImportOptions
from jaxsel.annotation.picks import read_picks
from jaxsel.annotation.tools import IMPORTERS, import_labels
from jaxsel.errors import UserError
from jaxsel.verbs.command import as_json_option, say, shown
from jaxsel.verbs.round_folder import PICKS


@click.command("import")
@click.argument("file", type=click.Path(path_type=pathlib.Path))
@click.option("--from", "tool", type=click.Choice(list(IMPORTERS)), required=True)
@click.option(
    "--picks",
    type=click.Path(path_type=pathlib.Path),
    required=True,
    help="A round's folder, or its picks.csv.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=pathlib.Path),
    default="labels.csv",
    show_default=True,
)
@click.option(
    "--unusable", multiple=True, help="A label that means: can not be used. Repeatable."
)
@click.option("--separator", help="Put between several labels of an item.")
@click.option("--control", help="Which control of Label Studio holds the label.")
@click.option("--merge", is_flag=True, help="Add to the labels that -o holds already.")
@as_json_option
def import_(
    file: pathlib.Path,
    tool: str,
    picks: pathlib.Path,
    out: pathlib.Path,
    unusable: tuple[str, ...],
    separator: str | None,
    control: str | None,
    merge: bool,
    as_json: bool,
) -> None:
    """Reads the labels that an annotation tool wrote to FILE, by the ids of the picks.

    labels.csv has the columns id, index and label; `unusable` stands for a pick that
    can not be used. Picks without a label are not in it.

    \b
    Example:
      jaxsel import project.json --from label-studio --picks round1 -o labels.csv
    """
    if out.exists() and not merge:
        raise UserError(
            f"expected a new file for -o, found {out}: give another, or --merge to add "
            "to it"
        )
    chosen = read_picks(picks / PICKS if picks.is_dir() else picks)
    options = ImportOptions((UNUSABLE.value, *unusable), separator, control)
    labels = import_labels(tool, file, chosen, options)
    rows = rows_of(labels, chosen)
    earlier = read_labels(out) if out.exists() else []
    together = merged(earlier, rows)
    write_labels(out, together)
    counts = Counter(word_of(label) for label in labels.values())
    told = {
        "file": str(out),
        "read": len(rows),
        "labels": dict(counts.most_common()),
        "unlabelled": len(chosen) - len(rows),
        "total": len(together),
    }
    listed = ", ".join(f"{shown(word)} {k:,}" for word, k in counts.most_common())
    say(
        as_json,
        told,
        f"{len(rows):,} of {len(chosen):,} picks have labels ({listed or 'none'}); "
        f"{out} holds {len(together):,}",
    )

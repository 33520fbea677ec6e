"""`jaxsel import FILE --from TOOL --picks PICKS`: a tool's labels as labels.csv."""

import os
import pathlib
from collections import Counter
from collections.abc import Sequence

import click

from jaxsel.annotation.labels import (
    UNUSABLE,
    LabelRow,
    merged,
    read_labels,
    rows_of,
    write_labels,
)
from jaxsel.annotation.options import ImportOptions
from jaxsel.annotation.picks import Pick, read_picks
from jaxsel.annotation.renumbering import renumbered
from jaxsel.annotation.tools import IMPORTERS, import_labels
from jaxsel.errors import UserError
from jaxsel.verbs.command import as_json_option, say, shown
from jaxsel.verbs.round_folder import picks_file


@click.command("import")
@click.argument("file", type=click.Path(path_type=pathlib.Path))
@click.option(
    "--from",
    "tool",
    type=click.Choice(list(IMPORTERS)),
    required=True,
    help="Who wrote FILE.",
)
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
    help="The file to write.",
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
    Tools, and what of theirs FILE is:
      csv           any table with the columns id and label
      label-studio  Export of the project as JSON (not JSON-MIN)
      cvat          the task as "CVAT for images 1.1": the .xml or the .zip
      fiftyone      a CSV of it with the columns id (jaxsel_id) and label
      coco          the JSON, or a .zip with one

    \b
    Example:
      jaxsel import project.json --from label-studio --picks round1 -o labels.csv
    """
    rows = import_round(
        file,
        tool,
        picks,
        out,
        unusable=unusable,
        separator=separator,
        control=control,
        merge=merge,
    )
    total, chosen = len(read_labels(out)), len(_picks_of(picks))
    counts = Counter(row.label for row in rows)
    told = {
        "file": str(out),
        "read": len(rows),
        "labels": dict(counts.most_common()),
        "unlabelled": chosen - len(rows),
        "total": total,
    }
    listed = ", ".join(f"{shown(word)} {k:,}" for word, k in counts.most_common())
    say(
        as_json,
        told,
        f"{len(rows):,} of {chosen:,} picks have labels ({listed or 'none'}); "
        f"{out} holds {total:,}",
    )


def import_round(
    file: str | os.PathLike[str],
    tool: str,
    picks: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    unusable: Sequence[str] = (),
    separator: str | None = None,
    control: str | None = None,
    merge: bool = False,
) -> list[LabelRow]:
    """Reads the labels that a tool wrote and keeps them: `jaxsel import`.

    Args:
      file: what the tool exported.
      tool: label-studio, cvat, fiftyone, coco or csv.
      picks: the round's folder, or its picks.csv.
      out: the labels.csv to write.
      unusable: labels that mean that an item cannot be used, besides `unusable`.
      separator: put between several labels of an item.
      control: which control of Label Studio holds the label.
      merge: whether to add to the labels that `out` holds already.

    Returns:
      `(id, index, label)` of the picks that have one, by rank; `unusable` is a label.

    Raises:
      UserError: no such file or tool, ids that are no picks, or labels that differ.
    """
    target = pathlib.Path(out)
    if target.exists() and not merge:
        raise UserError(
            f"expected a new file for -o, found {target}: give another, or --merge to "
            "add to it"
        )
    chosen = _picks_of(picks)
    options = ImportOptions((UNUSABLE.value, *unusable), separator, control)
    rows = rows_of(import_labels(tool, pathlib.Path(file), chosen, options), chosen)
    earlier = renumbered(read_labels(target) if target.exists() else [], chosen)
    write_labels(target, merged(earlier, rows))
    return rows


def _picks_of(place: str | os.PathLike[str]) -> list[Pick]:
    return read_picks(picks_file(place))

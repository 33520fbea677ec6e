"""`jaxsel import FILE --from TOOL --picks PICKS`: a tool's labels as labels.csv."""

import os
import pathlib
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import click

from jaxsel.annotation.answers import Imported, sentences
from jaxsel.annotation.labels import (
    UNUSABLE,
    LabelRow,
    changes,
    merged,
    read_labels,
    rows_of,
    write_labels,
)
from jaxsel.annotation.options import DISAGREE, ImportOptions
from jaxsel.annotation.picks import read_picks
from jaxsel.annotation.renumbering import renumbered
from jaxsel.annotation.spelling import respelt
from jaxsel.annotation.tools import IMPORTERS, read_back
from jaxsel.doctor.finding import counted
from jaxsel.errors import UserError, quoted, shortened
from jaxsel.verbs.assignments import ids_in
from jaxsel.verbs.command import as_json_option, printable, say, shown
from jaxsel.verbs.round_folder import ASSIGNMENTS, picks_file


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
@click.option(
    "--control",
    multiple=True,
    help="What holds the label, where there are several: a control of Label Studio, a "
    "field of FiftyOne, a column of a table. Repeatable.",
)
@click.option(
    "--disagree",
    type=click.Choice(DISAGREE),
    help="Which label counts where annotators disagree on a pick; otherwise that is an "
    "error.",
)
@click.option("--merge", is_flag=True, help="Add to the labels that -o holds already.")
@click.option(
    "--replace",
    is_flag=True,
    help="As --merge, and new labels replace earlier ones that differ.",
)
@click.option("--force", is_flag=True, help="Write over -o; its labels are lost.")
@as_json_option
def import_(
    file: pathlib.Path,
    tool: str,
    picks: pathlib.Path,
    out: pathlib.Path,
    unusable: tuple[str, ...],
    separator: str | None,
    control: tuple[str, ...],
    disagree: str | None,
    merge: bool,
    replace: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Reads the labels that an annotation tool wrote to FILE, by the ids of the picks.

    labels.csv has the columns id, index and label; `unusable` stands for a pick that
    can not be used. Picks without a label are not in it. What of FILE is no label is
    counted and said.

    \b
    Tools, and what of theirs FILE is:
      csv           any table with the columns jaxsel_id or id, and label
      label-studio  Export of the project as JSON; JSON-MIN, CSV and TSV will do, but
                    do not say what was skipped
      cvat          the task as "CVAT for images 1.1" or "COCO 1.0": the file or the
                    .zip
      fiftyone      the folder of a FiftyOneDataset or of a
                    FiftyOneImageClassificationDataset, or its .json; or a CSV with
                    the columns jaxsel_id, id or filepath, and label
      coco          the JSON, or a .zip with one

    \b
    Examples:
      jaxsel import project.json --from label-studio --picks round1 -o labels.csv
      jaxsel import again.json --from label-studio --picks round1 --replace
    """
    rules = ImportOptions((UNUSABLE.value, *unusable), separator, control, disagree)
    done = _imported(file, tool, picks, out, rules, merge, replace, force)
    counts = Counter(row.label for row in done.rows)
    told = {
        "file": str(out),
        "read": len(done.rows),
        "labels": dict(counts.most_common()),
        "unlabelled": done.picks - len(done.rows),
        "total": done.total,
        "left_out": done.found.left_out,
        "spelt_otherwise": done.found.guessed,
        "disagreements": [one._asdict() for one in done.found.disagreements],
        "replaced": [
            {"id": name, "before": was, "now": now} for name, was, now in done.replaced
        ],
    }
    words = ", ".join(f"{shown(word)} {k:,}" for word, k in counts.most_common())
    said = (
        f"{len(done.rows):,} of {done.picks:,} picks have labels ({words or 'none'}); "
        f"{out} holds {done.total:,}"
    )
    say(as_json, told, "\n".join([said, *done.notes]))


class Done(NamedTuple):
    """An import that was written.

    Attributes:
      rows: of the picks that have a label, by rank.
      picks: how many picks there are.
      total: how many labels the file holds now.
      found: what else the tool's file said.
      replaced: ids with the label before and now.
      notes: sentences on all that, for people.
    """

    rows: list[LabelRow]
    picks: int
    total: int
    found: Imported
    replaced: list[tuple[str, str, str]]
    notes: list[str]


def import_round(
    file: str | os.PathLike[str],
    tool: str,
    picks: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    unusable: Sequence[str] = (),
    separator: str | None = None,
    control: str | Sequence[str] | None = None,
    disagree: str | None = None,
    merge: bool = False,
    replace: bool = False,
    force: bool = False,
) -> list[LabelRow]:
    """Reads the labels that a tool wrote and keeps them: `jaxsel import`.

    What the command says besides (what was left out, names that were spelt otherwise,
    annotators who disagree, labels that were replaced) comes as a warning of Python's.

    Args:
      file: what the tool exported.
      tool: label-studio, cvat, fiftyone, coco or csv.
      picks: the round's folder, or its picks.csv.
      out: the labels.csv to write.
      unusable: labels that mean that an item cannot be used, besides `unusable`.
      separator: put between several labels of an item.
      control: what holds the label where there are several: a control of Label Studio,
        a field of FiftyOne, a column of a table; one name or several.
      disagree: which label counts where annotators disagree on a pick: `majority` (at
        a tie the pick stays open), `first` in the file, or `skip` (it stays open).
      merge: whether to add to the labels that `out` holds already.
      replace: as `merge`, and new labels replace earlier ones that differ.
      force: whether to write over `out`; its labels are lost.

    Returns:
      `(id, index, label)` of the picks that have one, by rank; `unusable` is a label.

    Raises:
      UserError: no such file or tool, ids that are no picks, or labels that differ.
    """
    rules = ImportOptions((UNUSABLE.value, *unusable), separator, control, disagree)
    done = _imported(
        pathlib.Path(file),
        tool,
        pathlib.Path(picks),
        pathlib.Path(out),
        rules,
        merge,
        replace,
        force,
    )
    for note in done.notes:
        warnings.warn(note, stacklevel=2)
    return done.rows


def _imported(
    file: pathlib.Path,
    tool: str,
    picks: pathlib.Path,
    target: pathlib.Path,
    rules: ImportOptions,
    merge: bool,
    replace: bool,
    force: bool,
) -> Done:
    merge |= replace
    if merge and force:
        raise UserError(
            f"expected --force to write over {target} or --merge (--replace) to add to "
            "it, found both: give one of them"
        )
    if target.is_dir():
        raise UserError(f"expected a file for -o, found a folder: {target}")
    if target.exists() and not (merge or force):
        raise UserError(
            f"expected a new file for -o, found {target}: give another, --merge to add "
            "to it, --replace to correct it, or --force to write over it"
        )
    place = picks_file(picks)
    chosen = read_picks(place)
    # Before the tool's file, which may be long.
    earlier = read_labels(target) if merge and target.exists() else []
    earlier = renumbered(earlier, chosen)
    found = read_back(tool, file, chosen, rules)
    _refuse_other_rows(place, found.guessed, str(file))
    rows = rows_of(found.labels, chosen)
    together = merged(earlier, rows, replace=replace)
    replaced = changes(earlier, rows)
    write_labels(target, together)
    notes = sentences(found)
    if replaced:
        notes.append(_replaced(replaced))
    if tool == "label-studio" and not rows and not found.left_out:
        notes.append("No task of the file has an annotation yet.")
    return Done(rows, len(chosen), len(together), found, replaced, notes)


def _replaced(found: list[tuple[str, str, str]]) -> str:
    each = [
        f"{quoted(name)} was {shortened(was)}, is {shortened(now)}"
        for name, was, now in found
    ]
    more = f"; and {len(each) - 10:,} more" if len(each) > 10 else ""
    return f"{counted(len(each), 'label')} replaced: {'; '.join(each[:10])}{more}."


def _refuse_other_rows(
    picks: pathlib.Path, guessed: Mapping[str, str], source: str
) -> None:
    """A name that is spelt otherwise must not be the id of a row that was not picked.

    `other/b.png` can mean the pick `b.png`, unless the pool has an `other/b.png`.
    """
    pool = picks.with_name(ASSIGNMENTS)
    if not guessed or not pool.is_file():
        return
    for name, rows in respelt(guessed, ids_in(pool)).items():
        for row in sorted(rows - {printable(guessed[name])}):
            raise UserError(
                f"{source}: expected names of picks, found {quoted(name)}, which is "
                f"row {quoted(row)} of the pool and no pick, or else the pick "
                f"{quoted(guessed[name])}; give the items the ids that were exported"
            )

"""`jaxsel export PICKS --to TOOL -o DIR`: picks as an annotation tool takes them."""

import os
import pathlib
import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click

from jaxsel.annotation.cvat import write_links
from jaxsel.annotation.labels import read_labels
from jaxsel.annotation.options import LOCAL_FILES, ExportOptions
from jaxsel.annotation.picks import Pick, read_picks
from jaxsel.annotation.places import refuse_outside, refuse_strange_links
from jaxsel.annotation.rounds import Round, read_round
from jaxsel.annotation.sizes import image_sizes
from jaxsel.annotation.tools import EXPORTERS, check_files, write_files
from jaxsel.annotation.tools import export as files_for
from jaxsel.doctor.finding import counted
from jaxsel.errors import UserError
from jaxsel.verbs.command import as_json_option, say
from jaxsel.verbs.place import place_of
from jaxsel.verbs.round_folder import ROUND, picks_file

IMAGES = "images"
_SIZED = ("coco", "cvat")
_PLAIN = ("csv", "cvat")  # what they get is text, whatever the images are called


@click.command("export")
@click.argument("picks", type=click.Path(path_type=pathlib.Path))
@click.option(
    "--to",
    "tool",
    type=click.Choice(list(EXPORTERS)),
    required=True,
    help="Who gets them.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=pathlib.Path),
    required=True,
    help="The folder to write.",
)
@click.option(
    "--prefix",
    default="",
    help="Put before each path, as a URL: https://host/, /data/local-files/?d=",
)
@click.option(
    "--root",
    type=click.Path(path_type=pathlib.Path),
    help="Where paths start; by default the folder that was selected from.",
)
@click.option(
    "--classes",
    default="",
    help="Names of classes, with commas between, for coco and fiftyone.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=pathlib.Path),
    help="A labels.csv: picks that are in it are not exported again.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Replace an earlier export in -o; other files stay.",
)
@as_json_option
def export(
    picks: pathlib.Path,
    tool: str,
    out: pathlib.Path,
    prefix: str,
    root: pathlib.Path | None,
    classes: str,
    labels: pathlib.Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Writes PICKS (a round's folder, or its picks.csv) for an annotation tool.

    Items are in pick order and carry the ids by which `jaxsel import` reads the labels
    back. Paths have to lie in the folder that was selected from.

    \b
    Tools, what they get, and how they take it:
      csv           to-label.csv; write into its empty column, label
      label-studio  label-studio.json; Import of a project that shows $image. It shows
                    images by URL: give --prefix
      cvat          images/ (links or copies whose names begin with the rank),
                    manifest.jsonl; cvat-cli task create NAME --labels L.json
                    --sorting-method predefined local OUT/images/*
      fiftyone      samples.json; fiftyone.Dataset.from_dir("OUT",
                    dataset_type=fiftyone.types.FiftyOneDataset)
      coco          coco.json, images with nothing on them yet

    \b
    Examples:
      jaxsel export round1 --to csv -o to-label
      jaxsel export round1 --to label-studio --prefix https://host/scans/ -o studio
    """
    names = [name.strip() for name in classes.split(",") if name.strip()]
    done = _exported(picks, tool, out, prefix, root, names, labels, force)
    written = list(map(str, done.files))
    lines = [f"{done.picks:,} picks for {tool}: {', '.join(written)}"]
    if tool == "cvat":
        lines.append(f"The images themselves are in {out / IMAGES}/.")
    if done.odd_names:
        lines.append(
            f"{counted(done.odd_names, 'file name')} cannot be written as UTF-8: "
            f"{tool} may refuse them, and strict readers the whole file; rename "
            "those images"
        )
    if done.unsized:
        lines.append(
            f"{done.unsized:,} images could not be opened: their sizes are left out"
        )
    lines += done.notes
    told = {**done._asdict(), "tool": tool, "files": written}
    say(as_json, told, "\n".join(lines))


class Exported(NamedTuple):
    """An export that was written.

    Attributes:
      picks: how many.
      files: what was written, without the images of CVAT.
      unsized: how many images a tool got without the size that it asks for.
      odd_names: how many paths in it are no text, which JSON can only spell in a way
        that some readers refuse (datumaro's, and FiftyOne's database).
      notes: sentences on what the tool will not show as it is.
    """

    picks: int
    files: tuple[pathlib.Path, ...]
    unsized: int
    odd_names: int
    notes: tuple[str, ...] = ()


def export_round(
    picks: str | os.PathLike[str],
    tool: str,
    out: str | os.PathLike[str],
    *,
    prefix: str = "",
    root: str | os.PathLike[str] | None = None,
    classes: Sequence[str] = (),
    labels: str | os.PathLike[str] | None = None,
    force: bool = False,
) -> Exported:
    """Writes picks as an annotation tool takes them: `jaxsel export`.

    What the tool will not show as it is comes as a warning of Python's, too.

    Args:
      picks: a round's folder, or its picks.csv.
      tool: label-studio, cvat, fiftyone, coco or csv.
      out: the folder to write; no file in it is written over.
      prefix: put before each path, as a URL.
      root: where paths start; by default the folder that was selected from.
      classes: names of classes.
      labels: a labels.csv; picks that are in it are left out.
      force: whether the files of an earlier export are replaced; others stay.

    Returns:
      How many picks there are and the files that hold them.

    Raises:
      UserError: no such picks or tool, picks that it cannot show, a path that leads out
        of the folder that was selected from, or an earlier export.
    """
    done = _exported(
        pathlib.Path(picks),
        tool,
        pathlib.Path(out),
        prefix,
        pathlib.Path(root) if root else None,
        classes,
        pathlib.Path(labels) if labels else None,
        force,
    )
    for note in done.notes:
        warnings.warn(note, stacklevel=2)
    return done


def _exported(
    picks: pathlib.Path,
    tool: str,
    folder: pathlib.Path,
    prefix: str,
    root: pathlib.Path | None,
    classes: Sequence[str],
    labels: pathlib.Path | None,
    force: bool,
) -> Exported:
    file = picks_file(picks)
    beside = file.with_name(ROUND)
    made = read_round(beside) if beside.is_file() else None
    wanted = _open_picks(file, labels, made)
    refuse_outside(wanted)
    start = root or _root_of(made, file.parent)
    sizes = image_sizes(wanted, start) if tool in _SIZED and start else {}
    files = files_for(tool, wanted, ExportOptions(prefix, start, classes, sizes))
    check_files(folder, files, force=force)
    if tool == "cvat":
        if start is None:
            raise UserError(_no_images(file, made))
        if folder.resolve().is_relative_to(start.resolve()):
            raise UserError(
                f"expected a folder outside of {start} for -o, as CVAT gets copies of "
                f"images that would be part of the next pool, found {folder}: give "
                "another"
            )
        refuse_strange_links(wanted, start, sizes)
        write_links(folder / IMAGES, wanted, start, force=force)
    write_files(folder, files, force=force)
    unsized = len(wanted) - len(sizes) if tool in _SIZED else 0
    plain = tool in _PLAIN or (tool == "label-studio" and prefix)
    odd = 0 if plain else sum(not _is_text(pick.path) for pick in wanted)
    written = tuple(folder / name for name in files)
    return Exported(len(wanted), written, unsized, odd, tuple(_notes(tool, prefix)))


def _notes(tool: str, prefix: str) -> Iterator[str]:
    if tool == "label-studio" and not prefix:
        yield (
            "Without --prefix the tasks name images by paths, which Label Studio does "
            "not show: give the URL that the images have, --prefix https://host/scans/ "
            f"or --prefix '{LOCAL_FILES}' for files that Label Studio serves"
        )


def _is_text(path: str) -> bool:
    """Whether a path can be written as UTF-8; other bytes of it are lone surrogates."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _open_picks(
    file: pathlib.Path, labels: pathlib.Path | None, made: Round | None
) -> list[Pick]:
    """Picks without a label, but for those that were unusable when they were made."""
    picks = read_picks(file)
    known = {row.id for row in read_labels(labels)} if labels else set()
    unusable = set(made.options.get("unusable", ())) if made else set()
    wanted = [
        pick for pick in picks if pick.id not in known and pick.index not in unusable
    ]
    if not wanted:
        raise UserError(
            f"expected picks to export, found none without a label among {len(picks)} "
            f"in {file}"
        )
    return wanted


def _root_of(made: Round | None, folder: pathlib.Path) -> pathlib.Path | None:
    """The folder that was selected from, where it is still there."""
    source = None if made is None else place_of(made, folder)
    return source if source is not None and source.is_dir() else None


def _no_images(file: pathlib.Path, made: Round | None) -> str:
    """Why CVAT cannot get images."""
    if made is None:
        found = f"no {ROUND} beside {file} that names it"
    elif pathlib.Path(made.source).exists():
        found = f"that {file} was made from {made.source}, which has no images"
    else:
        found = f"nothing at {made.source}, where it lay: it was moved or renamed"
    return (
        f"expected the folder of the images for CVAT, found {found}; give its place "
        "with --root"
    )

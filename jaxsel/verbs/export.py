"""`jaxsel export PICKS --to TOOL -o DIR`: picks as an annotation tool takes them."""

import pathlib

import click

from jaxsel.annotation.cvat import write_links
from jaxsel.annotation.labels import read_labels
from jaxsel.annotation.options import ExportOptions
from jaxsel.annotation.picks import Pick, read_picks
from jaxsel.annotation.rounds import Round, read_round
from jaxsel.annotation.sizes import image_sizes
from jaxsel.annotation.tools import EXPORTERS, write_files
from jaxsel.annotation.tools import export as files_for
from jaxsel.errors import UserError
from jaxsel.verbs.command import as_json_option, say
from jaxsel.verbs.round_folder import PICKS, ROUND

IMAGES = "images"
_SIZED = ("coco", "cvat")


@click.command("export")
@click.argument("picks", type=click.Path(path_type=pathlib.Path))
@click.option("--to", "tool", type=click.Choice(list(EXPORTERS)), required=True)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=pathlib.Path),
    required=True,
    help="Folder.",
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
@click.option("--classes", default="", help="Class names, with commas between.")
@click.option(
    "--labels",
    type=click.Path(path_type=pathlib.Path),
    help="A labels.csv: picks that are in it are not exported again.",
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
    as_json: bool,
) -> None:
    """Writes PICKS (a round's folder, or its picks.csv) for an annotation tool.

    Items are in pick order and carry the ids by which `jaxsel import` reads the labels
    back. For CVAT, which knows an image by its file's name alone, DIR/images has the
    picks under names that begin with their rank (hard links, or copies).

    \b
    Examples:
      jaxsel export round1 --to csv -o to-label
      jaxsel export round1 --to label-studio --prefix https://host/scans/ -o studio
    """
    file = picks / PICKS if picks.is_dir() else picks
    beside = file.with_name(ROUND)
    made = read_round(beside) if beside.is_file() else None
    wanted = _open_picks(file, labels, made)
    start = root or _root_of(made)
    sizes = image_sizes(wanted, start) if tool in _SIZED and start else {}
    names = [name.strip() for name in classes.split(",") if name.strip()]
    files = files_for(tool, wanted, ExportOptions(prefix, start, names, sizes))
    if tool == "cvat":
        if start is None:
            raise UserError(
                "expected the folder of the images for CVAT, found no round beside "
                f"{file} that names one: give it with --root"
            )
        if out.resolve().is_relative_to(start.resolve()):
            raise UserError(
                f"expected a folder outside of {start} for -o, as CVAT gets copies of "
                f"images that would be part of the next pool, found {out}: give another"
            )
        write_links(out / IMAGES, wanted, start)
    write_files(out, files)
    written = [str(out / name) for name in files]
    unsized = len(wanted) - len(sizes) if tool in _SIZED else 0
    lines = [f"{len(wanted):,} picks for {tool}: {', '.join(written)}"]
    if unsized:
        lines.append(
            f"{unsized:,} images could not be opened: their sizes are left out"
        )
    told = {"tool": tool, "picks": len(wanted), "files": written, "unsized": unsized}
    say(as_json, told, "\n".join(lines))


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


def _root_of(made: Round | None) -> pathlib.Path | None:
    """The folder that was selected from, where it is still there."""
    if made is None or not (source := pathlib.Path(made.source)).is_dir():
        return None
    return source

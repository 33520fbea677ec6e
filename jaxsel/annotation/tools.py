"""The annotation tools by name: what each is given and how its labels are read."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from jaxsel.annotation.answers import Answers, Imported, settled
from jaxsel.annotation.coco import export_coco, read_coco
from jaxsel.annotation.cvat import export_cvat, read_cvat
from jaxsel.annotation.fiftyone import export_fiftyone
from jaxsel.annotation.fiftyone_answers import read_fiftyone
from jaxsel.annotation.label_studio import export_label_studio
from jaxsel.annotation.label_studio_answers import read_label_studio
from jaxsel.annotation.labels import Label
from jaxsel.annotation.options import ExportOptions, ImportOptions
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.places import refuse_outside
from jaxsel.annotation.spreadsheet import export_csv, read_csv
from jaxsel.errors import UserError, quoted
from jaxsel.files import write_text

Exporter = Callable[[Sequence[Pick], ExportOptions], dict[str, str]]
Reader = Callable[[Path, ImportOptions], Answers]

EXPORTERS: Mapping[str, Exporter] = MappingProxyType(
    {
        "label-studio": export_label_studio,
        "cvat": export_cvat,
        "fiftyone": export_fiftyone,
        "coco": export_coco,
        "csv": export_csv,
    }
)
IMPORTERS: Mapping[str, Reader] = MappingProxyType(
    {
        "label-studio": read_label_studio,
        "cvat": read_cvat,
        "fiftyone": read_fiftyone,
        "coco": read_coco,
        "csv": read_csv,
    }
)


def export(
    tool: str, picks: Sequence[Pick], options: ExportOptions | None = None
) -> dict[str, str]:
    """Picks as a tool takes them.

    Args:
      tool: one of `EXPORTERS`.
      picks: in any order; the export goes by rank.
      options: the tool's module says which it uses.

    Returns:
      The text of each file by its name.

    Raises:
      UserError: no such tool, picks that it can not show, or a path that leads out of
        the pool's folder.

    Example:
      >>> list(export("cvat", [Pick(1, "a", "a.png", 7, 0.5, 9)]))
      ['manifest.jsonl', 'files.txt']
    """
    _check(tool, EXPORTERS)
    refuse_outside(picks)
    return EXPORTERS[tool](picks, options or ExportOptions())


def check_files(folder: Path, names: Collection[str], *, force: bool = False) -> None:
    """Refuses a folder that holds files of these names already.

    Raises:
      UserError: it is a file, or holds one and `force` is not set.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"expected a folder for the export, found a file: {folder}")
    there = [name for name in names if (folder / name).exists()]
    if there and not force:
        raise UserError(
            f"expected no earlier export in {folder}, found {', '.join(there)}; give "
            "another folder, or --force to replace them"
        )


def write_files(folder: Path, files: Mapping[str, str], *, force: bool = False) -> None:
    """Writes an export into a folder, each file whole or not at all.

    Raises:
      UserError: as `check_files`; nothing was written.
    """
    check_files(folder, files, force=force)
    for name, text in files.items():
        write_text(folder / name, text)


def read_back(
    tool: str,
    path: Path,
    picks: Sequence[Pick],
    options: ImportOptions | None = None,
) -> Imported:
    """Labels as a tool gives them back, and what else its file says.

    Args:
      tool: one of `IMPORTERS`.
      path: the file that the tool exported.
      picks: what it was given.
      options: the tool's reader says which it uses, and `answers.settled` the others.

    Returns:
      A class's name or `UNUSABLE` by id of the pick, in the file's order, with what was
      left out.

    Raises:
      UserError: no such tool, or a file that is not what it exports for these picks.
    """
    _check(tool, IMPORTERS)
    options = options or ImportOptions()
    return settled(IMPORTERS[tool](path, options), picks, options, str(path))


def import_labels(
    tool: str,
    path: Path,
    picks: Sequence[Pick],
    options: ImportOptions | None = None,
) -> dict[str, Label]:
    """The labels alone of `read_back`."""
    return read_back(tool, path, picks, options).labels


def _check(tool: str, known: Mapping[str, object]) -> None:
    if tool not in known:
        raise UserError(f"expected a tool of {', '.join(known)}, found {quoted(tool)}")

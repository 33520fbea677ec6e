"""The annotation tools by name: what each is given and how its labels are read."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from jaxsel.annotation.coco import export_coco, import_coco
from jaxsel.annotation.cvat import export_cvat, import_cvat
from jaxsel.annotation.fiftyone import export_fiftyone
from jaxsel.annotation.label_studio import export_label_studio, import_label_studio
from jaxsel.annotation.labels import Label
from jaxsel.annotation.options import ExportOptions, ImportOptions
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.spreadsheet import export_csv, import_csv
from jaxsel.errors import UserError
from jaxsel.files import write_text

Exporter = Callable[[Sequence[Pick], ExportOptions], dict[str, str]]
Importer = Callable[[Path, Sequence[Pick], ImportOptions], dict[str, Label]]

EXPORTERS: Mapping[str, Exporter] = MappingProxyType(
    {
        "label-studio": export_label_studio,
        "cvat": export_cvat,
        "fiftyone": export_fiftyone,
        "coco": export_coco,
        "csv": export_csv,
    }
)
IMPORTERS: Mapping[str, Importer] = MappingProxyType(
    {
        "label-studio": import_label_studio,
        "cvat": import_cvat,
        "fiftyone": import_csv,
        "coco": import_coco,
        "csv": import_csv,
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
      UserError: no such tool, or picks that it can not show.

    Example:
      >>> list(export("cvat", [Pick(1, "a", "a.png", 7, 0.5, 9)]))
      ['manifest.jsonl', 'files.txt']
    """
    _check(tool, EXPORTERS)
    return EXPORTERS[tool](picks, options or ExportOptions())


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Writes an export into a folder, each file whole or not at all.

    Raises:
      UserError: the folder holds one of the files already; nothing was written.
    """
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise UserError(
            f"expected no earlier export in {folder}, found {', '.join(there)}; give "
            "another folder, or remove them"
        )
    for name, text in files.items():
        write_text(folder / name, text)


def import_labels(
    tool: str,
    path: Path,
    picks: Sequence[Pick],
    options: ImportOptions | None = None,
) -> dict[str, Label]:
    """Labels as a tool gives them back.

    Args:
      tool: one of `IMPORTERS`.
      path: the file that the tool exported.
      picks: what it was given.
      options: the tool's module says which it uses.

    Returns:
      A class's name or `UNUSABLE` by id of the pick, in the file's order; picks that
      nobody labelled are not there.

    Raises:
      UserError: no such tool, or a file that is not what it exports for these picks.
    """
    _check(tool, IMPORTERS)
    return IMPORTERS[tool](path, picks, options or ImportOptions())


def _check(tool: str, known: Mapping[str, object]) -> None:
    if tool not in known:
        raise UserError(f"expected a tool of {', '.join(known)}, found {tool!r}")

"""The workdir: one study, one process at a time, one identity for life."""

import pathlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jaxsel.errors import UserError
from jaxsel.experiment.grid import Grid, grid_of, joined
from jaxsel.experiment.identity import EXTENDABLE, join_identities
from jaxsel.experiment.provenance import provenance
from jaxsel.experiment.settings import Settings
from jaxsel.files import alone_in, read_json, write_json


@contextmanager
def opened(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Makes a workdir if need be and keeps other processes out of it.

    The lock falls with the process, however it ends. A workdir that a mistake in the
    config or the data left empty is removed again.

    Raises:
      UserError: the folder cannot be written, or another process works in it.
    """
    busy = "another process working there: wait for it, or use another --workdir"
    with alone_in(path, busy):
        try:
            yield path
        except UserError:
            if [inside.name for inside in path.iterdir()] == [".lock"]:
                (path / ".lock").unlink()
                path.rmdir()
            raise


def earlier_study(workdir: pathlib.Path) -> dict[str, Any] | None:
    """The manifest of an earlier start in this workdir, if there was one.

    Raises:
      UserError: the folder holds results but no manifest: they are not overwritten.
    """
    path = workdir / "manifest.json"
    if path.exists():
        return read_json(path)
    for name in ("results.csv", "runs.jsonl", "picks.jsonl"):
        if (workdir / name).exists():
            raise UserError(
                f"expected manifest.json beside {name} in {workdir}, found none: "
                "restore it, or use another --workdir (nothing was changed)"
            )
    return None


def with_earlier(resolved: dict[str, Any], earlier: dict[str, Any]) -> dict[str, Any]:
    """A config joined by what earlier starts in the workdir added to the study.

    Args:
      resolved: the resolved config of this start.
      earlier: the manifest.

    Returns:
      A copy whose extendable lists hold the earlier values first, and whose selectors
      and frameworks are completed by the earlier ones.
    """
    joined = dict(resolved)
    study, identity = earlier["study"], earlier["identity"]
    for field in EXTENDABLE:
        joined[field] = study[field] + [
            value for value in resolved[field] if value not in study[field]
        ]
    joined["selectors"] = {
        **resolved["selectors"],
        **{
            label: entry
            for label, entry in identity["selectors"].items()
            if label not in resolved["methods"]
        },
    }
    for framework, settings in identity["frameworks"].items():
        if framework not in resolved["frameworks"]:
            joined[framework] = settings
    return joined


def with_earlier_grids(
    settings: Settings, own: Grid, earlier: dict[str, Any]
) -> Settings:
    """Settings that ask for what earlier starts asked for, and for this start's grid.

    Args:
      settings: of the joined config.
      own: the grid of this start's config.
      earlier: the manifest.

    Returns:
      The settings.
    """
    # A study of before grids were kept is the product of its lists.
    entries = earlier.get("grids", [earlier["study"]])
    return settings._replace(grids=tuple(joined(map(grid_of, entries), own)))


def write_manifest(
    workdir: pathlib.Path,
    earlier: dict[str, Any] | None,
    identity: dict[str, Any],
    settings: Settings,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Joins this start to the manifest, or refuses it.

    Args:
      workdir: the workdir.
      earlier: the manifest so far.
      identity: of this start.
      settings: the checked config, joined by what earlier starts asked for.
      facts: about data and features, for people.

    Returns:
      The manifest as written.

    Raises:
      UserError: an identity field differs from the workdir's.
    """
    starts, resolved = [], settings.resolved
    if earlier is not None:
        identity = join_identities(str(workdir), earlier["identity"], identity)
        starts = earlier["starts"]
    manifest = {
        "identity": identity,
        "study": {field: resolved[field] for field in EXTENDABLE},
        "grids": [grid._asdict() for grid in settings.grids],
        "config": resolved,
        **facts,
        "starts": [*starts, provenance()],
    }
    write_json(workdir / "manifest.json", manifest)
    return manifest

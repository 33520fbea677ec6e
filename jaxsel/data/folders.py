"""Where data sets and caches lie, and what tells one prepared set from another."""

import os
import pathlib
from typing import Any

from jaxsel.data.catalog import DatasetSpec
from jaxsel.files import hash_of

Folder = str | os.PathLike[str]


def data_root(data_dir: Folder | None) -> pathlib.Path:
    """The tfds data folder: the argument, `$TFDS_DATA_DIR`, `~/tensorflow_datasets`."""
    chosen = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return pathlib.Path(chosen).expanduser().absolute()


def cache_root(cache_dir: Folder | None) -> pathlib.Path:
    """The cache folder: the argument, `$JAXSEL_CACHE`, `~/.cache/jaxsel`."""
    chosen = cache_dir or os.environ.get("JAXSEL_CACHE") or "~/.cache/jaxsel"
    return pathlib.Path(chosen).expanduser().absolute()


def prepared(spec: DatasetSpec, data_dir: Folder | None) -> pathlib.Path:
    """Where the prepared set is or would be: `DATA_DIR/name/version`."""
    return data_root(data_dir) / spec.name / spec.version


def is_prepared(directory: pathlib.Path) -> bool:
    """Whether a set was prepared there; tfds writes the file last."""
    return (directory / "dataset_info.json").is_file()


def identity(spec: DatasetSpec, directory: pathlib.Path, split: str) -> dict[str, Any]:
    """What a cache of a split was made from: the folder and its files as they are now.

    Returns:
      JSON values that change when a file of the set changes in size or time.
    """
    listed = [
        [path.name, path.stat().st_size, path.stat().st_mtime_ns]
        for path in sorted(directory.iterdir())
        if path.is_file()
    ]
    return {
        "name": spec.name,
        "version": spec.version,
        "split": split,
        "directory": str(directory.resolve()),
        "files": listed,
    }


def cache_folder(
    spec: DatasetSpec,
    directory: pathlib.Path,
    split: str,
    cache_dir: Folder | None,
) -> pathlib.Path:
    """The cache of a split of the set in `directory`; other directories have others."""
    place = hash_of(str(directory.resolve()), length=8)
    return cache_root(cache_dir) / spec.name / f"{split}-{place}"

"""Preparing a data set: from its original archive to array_record files."""

import contextlib
import errno
import importlib
import io
import lzma
import pathlib
import pickle
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

from absl import logging

from jaxsel.data import folders
from jaxsel.data.catalog import DatasetSpec, dataset
from jaxsel.data.download import ANSWER_SECONDS, NoAnswer, download, md5_of
from jaxsel.errors import UserError

_NO_NETWORK = "python -m jaxsel.main --config configs/digits.py"
# What reading an archive raises when it is cut short or is something else.
_UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    pickle.UnpicklingError,
)
# What says that the fault lies with the folder that is written to.
_UNWRITABLE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
    errno.EEXIST,
)


def prepare(
    name: str | DatasetSpec,
    *,
    data_dir: folders.Folder | None = None,
    manual_dir: folders.Folder | None = None,
    source: folders.Folder | None = None,
    progress: bool = True,
    answer_seconds: float = ANSWER_SECONDS,
) -> pathlib.Path:
    """Makes sure that a data set is prepared, from what is at hand or from the network.

    Looks for the prepared set, then for its archive (or the unpacked folder) in
    `manual_dir`, then for an archive downloaded before, and then downloads it.

    Args:
      name: a data set of `jaxsel.data.DATASETS`.
      data_dir: the tfds data folder; default `$TFDS_DATA_DIR`, or
        `~/tensorflow_datasets`.
      manual_dir: where archives are placed by hand; default
        `DATA_DIR/downloads/manual`.
      source: an archive or folder to build from, whatever its name and checksum.
      progress: whether a terminal shows progress bars.
      answer_seconds: how long an address may stay silent.

    Returns:
      The prepared folder, `DATA_DIR/name/version`.

    Raises:
      UserError: nothing to prepare it from, an archive that is damaged, or a folder
        that cannot be written.

    Example:
      >>> import tempfile
      >>> folder = prepare("digits", data_dir=tempfile.mkdtemp(), progress=False)
      >>> (folder / "dataset_info.json").exists()
      True
    """
    spec = dataset(name)
    directory = folders.prepared(spec, data_dir)
    if folders.is_prepared(directory):
        return directory
    if directory.exists():
        raise UserError(
            f"expected a prepared {spec.name} in {directory}, found a folder without "
            "dataset_info.json: delete it and run again, and the set is prepared anew"
        )
    downloads = folders.data_root(data_dir) / "downloads"
    manual = pathlib.Path(manual_dir).expanduser() if manual_dir else None
    found = _find(
        spec,
        directory,
        downloads,
        manual or downloads / "manual",
        pathlib.Path(source).expanduser() if source else None,
        progress,
        answer_seconds,
    )
    try:
        _build(spec, folders.data_root(data_dir), found, progress)
    except UserError:
        # Another process may have been quicker; what it made is as good.
        if not folders.is_prepared(directory):
            raise
    return directory


def _find(
    spec: DatasetSpec,
    directory: pathlib.Path,
    downloads: pathlib.Path,
    manual: pathlib.Path,
    source: pathlib.Path | None,
    progress: bool,
    answer_seconds: float,
) -> pathlib.Path | None:
    """What to build from; None for data that come with a library."""
    if source is not None:
        if not source.exists():
            raise UserError(
                f"expected an archive or folder of {spec.name} at {source}, found "
                "nothing there: check the path"
            )
        return source
    if spec.manual_files:
        missing = [name for name in spec.manual_files if not (manual / name).is_file()]
        if missing:
            what = f"{' and '.join(spec.manual_files)} in {manual}"
            raise _missing(spec, directory, what, f"no {missing[0]}", what)
        return manual
    if spec.archive is None:
        return None
    if spec.folder is not None and (manual / spec.folder).is_dir():
        return manual / spec.folder
    archive = spec.archive
    for path in (manual / archive.filename, downloads / archive.filename):
        if path.is_file():
            _check_archive(path, archive.md5)
            return path
    place = f"{archive.filename} in {manual}"
    what = f"{archive.filename} in {manual} or {downloads}"
    if archive.url is None:
        raise _missing(spec, directory, what, "neither", place)
    try:
        logging.info("Downloading %s (%d MB)", archive.url, archive.megabytes)
        return download(
            archive, downloads, progress=progress, answer_seconds=answer_seconds
        )
    except NoAnswer as error:
        found = f"neither, and {archive.url} cannot be downloaded ({error})"
        raise _missing(spec, directory, what, found, place) from error
    except OSError as error:
        raise _unwritable(downloads, error) from error


def _missing(
    spec: DatasetSpec,
    directory: pathlib.Path,
    expected: str,
    found: str,
    place: str,
) -> UserError:
    return UserError(
        f"{spec.name} is missing: expected it prepared in {directory}, or {expected}, "
        f"found {found}; place {place}, or run what needs no network: {_NO_NETWORK}"
    )


def _unwritable(folder: pathlib.Path, error: OSError) -> UserError:
    return UserError(
        f"expected a data folder that can be written at {folder}, found: "
        f"{error.strerror or error}; choose another with --data_dir or TFDS_DATA_DIR"
    )


def _check_archive(path: pathlib.Path, expected: str | None) -> None:
    found = None if expected is None else md5_of(path)
    if found != expected:
        raise UserError(
            f"expected MD5 {expected} of {path}, found {found}: the file is damaged or "
            "another version; delete it or replace it, and run again"
        )


def _build(
    spec: DatasetSpec,
    root: pathlib.Path,
    source: pathlib.Path | None,
    progress: bool,
) -> None:
    """Runs the builder; tfds writes beside the final folder and renames at the end."""
    import tensorflow_datasets as tfds

    module, _, name = spec.builder.partition(":")
    logging.info("Preparing %s in %s", spec.name, root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _tfds_bars(progress and sys.stderr.isatty()):
            builder = getattr(importlib.import_module(module), name)(
                source=source, data_dir=root, file_format="array_record"
            )
            # Google's bucket has some of these sets, but as TensorFlow's records.
            config = tfds.download.DownloadConfig(try_download_gcs=False)
            # What tfds prints is said by the log, and standard output is not ours.
            with contextlib.redirect_stdout(io.StringIO()):
                builder.download_and_prepare(download_config=config)
    except UserError:
        raise
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno in _UNWRITABLE:
            raise _unwritable(root, error) from error
        text = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"expected a readable original of {spec.name} in {source}, found: {text}; "
            "replace it by a whole copy and run again"
        ) from error


@contextlib.contextmanager
def _tfds_bars(shown: bool) -> Iterator[None]:
    """Shows or hides tfds' progress bars meanwhile."""
    from tensorflow_datasets.core.utils import tqdm_utils

    before = tqdm_utils._active
    tqdm_utils.display_progress_bar(shown)
    try:
        yield
    finally:
        tqdm_utils.display_progress_bar(before)

"""Weights by path or by their name on the Hugging Face hub, downloaded once."""

import os
import pathlib
import re
import tempfile
import urllib.parse
from typing import Any, NamedTuple

from absl import logging

from jaxsel.data.catalog import Archive
from jaxsel.data.download import NoAnswer, download
from jaxsel.data.folders import cache_root
from jaxsel.errors import UserError
from jaxsel.features.safetensors import read_safetensors
from jaxsel.files import read_json, sha256_of_file, writable_folder, write_json

FILENAME = "model.safetensors"
# What the hub's folders hold where nobody converted them.
_TORCH_NAMES = ("pytorch_model.bin",)
# No model of the hub is called so: these are paths, wrong ones.
_OF_FILES = (".safetensors", ".pth", ".pt", ".bin", ".npz", ".ckpt")
RECORD = "model.safetensors.json"
# Where the hub's own converter leaves the format when authors published another one.
REVISIONS = ("main", "refs/pr/1")
# Two revisions that stay silent are given up on within 15 seconds.
POINTER_SECONDS = 6.0


class Pointer(NamedTuple):
    """What the hub says of a large file: its SHA-256 and its bytes."""

    sha256: str
    size: int


def weights_file(source: str) -> pathlib.Path:
    """The file that an encoder's weights, as they were given, stand for.

    A path is taken as it is. For a name on the hub, like `facebook/dino-vits16`, the
    file is downloaded to `~/.cache/jaxsel/weights` ($JAXSEL_CACHE) unless it is there.
    A download is checked against the SHA-256 and size that the hub's pointer to the
    file states; where the hub gives none, only the length is checked, a warning says
    so, and the checksum of what came is kept. It is recorded beside the file in either
    case, and every later use is checked against the record. That protects from damage
    and from a file that changed, not from a hub that lied the first time: no checksum
    is built in here. A file that was placed in the folder by hand is recorded as it is.

    Args:
      source: a path, or OWNER/NAME on the hub ($HF_ENDPOINT names another server).

    Returns:
      The file's path.

    Raises:
      UserError: there is no such file, and it cannot be downloaded; or what was
        downloaded is not what the hub says. The message says where to put the file.
    """
    path = pathlib.Path(source).expanduser()
    if path.is_file():
        return path
    for name in (FILENAME, *_TORCH_NAMES):
        if (path / name).is_file():
            return path / name
    if (
        not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+", source)
        or path.suffix in _OF_FILES
        or path.is_dir()
    ):
        raise UserError(
            "expected weights that are a file (.safetensors, or PyTorch's .pth), or a "
            "name on the hub like facebook/dino-vits16, found neither at "
            f"{source or '(nothing)'}: correct the path"
        )
    folder = cache_root(None) / "weights" / source.replace("/", "--")
    file = folder / FILENAME
    if not file.is_file() or not _as_recorded(file):
        _fetch(source, folder)
    return file


def _as_recorded(file: pathlib.Path) -> bool:
    """Whether a file is the one on record; one that was placed there is recorded."""
    record = file.with_name(RECORD)
    found = sha256_of_file(file)
    if not record.is_file():
        write_json(record, {"url": "placed by hand", "sha256": found})
        return True
    try:
        expected: Any = read_json(record)["sha256"]
    except (UserError, KeyError, TypeError):
        expected = "a record that is damaged"
    if found != expected:
        logging.warning(
            "%s has SHA-256 %s, not %s: downloaded anew", file, found, expected
        )
    return bool(found == expected)


def _fetch(name: str, folder: pathlib.Path) -> None:
    """Downloads a model's file, checks it, and only then puts it in its place."""
    server = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    writable_folder(folder)
    reasons = []
    for revision in REVISIONS:
        place = urllib.parse.quote(revision, safe="")
        url = f"{server}/{name}/resolve/{place}/{FILENAME}"
        with tempfile.TemporaryDirectory(dir=folder, prefix=".part.") as scratch:
            part = pathlib.Path(scratch)
            try:
                stated = _pointer(f"{server}/{name}/raw/{place}/{FILENAME}", part)
                came = download(Archive(FILENAME, url, None, 87), part)
            except NoAnswer as error:
                reasons.append(f"{url}: {error}")
                continue
            record = _checked(came, url, stated)
            write_json(folder / RECORD, record)
            came.replace(folder / FILENAME)
            return
    raise UserError(
        f"expected the weights {name}, found none at {folder / FILENAME}, and they "
        f"cannot be downloaded ({'; '.join(reasons)}): place the file there, or give "
        "its path as the encoder's weights"
    )


def _pointer(url: str, scratch: pathlib.Path) -> Pointer | None:
    """What the hub states of the file, in Git LFS's form; `None` for another answer."""
    file = download(
        Archive("pointer", url, None, 0),
        scratch,
        progress=False,
        answer_seconds=POINTER_SECONDS,
    )
    text = file.read_bytes()[:1000].decode("utf-8", errors="replace")
    sha256 = re.search(r"^oid sha256:([0-9a-f]{64})$", text, re.MULTILINE)
    size = re.search(r"^size (\d+)$", text, re.MULTILINE)
    if sha256 is None or size is None:
        return None
    return Pointer(sha256[1], int(size[1]))


def _checked(file: pathlib.Path, url: str, stated: Pointer | None) -> dict[str, Any]:
    """The record of a download that is what the hub says, or an error."""
    found = Pointer(sha256_of_file(file), file.stat().st_size)
    if stated is None:
        logging.warning("%s: the server states no checksum to check it by", url)
        read_safetensors(file)  # at least it is of the format, and whole
    elif found != stated:
        raise UserError(
            f"expected SHA-256 {stated.sha256} and {stated.size} bytes of {url}, found "
            f"{found.sha256} and {found.size}: the download was discarded; try again"
        )
    return {"url": url, "checked": stated is not None, **found._asdict()}

"""One file from the network: quick to fail, checked, and whole or not there at all."""

import hashlib
import pathlib
import queue
import threading
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import IO, Any

from tqdm import tqdm

from jaxsel.data.catalog import Archive
from jaxsel.errors import UserError
from jaxsel.files import replacing

ANSWER_SECONDS = 10.0
_CHUNK = 1 << 18


class NoAnswer(Exception):
    """The address did not answer, or stopped answering; the message says how."""


def download(
    archive: Archive,
    folder: pathlib.Path,
    *,
    progress: bool = True,
    answer_seconds: float = ANSWER_SECONDS,
) -> pathlib.Path:
    """Downloads an archive and checks its MD5.

    The name look-up of a machine without a network can hang for longer than any socket
    timeout, so the first answer is awaited from another thread.

    Args:
      archive: what to get and from where; its `url` must be given.
      folder: where the file is put.
      progress: whether a terminal shows a progress bar.
      answer_seconds: how long the address may stay silent.

    Returns:
      The file's path, `folder / archive.filename`.

    Raises:
      NoAnswer: there is no network, or the address is silent or refuses.
      UserError: the file that came has another checksum.
    """
    if archive.url is None:
        raise ValueError(f"{archive.filename} has no address to download from")
    target = folder / archive.filename
    response = _answer(archive.url, answer_seconds)
    try:
        with response, replacing(target) as part, part.open("wb") as stream:
            found = _copy(response, stream, archive.filename, progress)
            if archive.md5 is not None and found != archive.md5:
                raise UserError(
                    f"expected MD5 {archive.md5} of {archive.url}, found {found}: the "
                    f"download was discarded; try again, or place {archive.filename} "
                    f"in {folder / 'manual'} by hand"
                )
    except (TimeoutError, ConnectionError, HTTPException) as error:
        raise NoAnswer(f"the download stopped: {_reason(error)}") from error
    return target


def md5_of(path: pathlib.Path) -> str:
    """MD5 of a file's bytes, as hexadecimal text: what the archives are published with.

    Example:
      >>> import pathlib, tempfile
      >>> path = pathlib.Path(tempfile.mkdtemp()) / "empty"
      >>> path.touch()
      >>> md5_of(path)
      'd41d8cd98f00b204e9800998ecf8427e'
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, _md5).hexdigest()


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)


def _answer(url: str, seconds: float) -> Any:
    """Opens `url` in a thread of its own and waits for it no longer than `seconds`."""
    answers: queue.Queue[Any] = queue.Queue()
    request = urllib.request.Request(url, headers={"User-Agent": "jaxsel"})

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(request, timeout=seconds))
        except (OSError, HTTPException) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise NoAnswer(f"no answer within {seconds:g} s") from None
    if isinstance(answer, Exception):
        raise NoAnswer(_reason(answer)) from answer
    return answer


def _copy(response: Any, stream: IO[bytes], name: str, progress: bool) -> str:
    """Copies a response to a file and returns its MD5; a short one is an error."""
    length = int(response.headers.get("Content-Length", 0)) or None
    digest = _md5()
    done = 0
    bar = tqdm(
        desc=f"Downloading {name}",
        total=length,
        unit="B",
        unit_scale=True,
        disable=None if progress else True,
    )
    with bar:
        while chunk := response.read(_CHUNK):
            stream.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            bar.update(len(chunk))
    if length is not None and done < length:
        raise ConnectionError(f"{done} of {length} bytes came")
    return digest.hexdigest()


def _reason(error: Exception) -> str:
    """The cause in words, on one line."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    cause = getattr(error, "reason", error)
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return " ".join(str(text).split())

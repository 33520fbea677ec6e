"""A folder for what a verb writes: new, empty, or given up by --force."""

import os
import pathlib
from collections.abc import Sequence

from jaxsel.errors import UserError

PICKS, INDICES, ROUND, MANIFEST = (
    "picks.csv",
    "picks.npy",
    "round.json",
    "manifest.json",
)
ASSIGNMENTS, COVERAGE, REPORT = "assignments.parquet", "coverage.csv", "report.html"
OURS = (PICKS, INDICES, ASSIGNMENTS, COVERAGE, REPORT, ROUND, MANIFEST)
# Verbs that write a folder, and the one they write where none is named.
_WRITES = {"select": "picks", "stream": "picks", "backfill": None}
# Options whose files are read: without one of them all work would be in vain.
_READ = ("--labelled", "--labels", "--continue", "--table", "--include", "--exclude")


def check_new(folder: pathlib.Path, force: bool) -> None:
    """Refuses a folder that holds anything, before any work is done.

    Args:
      folder: where a round is to be written.
      force: whether files of an earlier round may be replaced; others are never
        touched.

    Raises:
      UserError: it is a file, holds something and `force` is not set, or cannot be
        written.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"expected a folder for -o, found a file: {folder}")
    if folder.is_dir() and not force and (there := sorted(folder.iterdir())):
        raise UserError(
            f"expected a new or empty folder, found {len(there)} files in {folder} "
            f"(first: {there[0].name!r}): give another with -o, or --force to replace "
            f"{', '.join(OURS)} in it"
        )
    near = folder.absolute()
    while not near.exists():
        near = near.parent
    if not (near.is_dir() and os.access(near, os.W_OK | os.X_OK)):
        raise UserError(
            f"expected a folder that can be written at {folder}, found that {near} "
            "cannot be: give another with -o"
        )


def check_words(verb: str, words: Sequence[str]) -> None:
    """Refuses what the words alone rule out, before JAX is imported (that is slow).

    The verb itself checks the same again.

    Args:
      verb: its name.
      words: those after it.

    Raises:
      UserError: -o names a folder that holds something, or a file that is to be read is
        not there.
    """
    if verb not in _WRITES or "--help" in words:
        return
    for option in _READ:
        named = _value(words, option)
        if named is not None and not pathlib.Path(named).exists():
            raise UserError(
                f"expected a file or folder for {option}, found nothing at {named}: "
                "check the path"
            )
    out = _value(words, "--out", "-o") or _WRITES[verb]
    if out is not None:
        check_new(pathlib.Path(out), "--force" in words and verb != "backfill")


def _value(words: Sequence[str], name: str, short: str = "") -> str | None:
    """The value of an option, the last where it is given twice."""
    found = None
    for place, word in enumerate(words):
        if word == "--":
            break
        if word in (name, short) and word and place + 1 < len(words):
            found = words[place + 1]
        elif word.startswith(f"{name}="):
            found = word.removeprefix(f"{name}=")
        elif short and word.startswith(short) and word != short:
            found = word.removeprefix(short).removeprefix("=")
    return found

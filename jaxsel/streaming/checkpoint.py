"""A selection's state in a folder, replaced whole after every step.

`identity.json` says of what pool, method, options and seed the state is; `state.npz`
holds the arrays, the identity's hash, so that the two belong together, and the hashes
of all rows of the pool, so that a selection goes on only where they are the same.
"""

import pathlib
import zipfile
from typing import Any, NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.files import hash_of, read_json, replacing, write_json
from jaxsel.npy_header import load_member
from jaxsel.streaming.procedure import State

# 1 had no hashes of the pool's rows.
VERSION = 2
_HASH, _ROWS = "identity_hash", "row_hashes"


class Saved(NamedTuple):
    """What a checkpoint holds.

    Attributes:
      state: the method's.
      hashes: of the pool's rows, see `jaxsel.pools.contents.Contents`.
    """

    state: State
    hashes: np.ndarray


class Checkpoint:
    """Where the state of one selection is kept."""

    def __init__(self, folder: pathlib.Path, identity: dict[str, Any]) -> None:
        """Claims a folder for a selection.

        Args:
          folder: made when it is missing.
          identity: what determines the picks; JSON can hold it.

        Raises:
          UserError: the folder holds another selection's state, or cannot be written.
        """
        self._identity = {"version": VERSION, **identity}
        self._state = folder / "state.npz"
        said = folder / "identity.json"
        if said.exists():
            _check_same(read_json(said), self._identity, folder)
            return
        if self._state.exists():
            raise UserError(
                f"expected identity.json beside {str(self._state)!r}, found none: "
                "restore it, or give another folder for the checkpoint"
            )
        try:
            write_json(said, self._identity)
        except OSError as error:
            raise _not_written(said, error, "nothing was selected yet") from error

    def load(self) -> Saved | None:
        """The last state, or None where there is none yet.

        Raises:
          UserError: the file is damaged, or not of this selection.
        """
        if not self._state.exists():
            return None
        try:
            with self._state.open("rb") as opened, np.load(opened) as file:
                state = {name: load_member(file, name) for name in file.files}
            found, hashes = str(state.pop(_HASH)), state.pop(_ROWS)
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise UserError(
                f"expected a checkpoint in {str(self._state)!r}, found it damaged "
                f"({error}): delete it to start over"
            ) from error
        if found != hash_of(self._identity):
            raise UserError(
                f"expected the state of this selection in {str(self._state)!r}, found "
                "another's: delete it to start over, or give another folder"
            )
        return Saved(state, hashes)

    def save(self, state: State, hashes: np.ndarray) -> None:
        """Replaces the state, whole or not at all.

        Args:
          state: the method's.
          hashes: of all rows of the pool.

        Raises:
          UserError: the disk is full, or the folder cannot be written; the state saved
            before is as it was.
        """
        about: State = {_HASH: np.str_(hash_of(self._identity)), _ROWS: hashes}
        try:
            with replacing(self._state) as part, part.open("wb") as file:
                np.savez(file, allow_pickle=False, **about, **state)
        except OSError as error:
            had = self._state.exists()
            kept = "the checkpoint before it is intact" if had else "none was there yet"
            raise _not_written(self._state, error, kept) from error


def _not_written(path: pathlib.Path, error: OSError, kept: str) -> UserError:
    return UserError(
        f"expected to write the checkpoint {str(path)!r}, found: {error.strerror}; "
        f"{kept}: make room and give the same command again to go on"
    )


def _check_same(found: Any, wanted: dict[str, Any], folder: pathlib.Path) -> None:
    if found == wanted:
        return
    names = [
        name
        for name in wanted
        if not isinstance(found, dict) or found.get(name) != wanted[name]
    ]
    if isinstance(found, dict) and found.get("version") == 1:
        raise UserError(
            f"expected a checkpoint that knows the pool's rows in {str(folder)!r}, "
            "found one of an earlier jaxsel, which cannot tell whether they have "
            "changed: give another folder to start over"
        )
    what = ", ".join(names or ["identity"])
    raise UserError(
        f"expected the checkpoint of this selection in {str(folder)!r}, found one of "
        f"another {what}: give another folder, or what it was begun with"
    )

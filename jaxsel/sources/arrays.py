"""Feature files of NumPy: `.npy`, memory-mapped, and `.npz`, by the arrays' names."""

import pathlib
import zipfile
from collections.abc import Mapping

import numpy as np

from jaxsel.arrow import text_of_id
from jaxsel.columns import roles_of
from jaxsel.errors import UserError
from jaxsel.npy_header import Header, load_member, load_npy, read_header
from jaxsel.roles import (
    FLAG,
    NOTHING,
    NUMBER,
    OTHER,
    TEXT,
    VECTOR,
    Asked,
    Column,
    Roles,
    listed,
)
from jaxsel.tables import ids_of


def read_npy(file: pathlib.Path) -> np.ndarray:
    """Maps an `.npy` file; nothing but its header is read yet.

    Args:
      file: the file.

    Returns:
      The array, read-only. (Numbers in another machine's byte order are read into
      memory in this one's.)

    Raises:
      UserError: the file is damaged, truncated, or holds Python objects.
    """
    try:
        return load_npy(file, mapped=True)
    except (OSError, ValueError) as error:
        raise damaged(file, error) from error


def read_npz(
    file: pathlib.Path, asked: Asked = NOTHING
) -> tuple[np.ndarray, np.ndarray | None, Roles]:
    """Reads a matrix and its ids from an `.npz`.

    Arrays of two dimensions are to the rule of `jaxsel.columns` what columns of vectors
    are in a table, and those of one dimension what columns of text or numbers are; but
    without a matrix there are no features. No other array is read.

    Args:
      file: the file.
      asked: what the caller says of its arrays.

    Returns:
      The matrix as stored; the ids, str `[m]`, or `None`; and what the arrays are.

    Raises:
      UserError: the file is damaged, no or several matrices could be meant, or what is
        meant holds Python objects.
    """
    roles = roles_of_npz(file, headers(file), asked)
    rows = _array(file, roles.features[0])

    def names(name: str) -> np.ndarray:
        return _names(file, name, len(rows))

    return rows, *ids_of(roles, names)


def headers(file: pathlib.Path) -> dict[str, Header]:
    """Shape and type of every array of an `.npz`; no array is read.

    Raises:
      UserError: the file is damaged.
    """
    known: dict[str, Header] = {}
    try:
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                size = archive.getinfo(name).file_size
                with archive.open(name) as stream:
                    header = read_header(stream, size, objects=True)
                known[name.removesuffix(".npy")] = header
    except Exception as error:  # zipfile, zlib and NumPy each raise their own kinds
        raise damaged(file, error) from error
    return known


def roles_of_npz(
    file: pathlib.Path, known: Mapping[str, Header], asked: Asked
) -> Roles:
    """Which array is the features and which may be the ids.

    Raises:
      UserError: no or several matrices could be meant.
    """
    where = repr(str(file))
    if asked.columns:
        raise UserError(
            f"expected --features NAME (features= in Python) with {where}, found "
            "columns: the features of an .npz are one matrix"
        )
    found = [Column(name, _kind(one), _words(one)) for name, one in known.items()]
    matrices = [column for column in found if column.kind == VECTOR]
    named = [column for column in found if column.name == "features"]
    if not asked.features and (named or not matrices):
        if not named:
            raise UserError(
                f"expected an array called features, or one matrix, in {where}, found "
                f"no matrix among {listed(sorted(known)) or 'no arrays'}: call one "
                "features"
            )
        asked = asked._replace(features="features")
        found = [c._replace(kind=VECTOR) if c in named else c for c in found]
    roles = roles_of(found, asked, where=where)
    if not roles.vector:
        raise UserError(
            f"expected a matrix as features in {where}, found that "
            f"{roles.features[0]!r} is {_words(known[roles.features[0]])}: choose "
            "another with --features (features= in Python)"
        )
    if known[roles.features[0]].dtype.hasobject:
        raise damaged(file, ValueError("it holds Python objects"))
    return roles


def _kind(one: Header) -> str:
    kind = one.dtype.kind
    if len(one.shape) == 2:
        return VECTOR if kind in "fiu" else OTHER
    if len(one.shape) != 1:
        return OTHER
    kinds = {"b": FLAG, "U": TEXT, "S": TEXT, "O": TEXT}
    return kinds.get(kind, NUMBER if kind in "fiu" else OTHER)


def _words(one: Header) -> str:
    return f"{one.dtype} {list(one.shape)}"


def _array(file: pathlib.Path, name: str) -> np.ndarray:
    try:
        # A stream of ours is closed whatever becomes of the file.
        with file.open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            return load_member(loaded, name)
    except Exception as error:  # zipfile, zlib and NumPy each raise their own kinds
        raise damaged(file, error) from error


def _names(file: pathlib.Path, name: str, n: int) -> np.ndarray:
    """Ids as text, one a row."""
    stored = _array(file, name)
    if stored.shape != (n,):
        raise UserError(
            f"expected {n} ids in {name!r} of {str(file)!r}, one a row, found shape "
            f"{list(stored.shape)}"
        )
    try:
        return np.array([text_of_id(value) for value in stored.tolist()], dtype=str)
    except ValueError as error:
        raise UserError(
            f"expected ids that are text or whole numbers in {name!r} of "
            f"{str(file)!r}, found {error}: write them as text"
        ) from error


def damaged(file: pathlib.Path, error: Exception) -> UserError:
    """The mistake of a file that cannot be read."""
    reason = " ".join(str(error).split()) or type(error).__name__
    hint = "write it again"
    if "allow_pickle" in reason or "Python objects" in reason:
        reason, hint = "it holds Python objects", "store names as np.array(names, str)"
    return UserError(
        f"expected a readable NumPy file of numbers, found {str(file)!r} damaged or of "
        f"another kind ({reason}): {hint}"
    )

"""Crafted `.npy` files: every reader refuses them in one line of `UserError`."""

import io
import pathlib
import zipfile

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.features.from_file import read_features
from jaxsel.npy_header import load_member, load_npy, read_header
from jaxsel.pools.opening import open_pool
from jaxsel.sources.opening import open_source
from jaxsel.sources.size import size_of
from jaxsel.verbs.labelled import indices_in


def crafted(shape, descr="'<f4'", *, version=(1, 0), data=64, fortran=False) -> bytes:
    """A file whose header says what `numpy.save` would not write."""
    text = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"
    width = 2 if version == (1, 0) else 4
    length = len(text).to_bytes(width, "little")
    return b"\x93NUMPY" + bytes(version) + length + text.encode() + b"\0" * data


WHOLE = crafted("(4, 4)")
BAD = {
    "negative": crafted("(-4, -4)"),
    "negative once": crafted("(4, -4)"),
    "bool": crafted("(True, 4)"),
    "huge": crafted("(4611686018427387904, 4)"),
    "huge beyond 64 bits": crafted(f"({2**64 - 1}, 4)"),
    "larger than any memory": crafted("(99999999999, 4)"),
    "no tuple": crafted("4"),
    "float": crafted("(4.0, 4)"),
    "objects": crafted("(4, 4)", "'|O'", data=128),
    "no type": crafted("(4, 4)", "'<q9'"),
    "type of another kind": crafted("(4, 4)", "[1, 2]"),
    "code": crafted("__import__('os').getpid()"),
    "deep": crafted("(" * 4000 + "4" + ")" * 4000),
    "unclosed": crafted("(4, 4"),
    "version 9": crafted("(4, 4)", version=(9, 9)),
    "truncated header": WHOLE[:40],
    "header of 4 GB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + WHOLE[10:],
    "magic alone": WHOLE[:6],
    "truncated numbers": WHOLE[:-1],
    "empty": b"",
    "text": b"id,a,b\n1,2,3\n",
}


@pytest.mark.parametrize("name", BAD)
def test_every_reader_refuses_in_one_line(name, tmp_path: pathlib.Path) -> None:
    file, packed = tmp_path / "rows.npy", tmp_path / "rows.npz"
    file.write_bytes(BAD[name])
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("features.npy", BAD[name])
        archive.writestr("ids.npy", crafted("(4,)", "'<U1'"))
    ids = np.array(list("abcd"))
    readers = {
        "open_pool": lambda: open_pool(file),
        "open_source": lambda: open_source(file, progress=False),
        "open_source npz": lambda: open_source(packed, progress=False),
        "size_of": lambda: size_of(file),
        "size_of npz": lambda: size_of(packed),
        "indices_in": lambda: indices_in(file, 4),
        "read_features": lambda: read_features(str(file), ids, {}),
        "read_features npz": lambda: read_features(str(packed), ids, {}),
    }
    for reader, read in readers.items():
        with pytest.raises(UserError) as refused:
            read()
        said = str(refused.value)
        assert "\n" not in said and len(said) < 600 and "rows.np" in said, reader


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_writes_is_read(version, order, tmp_path) -> None:
    rows = np.asarray(np.arange(12.0).reshape(4, 3), order=order)
    stream = io.BytesIO()
    np.lib.format.write_array(stream, rows, version=version)
    size = stream.tell()
    stream.seek(0)
    header = read_header(stream, size)
    assert header == ((4, 3), order == "F", np.dtype(float), size - 96)
    assert stream.tell() == header.offset
    file = tmp_path / "rows.npy"
    file.write_bytes(stream.getvalue())
    assert np.array_equal(load_npy(file), rows)
    mapped = load_npy(file, mapped=True)
    assert isinstance(mapped, np.memmap) and np.array_equal(mapped, rows)
    np.savez(tmp_path / "rows.npz", a=rows)
    with np.load(tmp_path / "rows.npz") as archive:
        assert np.array_equal(load_member(archive, "a"), rows)
        with pytest.raises(KeyError):
            load_member(archive, "b")


def test_of_no_rows_nothing_is_mapped(tmp_path) -> None:
    np.save(tmp_path / "none.npy", np.zeros((0, 3), np.float32))
    assert load_npy(tmp_path / "none.npy", mapped=True).shape == (0, 3)

"""Files that PyTorch wrote are read without it; whatever else they hold is refused.

The two files were made by PyTorch 2.13 with

    x = torch.arange(12, dtype=torch.float32).reshape(3, 4) / 8
    tensors = collections.OrderedDict(
        plain=x, turned=x.t(), cut=x[1:, ::2],
        half=torch.tensor([1.5, -2.0], dtype=torch.float16),
        brain=torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        count=torch.tensor(7), none=torch.zeros(0, 3),
        yes=torch.tensor([True, False]),
        learned=torch.nn.Parameter(torch.tensor([0.25])),
    )
    tensors._metadata = collections.OrderedDict(version=1)
    torch.save(tensors, "zip.pth")
    torch.save(tensors, "legacy.pth", _use_new_zipfile_serialization=False)
"""

import collections
import io
import os
import pathlib
import pickle
import zipfile

import ml_dtypes
import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.features.torch_file import read_torch

FILES = pathlib.Path(__file__).with_name("torch_files")
X = np.arange(12, dtype=np.float32).reshape(3, 4) / 8
EXPECTED = {
    "plain": X,
    "turned": X.T,
    "cut": X[1:, ::2],
    "half": np.array([1.5, -2.0], np.float16),
    "brain": np.array([1.5, -2.0], ml_dtypes.bfloat16),
    "count": np.array(7),
    "none": np.zeros((0, 3), np.float32),
    "yes": np.array([True, False]),
    "learned": np.array([0.25], np.float32),
}


@pytest.mark.parametrize("name", ["zip.pth", "legacy.pth"])
def test_both_formats(name: str) -> None:
    found = read_torch(FILES / name)
    assert list(found) == list(EXPECTED)
    for key, tensor in found.items():
        assert tensor.dtype == EXPECTED[key].dtype
        np.testing.assert_array_equal(tensor, EXPECTED[key])


class Call:
    """Unpickled, it calls what it was given."""

    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def legacy(content: object) -> bytes:
    """A file of the older format without storages."""
    parts = 0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, content, []
    return b"".join(pickle.dumps(part, protocol=2) for part in parts)


def archive(content: object) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a/data.pkl", pickle.dumps(content, protocol=2))
    return buffer.getvalue()


@pytest.mark.parametrize("form", [legacy, archive])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (Call(os.mkdir, "made"), r"found posix\.mkdir, which could run code"),
        ({"a": Call(eval, "1")}, r"found __builtin__\.eval"),
        ({"a": Call(getattr, "b", "c")}, r"found __builtin__\.getattr"),
        ({"epoch": 3}, "found int under epoch"),
        ({"a": {"b": 1}}, "found dict under a"),
        ([1], "found list as the whole"),
        (Call(collections.OrderedDict, 3), "'int' object is not iterable"),
    ],
)
def test_what_is_not_a_tensor(
    form, content, message: str, tmp_path: pathlib.Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.pth"
    path.write_bytes(form(content))
    with pytest.raises(UserError, match=message) as caught:
        read_torch(path)
    assert "net.pth" in str(caught.value)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["zip.pth", "legacy.pth"])
def test_a_file_that_is_cut_off(name: str, tmp_path: pathlib.Path) -> None:
    whole = (FILES / name).read_bytes()
    path = tmp_path / name
    for end in (*range(0, len(whole), 37), len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(UserError, match=name):
            read_torch(path)


def test_a_file_with_something_behind_it(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes((FILES / "legacy.pth").read_bytes() + b"\0")
    with pytest.raises(UserError, match="behind its end"):
        read_torch(path)


@pytest.mark.parametrize("name", ["zip.pth", "legacy.pth"])
def test_a_changed_byte_never_does_more_than_fail(
    name: str, tmp_path: pathlib.Path
) -> None:
    whole = bytearray((FILES / name).read_bytes())
    path, refused = tmp_path / name, 0
    for place in range(0, len(whole), 5):
        changed = whole.copy()
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        try:
            found = read_torch(path)
        except UserError:
            refused += 1
            continue
        if name == "zip.pth":  # an archive has checksums
            for key, tensor in EXPECTED.items():
                np.testing.assert_array_equal(found[key], tensor)
    assert refused > 100


def test_a_shape_that_reaches_out_of_its_storage(tmp_path: pathlib.Path) -> None:
    whole = (FILES / "legacy.pth").read_bytes()
    shape = b"K\x03K\x04\x86"  # (3, 4), of the tensor `plain`
    path = tmp_path / "net.pth"
    assert whole.count(shape) == 1
    for other, message in (
        (b"K\x04K\x04\x86", "cannot have"),
        (b"K\x04K\x03\x86", "lie"),
    ):
        path.write_bytes(whole.replace(shape, other))
        with pytest.raises(UserError, match=message):
            read_torch(path)


def test_a_dictionary_that_holds_itself_ends(tmp_path: pathlib.Path) -> None:
    inner: dict[str, object] = {"epoch": 3}
    inner["again"] = inner
    content = {f"{k}": inner for k in range(50)}
    path = tmp_path / "net.pth"
    path.write_bytes(archive(content))
    assert read_torch(path, nested=True) == {}
    # Whatever else could run code is refused in a checkpoint too.
    path.write_bytes(archive({"model": {"a": Call(eval, "1")}}))
    with pytest.raises(UserError, match=r"found __builtin__\.eval"):
        read_torch(path, nested=True)


def test_no_file(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        read_torch(tmp_path / "none.pth")

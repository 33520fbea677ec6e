"""PyTorch's file of named tensors, read without PyTorch and without running code.

Such a file is a pickle, and a pickle is a program that may call anything it names. Here
it may name nothing but a dictionary, the types of storages, and the function that puts
a tensor over a storage; that function only notes what it was told. The numbers lie
beside the pickle: as files of an uncompressed zip archive since PyTorch 1.6, and in one
stream behind it before.
"""

import collections
import io
import math
import pathlib
import pickle
import struct
import zipfile
from typing import IO, Any, NamedTuple

import ml_dtypes
import numpy as np

from jaxsel.errors import UserError

_DTYPES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}
_ZIP = b"PK\x03\x04"
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001

# What a file that is cut off, changed or of another kind leads to while it is read.
_DAMAGE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    TypeError,
    ValueError,
)


class _StorageType(NamedTuple):
    """Stands for a class like torch.FloatStorage."""

    dtype: np.dtype


class _Storage(NamedTuple):
    """A run of numbers that lies beside the pickle."""

    dtype: np.dtype
    key: str
    size: int


class _View(NamedTuple):
    """A tensor: which numbers of a storage, in what shape."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _MakeView:
    """torch._utils._rebuild_tensor: notes where a tensor lies.

    An instance without a dictionary, not a function: a pickle may set attributes of
    what it has named, and here there are none to be set.
    """

    __slots__ = ()

    def __call__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any):
        return _View(storage, offset, shape, strides)


class _KeepView:
    """torch._utils._rebuild_parameter: a tensor that was trained is a tensor."""

    __slots__ = ()

    def __call__(self, view: Any, *_: Any) -> Any:
        return view


class _Settings:
    """argparse.Namespace, with the options of a training run, none of which is kept."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        """Forgets them."""


_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor"): _MakeView(),
    ("torch._utils", "_rebuild_tensor_v2"): _MakeView(),
    ("torch._utils", "_rebuild_parameter"): _KeepView(),
    **{("torch", name): _StorageType(dtype) for name, dtype in _DTYPES.items()},
}


class _Unpickler(pickle.Unpickler):
    """Runs a pickle that may name what is in `_NAMES`, and remembers its storages."""

    def __init__(self, stream: IO[bytes], nested: bool = False) -> None:
        super().__init__(stream, encoding="utf-8")
        self.storages: dict[str, _Storage] = {}
        self.nested = nested

    def find_class(self, module: str, name: str) -> Any:
        if self.nested and (module, name) == ("argparse", "Namespace"):
            return _Settings
        if (module, name) not in _NAMES:
            raise UserError(
                f"expected named tensors alone, found {module}.{name}, which could run "
                "code: save the network's state_dict() alone, or as .safetensors"
            )
        return _NAMES[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage_type, key, _, size, *view = pid
        if kind != "storage" or view not in ([], [None]):
            raise ValueError(f"it refers to a {kind} in an unknown form")
        storage = _Storage(storage_type.dtype, str(key), int(size))
        if self.storages.setdefault(storage.key, storage) != storage:
            raise ValueError(f"storage {storage.key} has two types or sizes")
        return storage


def read_torch(path: pathlib.Path, *, nested: bool = False) -> dict[str, np.ndarray]:
    """Reads all tensors of a file that `torch.save(network.state_dict(), path)` wrote.

    Args:
      path: the file, in the zip format or in the one before PyTorch 1.6.
      nested: whether a checkpoint is taken too: tensors in dictionaries within
        dictionaries get the names on the way, joined by dots, and what is no tensor
        (numbers, text, options of the run) is left out.

    Returns:
      Arrays by name, in their own dtypes.

    Raises:
      UserError: the file is not there, is cut off, is of another format, or holds
        something besides named tensors.

    Source: the formats as torch/serialization.py of PyTorch writes them.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(len(_ZIP))
            stream.seek(0)
            read = _of_zip if start == _ZIP else _of_stream
            content, data = read(stream, nested)
        if not isinstance(content, dict):
            raise UserError(
                f"expected names and tensors, found {type(content).__name__} as the "
                "whole: save the network's state_dict()"
            )
        if nested:
            content = _flat(content)
        return {name: _array(name, view, data) for name, view in content.items()}
    except OSError as error:
        raise UserError(
            f"expected a file of PyTorch at {path}, found: {error.strerror}; give the "
            "path of a file"
        ) from error
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except _DAMAGE as error:
        raise UserError(
            f"expected a whole file of PyTorch, found {path} damaged, cut off or of "
            f"another format ({error or type(error).__name__}): get it again"
        ) from error


def _flat(content: dict[Any, Any]) -> dict[str, _View]:
    """Tensors within dictionaries, by the names that lead to them."""
    found: dict[str, _View] = {}
    # A pickle can have a dictionary hold itself, or one a thousand times.
    seen, waiting = {id(content)}, [("", content)]
    while waiting:
        before, inner = waiting.pop()
        for name, value in inner.items():
            if isinstance(value, _View):
                found[f"{before}{name}"] = value
            elif isinstance(value, dict) and id(value) not in seen:
                seen.add(id(value))
                waiting.append((f"{before}{name}.", value))
    return found


def _of_zip(stream: IO[bytes], nested: bool) -> tuple[Any, dict[str, bytes]]:
    """The unpickled content of an archive, and the bytes of its storages by key."""
    with zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
        roots = [n.split("/")[0] + "/" for n in names if n.endswith("/data.pkl")]
        if len(roots) != 1:
            raise ValueError(f"an archive with {len(roots)} files data.pkl")
        root = roots[0]
        if any(i.compress_type != zipfile.ZIP_STORED for i in archive.infolist()):
            raise ValueError("it is compressed")
        # Parts that overlap would be read many times over.
        end = stream.seek(0, io.SEEK_END)
        if sum(i.file_size for i in archive.infolist()) > end:
            raise ValueError("its parts are larger than itself")
        if (
            f"{root}byteorder" in names
            and archive.read(f"{root}byteorder") != b"little"
        ):
            raise ValueError("its bytes are in big-endian order")
        # As a whole, for then its checksum is compared before it is looked at.
        unpickler = _Unpickler(io.BytesIO(archive.read(f"{root}data.pkl")), nested)
        content = unpickler.load()
        keys = unpickler.storages
        return content, {key: archive.read(f"{root}data/{key}") for key in keys}


def _of_stream(stream: IO[bytes], nested: bool) -> tuple[Any, dict[str, bytes]]:
    """The same of the older format: five pickles, then the storages one by one."""
    if _Unpickler(stream).load() != _MAGIC or _Unpickler(stream).load() != _PROTOCOL:
        raise ValueError("it does not begin as such a file does")
    if not _Unpickler(stream).load()["little_endian"]:
        raise ValueError("its bytes are in big-endian order")
    unpickler = _Unpickler(stream, nested)
    content = unpickler.load()
    data = {}
    for key in _Unpickler(stream).load():
        storage = unpickler.storages[key]
        (size,) = struct.unpack("<q", stream.read(8))
        if size != storage.size:
            raise ValueError(f"storage {key} has {size} numbers, not {storage.size}")
        data[key] = stream.read(size * storage.dtype.itemsize)
    if stream.read(1):
        raise ValueError("it goes on behind its end")
    return content, data


def _array(name: Any, view: Any, data: dict[str, bytes]) -> np.ndarray:
    """The numbers of one tensor, in C order."""
    if not isinstance(name, str) or not isinstance(view, _View):
        raise UserError(
            f"expected named tensors alone, found {type(view).__name__} under {name}: "
            "save the network's state_dict() alone"
        )
    storage, offset, shape, strides = view
    numbers = np.frombuffer(data[storage.key], storage.dtype)
    if len(numbers) != storage.size:
        raise ValueError(
            f"{len(numbers)} of {storage.size} numbers of {name} are there"
        )
    places = tuple(zip(shape, strides, strict=True))
    size = math.prod(shape)
    last = offset + sum((side - 1) * stride for side, stride in places)
    if min(offset, *shape, *strides, 0) < 0 or size > storage.size:
        raise ValueError(f"{name} has a shape that its storage cannot have")
    if size and last >= storage.size:
        raise ValueError(f"{name} does not lie in its storage")
    if not size:
        return np.zeros(shape, storage.dtype)
    item = storage.dtype.itemsize
    steps = [item * stride for stride in strides]
    return np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps).copy()

"""Tiny archives in the formats in which the data sets' authors publish them."""

import hashlib
import io
import pathlib
import struct
import tarfile
from typing import Any

import numpy as np
from PIL import Image

from jaxsel.data.catalog import Archive, DatasetSpec, Split, dataset


def _text(value: bytes) -> bytes:
    """A Python 2 string in pickle protocol 2."""
    return b"T" + struct.pack("<i", len(value)) + value


def python2_pickle(value: Any) -> bytes:
    """Pickles dicts, lists, ints, bytes and uint8 matrices as Python 2 did."""
    return b"\x80\x02" + _python2(value) + b"."


def _python2(value: Any) -> bytes:
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, list):
        return b"(" + b"".join(map(_python2, value)) + b"l"
    if isinstance(value, dict):
        pairs = (_python2(k) + _python2(v) for k, v in value.items())
        return b"(" + b"".join(pairs) + b"d"
    assert isinstance(value, np.ndarray) and value.dtype == np.uint8
    rows, columns = map(int, value.shape)
    empty = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    )
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
    flags = b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = _python2(rows) + _python2(columns) + b"\x86"
    body = shape + dtype + flags + b"\x89" + _text(value.tobytes())
    return empty + b"(K\x01" + body + b"tb"


def write_tar(path: pathlib.Path, members: dict[str, bytes], mode: str) -> pathlib.Path:
    with tarfile.open(path, mode) as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def random_images(seed: int, count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(
        0, 256, size=(count, *shape), dtype=np.uint8
    )


def planes(images: np.ndarray) -> np.ndarray:
    """CIFAR's rows: the red plane, then the green, then the blue."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2).reshape(len(images), -1))


def image_file(image: np.ndarray, format: str = "JPEG", mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).convert(mode).save(stream, format=format)
    return stream.getvalue()


def spec_of(name: str, path: pathlib.Path, train: int, test: int) -> DatasetSpec:
    """The catalogue's entry with a small archive in the place of the real one."""
    spec = dataset(name)
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    return spec._replace(
        train=Split(spec.train.tfds_name, (train,)),
        test=Split(spec.test.tfds_name, (test,)),
        archive=Archive(path.name, path.as_uri(), md5, 0),
    )


def tiny_imagenet_files(size: int) -> dict[str, bytes]:
    """200 classes, of which two have images; one training image is grey."""
    images = random_images(2, 5, size, size, 3)
    wnids = [f"n{i:08d}" for i in range(200)]
    members = {
        "wnids.txt": "\n".join(reversed(wnids)).encode(),
        "words.txt": b"n00000000\tthing",
        "val/val_annotations.txt": (
            b"val_0.JPEG\tn00000199\t0\t32\t44\t62\n"
            b"val_1.JPEG\tn00000003\t52\t55\t57\t59\n"
        ),
        "test/images/test_0.JPEG": image_file(images[0]),
    }
    for row, mode in enumerate(("RGB", "L", "RGB")):
        wnid = wnids[3 + row // 2]
        name = f"train/{wnid}/images/{wnid}_{row}.JPEG"
        members[name] = image_file(images[row], mode=mode)
    for row in range(2):
        members[f"val/images/val_{row}.JPEG"] = image_file(images[3 + row])
    return members


def write_imagenet(
    manual: pathlib.Path, train: dict[str, bytes], validation: dict[str, bytes]
) -> None:
    """The two tars: training images in a tar a class, named after it; all others."""
    manual.mkdir(parents=True)
    outer = {}
    for wnid in sorted({name.split("_")[0] for name in train}):
        inner = {name: data for name, data in train.items() if name.startswith(wnid)}
        path = write_tar(manual / f"{wnid}.tar", inner, "w")
        outer[path.name] = path.read_bytes()
        path.unlink()
    write_tar(manual / "ILSVRC2012_img_train.tar", outer, "w")
    write_tar(manual / "ILSVRC2012_img_val.tar", validation, "w")

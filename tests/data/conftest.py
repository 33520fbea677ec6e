"""Data sets of a few images, in their original archives."""

import pathlib
import zipfile

import numpy as np
import pytest
from tiny_archives import (
    image_file,
    planes,
    python2_pickle,
    random_images,
    spec_of,
    tiny_imagenet_files,
    write_imagenet,
    write_tar,
)

from jaxsel.data.catalog import DatasetSpec, Split, dataset


@pytest.fixture(autouse=True)
def own_cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or leaves anything in a person's folders."""
    monkeypatch.setenv("JAXSEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def cifar10(tmp_path: pathlib.Path) -> tuple[DatasetSpec, np.ndarray, np.ndarray]:
    """An entry whose archive has 2 images a batch; the images and labels in order."""
    images, labels = random_images(0, 12, 32, 32, 3), np.arange(12) * 7 % 10
    rows = planes(images)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    members = {
        f"cifar-10-batches-py/{name}": python2_pickle(
            {
                b"batch_label": b"some batch",
                b"labels": labels[2 * i : 2 * i + 2].tolist(),
                b"data": rows[2 * i : 2 * i + 2],
            }
        )
        for i, name in enumerate(names)
    }
    meta = {b"label_names": [f"kind{i}".encode() for i in range(10)]}
    members["cifar-10-batches-py/batches.meta"] = python2_pickle(meta)
    path = write_tar(tmp_path / "cifar-10-python.tar.gz", members, "w:gz")
    return spec_of("cifar10", path, 10, 2), images, labels


@pytest.fixture
def cifar100(tmp_path: pathlib.Path) -> tuple[DatasetSpec, np.ndarray, np.ndarray]:
    images, labels = random_images(1, 6, 32, 32, 3), np.array([99, 0, 42, 7, 7, 99])
    rows = planes(images)
    members = {
        f"cifar-100-python/{name}": python2_pickle(
            {
                b"fine_labels": labels[part].tolist(),
                b"coarse_labels": (labels[part] // 5).tolist(),
                b"data": rows[part],
            }
        )
        for name, part in (("train", slice(0, 4)), ("test", slice(4, 6)))
    }
    members["cifar-100-python/meta"] = python2_pickle(
        {
            b"fine_label_names": [f"fine{i}".encode() for i in range(100)],
            b"coarse_label_names": [f"coarse{i}".encode() for i in range(20)],
        }
    )
    path = write_tar(tmp_path / "cifar-100-python.tar.gz", members, "w:gz")
    return spec_of("cifar100", path, 4, 2), images, labels


@pytest.fixture
def tiny_zip(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "tiny-imagenet-200.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in tiny_imagenet_files(64).items():
            archive.writestr(f"tiny-imagenet-200/{name}", data)
    return path


@pytest.fixture
def imagenet(tmp_path: pathlib.Path) -> tuple[DatasetSpec, dict[str, bytes]]:
    """The two tars with photographs of several sizes, and the images by file name."""
    manual = tmp_path / "data" / "downloads" / "manual"
    sizes = [(40, 60), (64, 33), (200, 31), (50, 50), (32, 90)]
    images = {
        f"{wnid}_{number}.JPEG": image_file(random_images(number, 1, *size, 3)[0])
        for number, (wnid, size) in enumerate(
            zip(["n01440764", "n01443537", "n01440764"] * 2, sizes, strict=False)
        )
    }
    # Two of the real files are of other kinds, and are read all the same.
    odd = random_images(9, 1, 40, 40, 3)[0]
    images["n01443537_1.JPEG"] = image_file(odd, mode="CMYK")
    images["n01440764_2.JPEG"] = image_file(odd, format="PNG")
    validation = {
        f"ILSVRC2012_val_{number:08d}.JPEG": image_file(
            random_images(20 + number, 1, 40, 40, 3)[0]
        )
        for number in (3, 1)
    }
    write_imagenet(manual, images, validation)
    spec = dataset("imagenet2012")
    small = spec._replace(train=Split("train", (5,)), test=Split("validation", (2,)))
    return small, images | validation

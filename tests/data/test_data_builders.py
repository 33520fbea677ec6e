"""Each original format goes in as its authors write it and comes out unchanged."""

import io
import sys

import numpy as np
import pytest
import sklearn.datasets
import tensorflow_datasets as tfds
from PIL import Image
from tiny_archives import (
    python2_pickle,
    random_images,
    spec_of,
    tiny_imagenet_files,
    write_tar,
)

from jaxsel.data import load
from jaxsel.data.builders.digits import in_test
from jaxsel.data.builders.organamnist import CLASS_NAMES
from jaxsel.data.building import prepare
from jaxsel.errors import UserError


def test_cifar10_keeps_every_pixel_label_and_name(cifar10):
    spec, images, labels = cifar10
    train, test = load(spec, "train"), load(spec, "test")
    np.testing.assert_array_equal(train.images, images[:10])
    np.testing.assert_array_equal(train.labels, labels[:10])
    np.testing.assert_array_equal(test.images, images[10:])
    assert train.ids.tolist() == [f"train_{i:05d}" for i in range(10)]
    assert test.ids.tolist() == ["test_00000", "test_00001"]
    assert train.class_names == tuple(f"kind{i}" for i in range(10))
    assert train.images.dtype == np.uint8 and train.labels.dtype == np.int32


def test_cifar100_has_fine_labels_and_keeps_the_coarse_ones(cifar100):
    spec, images, labels = cifar100
    train = load(spec, "train")
    np.testing.assert_array_equal(train.images, images[:4])
    np.testing.assert_array_equal(train.labels, labels[:4])
    assert train.class_names[99] == "fine99"
    source = tfds.builder_from_directory(prepare(spec)).as_data_source("train")
    rows = sorted(source, key=lambda row: row["id"])
    assert [row["coarse_label"] for row in rows] == [label // 5 for label in labels[:4]]


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "imagenet2012"])
def test_features_are_those_of_tfds_own_builder(name, request):
    spec = request.getfixturevalue(name.replace("2012", ""))[0]
    ours = tfds.builder_from_directory(prepare(spec)).info
    theirs = tfds.builder_cls(name)(data_dir="unused").info
    assert ours.features.to_json() == theirs.features.to_json()
    assert (ours.name, str(ours.version)) == (theirs.name, str(theirs.version))
    assert ours.supervised_keys == theirs.supervised_keys


def test_cifar_archive_that_would_run_code_is_refused(tmp_path):
    touched = tmp_path / "touched"
    evil = (
        b"\x80\x02cposix\nsystem\n" + python2_pickle(f"touch {touched}".encode())[2:-1]
    )
    members = {"cifar-10-batches-py/batches.meta": evil + b"\x85R."}
    path = write_tar(tmp_path / "cifar-10-python.tar.gz", members, "w:gz")
    with pytest.raises(UserError, match="system, expected arrays alone"):
        prepare(spec_of("cifar10", path, 1, 1))
    assert not touched.exists()


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("form", ["zip", "folder", "tar.xz"])
def test_tiny_imagenet_from_each_form(form, tmp_path, tiny_zip):
    size = 32 if form == "tar.xz" else 64
    files = tiny_imagenet_files(size)
    data = tmp_path / "data"
    if form == "zip":
        spec = spec_of("tiny_imagenet", tiny_zip, 3, 2)
    elif form == "folder":
        spec = spec_of("tiny_imagenet", tiny_zip, 3, 2)
        tiny_zip.unlink()
        for name, content in files.items():
            path = data / "downloads" / "manual" / "tiny-imagenet-200" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    else:
        path = write_tar(tmp_path / "small.tar.xz", files, "w:xz")
        spec = spec_of("tiny_imagenet32", path, 3, 2)
        prepare(spec, source=path)
    train, test = load(spec, "train"), load(spec, "test")
    assert train.ids.tolist() == ["n00000003_0", "n00000003_1", "n00000004_2"]
    assert train.labels.tolist() == [3, 3, 4]
    assert test.ids.tolist() == ["val_0", "val_1"] and test.labels.tolist() == [199, 3]
    assert train.class_names[199] == "n00000199" and len(train.class_names) == 200
    grey = decoded(files["train/n00000003/images/n00000003_1.JPEG"])
    np.testing.assert_array_equal(train.images[1], grey)
    np.testing.assert_array_equal(
        test.images[0], decoded(files["val/images/val_0.JPEG"])
    )
    assert train.images.shape == (3, size, size, 3)


def test_tiny_imagenet_of_another_size_is_refused(tmp_path):
    path = write_tar(tmp_path / "x.tar", tiny_imagenet_files(16), "w")
    with pytest.raises(
        UserError, match=r"expected 32 x 32 pixels in .*, found 16 x 16"
    ):
        prepare("tiny_imagenet32", source=path)
    assert not (tmp_path / "data" / "tiny_imagenet32" / "1.0.0").exists()


def test_organamnist_is_grey_on_disk_and_has_three_channels_in_memory(tmp_path):
    images = random_images(4, 6, 28, 28)
    labels = np.array([[0], [10], [5], [5], [2], [1]], np.uint8)
    path = tmp_path / "organamnist.npz"
    parts = {"train": slice(0, 3), "val": slice(3, 4), "test": slice(4, 6)}
    arrays = {f"{key}_images": images[part] for key, part in parts.items()}
    arrays |= {f"{key}_labels": labels[part] for key, part in parts.items()}
    np.savez(path, **arrays)
    spec = spec_of("organamnist", path, 3, 2)
    train, test = load(spec, "train"), load(spec, "test")
    np.testing.assert_array_equal(train.images, np.stack([images[:3]] * 3, axis=-1))
    assert train.labels.tolist() == [0, 10, 5] and test.labels.tolist() == [2, 1]
    assert train.class_names == CLASS_NAMES
    info = tfds.builder_from_directory(prepare(spec)).info
    assert info.features["image"].shape == (28, 28, 1)
    assert info.splits["validation"].num_examples == 1


def test_digits_are_scikit_learns_in_two_disjoint_balanced_parts():
    digits = sklearn.datasets.load_digits()
    train, test = load("digits", "train"), load("digits", "test")
    assert len(train.ids) == 1297 and np.bincount(test.labels).tolist() == [50] * 10
    for part in (train, test):
        rows = np.array([int(name.removeprefix("digits_")) for name in part.ids])
        np.testing.assert_array_equal(part.labels, digits.target[rows])
        for channel in range(3):
            levels = part.images[..., channel] / 255 * 16
            np.testing.assert_allclose(levels, digits.images[rows], atol=0.04)
    assert sorted([*train.ids, *test.ids]) == [f"digits_{i:04d}" for i in range(1797)]


def test_digits_split_takes_evenly_spaced_positions():
    labels = np.tile(
        [0, 1], 100
    )  # A hundred of each: every second one, from the second.
    expected = np.zeros(200, bool)
    expected[2::4] = expected[3::4] = True
    np.testing.assert_array_equal(in_test(labels), expected)


def test_imagenet_holds_the_files_as_they_are_and_mends_odd_ones(imagenet):
    spec, files = imagenet
    info = tfds.builder_from_directory(prepare(spec)).info
    lookup = tfds.core.tfds_path("datasets/imagenet2012/validation_labels.txt")
    listed = lookup.read_text().split()
    skip = {"image": tfds.decode.SkipDecoding()}
    for split, count in (("train", 5), ("validation", 2)):
        builder = tfds.builder_from_directory(prepare(spec))
        rows = list(builder.as_data_source(split, decoders=skip))
        assert len(rows) == count
        for row in rows:
            name = row["file_name"].decode()
            wnid = info.features["label"].int2str(row["label"])
            if split == "train":
                assert name.startswith(wnid)
            else:
                assert wnid == listed[int(name[-13:-5]) - 1]
            image = Image.open(io.BytesIO(row["image"]))
            original = Image.open(io.BytesIO(files[name]))
            assert (image.format, image.mode, image.size) == (
                "JPEG",
                "RGB",
                original.size,
            )
            if original.format == "JPEG" and original.mode == "RGB":
                assert row["image"] == files[name]


def test_nothing_of_this_needs_tensorflow(cifar10):
    load(cifar10[0], "train")
    assert "tensorflow" not in sys.modules

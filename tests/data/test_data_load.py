"""Images come in the order of their ids, from a cache that is never stale or broken."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from absl import logging
from tiny_archives import python2_pickle

from jaxsel.data import fingerprint, load, load_fingerprinted, records
from jaxsel.data.building import prepare
from jaxsel.data.catalog import dataset
from jaxsel.data.load import canonical_order
from jaxsel.errors import UserError

SHARED = pathlib.Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def prepared_digits(tmp_path_factory) -> pathlib.Path:
    root = tmp_path_factory.mktemp("digits")
    prepare("digits", data_dir=root, progress=False)
    return root


@pytest.fixture
def digits(prepared_digits, tmp_path, monkeypatch) -> pathlib.Path:
    """A prepared folder of one's own to spoil; the default data folder."""
    shutil.copytree(prepared_digits / "digits", tmp_path / "data" / "digits")
    return tmp_path / "data" / "digits" / "1.0.0"


def cache_file(tmp_path: pathlib.Path, name: str) -> pathlib.Path:
    (path,) = (tmp_path / "cache" / "digits").glob(f"test-*/{name}")
    return path


@pytest.fixture
def warnings(monkeypatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(logging, "warning", lambda text, *a: said.append(text % a))
    return said


@pytest.fixture
def no_reading(monkeypatch):
    def refuse(*args):
        raise AssertionError("the records were read")

    return lambda: monkeypatch.setattr(records, "open_split", refuse)


def assert_same(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_rows_are_sorted_by_id_and_arrays_cannot_be_changed(digits):
    train = load("digits", "train")
    assert train.ids.tolist() == sorted(train.ids.tolist())
    for array in (train.images, train.labels, train.ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


def test_second_start_reads_the_cache_alone(digits, no_reading, warnings):
    first = load_fingerprinted("digits", "test")
    no_reading()
    start = time.monotonic()
    second = load_fingerprinted("digits", "test")
    assert time.monotonic() - start < 1
    assert_same(first.image_set, second.image_set)
    assert first.fingerprint == second.fingerprint == fingerprint(second.image_set)
    assert warnings == []


def test_fingerprint_changes_with_each_array(digits):
    one = load("digits", "test")
    pixel = one.images.copy()
    pixel[3, 2, 1, 0] ^= 1
    label = one.labels.copy()
    label[-1] = (label[-1] + 1) % 10
    name = one.ids.copy()
    name[0] = "other"
    others = [
        one._replace(images=pixel),
        one._replace(labels=label),
        one._replace(ids=name),
        one._replace(images=one.images.reshape(500, 8, 24, 1)),
    ]
    prints = {fingerprint(image_set) for image_set in [one, *others]}
    assert len(prints) == 5
    assert fingerprint(one._replace(images=one.images.copy())) in prints


def flip(path: pathlib.Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "ids.npy"])
@pytest.mark.parametrize(
    "spoil",
    [
        flip,
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: path.unlink(),
    ],
    ids=["flipped", "truncated", "missing"],
)
def test_damaged_cache_is_rebuilt_and_said_so(
    digits, tmp_path, warnings, name, spoil, no_reading
):
    first = load("digits", "test")
    spoil(cache_file(tmp_path, name))
    second = load("digits", "test")
    assert_same(first, second)
    assert len(warnings) == 1 and "damaged" in warnings[0] and name in warnings[0]
    no_reading()
    assert_same(first, load("digits", "test"))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": 1}', "\udcff"])
def test_damaged_manifest_is_rebuilt_and_said_so(digits, tmp_path, warnings, text):
    first = load("digits", "test")
    path = cache_file(tmp_path, "manifest.json")
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert_same(first, load("digits", "test"))
    assert len(warnings) == 1 and "damaged" in warnings[0]
    assert json.loads(path.read_text())["notes"]["fingerprint"] == fingerprint(first)


def test_changed_data_set_is_not_served_from_the_cache(digits, cifar10, warnings):
    spec, images, _ = cifar10
    np.testing.assert_array_equal(load(spec, "test").images, images[10:])
    directory = prepare(spec)
    info = directory / "dataset_info.json"
    # The splits exchange their files, and nothing else changes.
    train = directory / "cifar10-train.array_record-00000-of-00001"
    test = directory / "cifar10-test.array_record-00000-of-00001"
    text = json.loads(info.read_text())
    lengths = {split["name"]: split["shardLengths"] for split in text["splits"]}
    for split in text["splits"]:
        split["shardLengths"] = lengths["test" if split["name"] == "train" else "train"]
    info.write_text(json.dumps(text))
    train.rename(directory / "x")
    test.rename(train)
    (directory / "x").rename(test)
    np.testing.assert_array_equal(load(spec, "test").images, images[:10])


def test_unwritable_cache_is_an_error(digits, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cache folder that can be written at .*file"):
        load("digits", "test", cache_dir=tmp_path / "file")


def zero_middle(path: pathlib.Path) -> None:
    data = bytearray(path.read_bytes())
    data[100 : len(data) // 2] = bytes(len(data) // 2 - 100)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, 0),
        lambda path: path.unlink(),
        zero_middle,
    ],
    ids=["truncated", "empty", "missing", "overwritten"],
)
def test_unreadable_data_file_is_named(digits, spoil):
    path = digits / "digits-test.array_record-00000-of-00001"
    spoil(path)
    with pytest.raises(UserError, match=str(path)) as caught:
        load("digits", "test")
    assert "\n" not in str(caught.value)


def test_unreadable_info_is_named(digits):
    (digits / "dataset_info.json").write_text("{")
    with pytest.raises(UserError, match=f"in {digits}, found an unreadable"):
        load("digits", "test")


def test_records_for_tensorflow_are_refused(digits):
    info = digits / "dataset_info.json"
    info.write_text(info.read_text().replace("array_record", "tfrecord"))
    with pytest.raises(UserError, match=r"expected array_record .*, found tfrecord"):
        load("digits", "test")


def test_set_of_another_shape_is_refused(digits, tmp_path):
    spec = dataset("digits")._replace(image_shape=(9, 9, 1))
    with pytest.raises(UserError, match=r"shape \(9, 9, 1\) .*, found \(8, 8, 1\)"):
        load(spec, "test")


@pytest.mark.parametrize(
    ("ids", "labels", "found"),
    [(["a", "b", "a"], [0, 1, 2], "'a' twice"), (["c", "b", "a"], [0, 10, 2], "10")],
)
def test_ids_are_unique_and_labels_in_range(ids, labels, found):
    with pytest.raises(UserError, match=f"found {found}"):
        canonical_order(np.array(ids), np.array(labels), dataset("digits"), "test")


def test_number_of_examples_unlike_the_published_one_is_said(warnings):
    order = canonical_order(
        np.array(["b", "a"]), np.array([0, 1]), dataset("organamnist"), "train"
    )
    assert order.tolist() == [1, 0]
    assert warnings == [
        "organamnist train has 2 examples, the published one 34561 or 34581"
    ]


def test_mistakes_are_said_before_anything_is_read():
    with pytest.raises(UserError, match="found 'validation'"):
        load("digits", "validation")
    with pytest.raises(UserError, match="found imagenet2012: read it with"):
        load("imagenet2012", "train")


def test_python2_pickles_are_what_pickle_reads():
    """The archives of these tests are real pickles, whoever reads them."""
    import pickle

    value = {b"labels": [3, 1], b"name": b"x"}
    assert pickle.loads(python2_pickle(value), encoding="bytes") == value


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="no ../shared folder")
def test_all_of_cifar10_within_its_times(tmp_path):
    script = SHARED / "prepare_cifar10.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)
    options = {"data_dir": tmp_path, "cache_dir": tmp_path / "cache"}
    start = time.monotonic()
    train, test = (load("cifar10", split, **options) for split in ("train", "test"))
    assert time.monotonic() - start < 20
    assert np.bincount(train.labels).tolist() == [5000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    start = time.monotonic()
    load("cifar10", "train", **options), load("cifar10", "test", **options)
    assert time.monotonic() - start < 1

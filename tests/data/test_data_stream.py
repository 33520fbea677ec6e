"""A streamed set comes in a fixed order, cropped as said, a few batches at once."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from jaxsel.data import read_labels_and_ids, records, stream
from jaxsel.data.building import prepare
from jaxsel.data.stream import crop
from jaxsel.errors import UserError


def by_hand(data: bytes, size: int) -> np.ndarray:
    """The documented crop, its centre cut out of the array instead of the image."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    short = round(size * 256 / 224)
    width, height = image.size
    if width < height:
        scaled = image.resize((short, round(height * short / width)), Image.BICUBIC)
    else:
        scaled = image.resize((round(width * short / height), short), Image.BICUBIC)
    array = np.asarray(scaled)
    top, left = (array.shape[0] - size) // 2, (array.shape[1] - size) // 2
    return array[top : top + size, left : left + size]


def test_table_has_labels_and_ids_without_decoding(imagenet, monkeypatch):
    spec, files = imagenet
    prepare(spec)

    def refuse(record):
        raise AssertionError("an image was decoded")

    monkeypatch.setattr(records, "open_image", refuse)
    table = read_labels_and_ids(spec, "train")
    assert table.ids.tolist() == sorted(n for n in files if not n.startswith("ILSVRC"))
    kinds = [table.class_names[label] for label in table.labels]
    assert kinds == [name.split("_")[0] for name in table.ids]
    assert table.labels.dtype == np.int32
    monkeypatch.setattr(records, "open_split", refuse)
    again = read_labels_and_ids(spec, "train")
    for one, two in zip(table, again, strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_table_tells_images_apart_by_every_byte(imagenet, monkeypatch, tmp_path):
    spec, _ = imagenet
    table = read_labels_and_ids(spec, "train")
    own = {
        record.id: hashlib.sha256(record.image).digest()
        for record in records.open_split(prepare(spec), spec, "train").read(range(5))
    }
    in_order = b"".join(own[name] for name in table.ids.tolist())
    assert table.sha256 == hashlib.sha256(in_order).hexdigest()

    whole = records.Records.read

    def changed(self, positions):
        return [
            record._replace(image=record.image + b"\0" * (record.id == table.ids[3]))
            for record in whole(self, positions)
        ]

    monkeypatch.setattr(records.Records, "read", changed)
    monkeypatch.setenv("JAXSEL_CACHE", str(tmp_path / "another"))
    other = read_labels_and_ids(spec, "train")
    assert other.ids.tolist() == table.ids.tolist() and other.sha256 != table.sha256


@pytest.mark.parametrize("threads", [1, 4])
def test_whole_split_in_the_order_of_ids(imagenet, threads):
    spec, files = imagenet
    batches = list(
        stream(spec, "train", batch_size=2, image_size=28, threads=threads, prefetch=1)
    )
    assert [len(batch.images) for batch in batches] == [2, 2, 1]
    table = read_labels_and_ids(spec, "train")
    ids = np.concatenate([batch.ids for batch in batches])
    np.testing.assert_array_equal(ids, table.ids)
    labels = np.concatenate([batch.labels for batch in batches])
    np.testing.assert_array_equal(labels, table.labels)
    for batch in batches:
        assert batch.images.dtype == np.uint8 and batch.images.shape[1:] == (28, 28, 3)
        for name, image in zip(batch.ids, batch.images, strict=True):
            if Image.open(io.BytesIO(files[name])).mode == "RGB" and name[-6] != "2":
                np.testing.assert_array_equal(image, by_hand(files[name], 28))


def test_chosen_rows_in_the_order_asked_for(imagenet):
    spec, _ = imagenet
    everything = next(stream(spec, "train", batch_size=5, image_size=8))
    rows = np.array([3, 0, 3, 4])
    batches = list(stream(spec, "train", batch_size=3, image_size=8, indices=rows))
    assert [batch.indices.tolist() for batch in batches] == [[3, 0, 3], [4]]
    images = np.concatenate([batch.images for batch in batches])
    np.testing.assert_array_equal(images, everything.images[rows])


def test_no_more_is_read_than_is_prefetched(imagenet, monkeypatch):
    spec, _ = imagenet
    read_labels_and_ids(spec, "train")
    counted = []
    whole = records.Records.read

    def counting(self, positions):
        counted.append(len(positions))
        return whole(self, positions)

    monkeypatch.setattr(records.Records, "read", counting)
    batches = stream(spec, "train", batch_size=1, image_size=8, prefetch=1)
    next(batches)
    assert counted == [1, 1]
    batches.close()
    assert counted == [1, 1]


def test_small_sets_stream_as_well():
    digits = list(stream("digits", "test", batch_size=400, image_size=8))
    assert [batch.images.shape[0] for batch in digits] == [400, 100]


def test_crop_of_a_plain_image_keeps_its_centre():
    array = np.zeros((64, 128, 3), np.uint8)
    array[:, 32:96] = 200
    cropped = crop(Image.fromarray(array), 56)
    assert cropped.shape == (56, 56, 3) and (cropped == 200).all()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"batch_size": 0}, "batch_size of at least 1, found 0"),
        ({"image_size": -1}, "image_size of at least 1, found -1"),
        ({"indices": np.array([0, 5])}, "indices from 0 to 4, found 5"),
        ({"indices": np.array([-1])}, "indices from 0 to 4, found -1"),
        ({"indices": np.array([0.5])}, "as integers"),
    ],
)
def test_mistakes_are_said_before_the_first_batch(imagenet, options, found):
    with pytest.raises(UserError, match=found):
        stream(imagenet[0], "train", **{"batch_size": 2, "image_size": 8} | options)


def test_image_that_does_not_decode_is_named(imagenet, monkeypatch):
    spec, _ = imagenet
    read_labels_and_ids(spec, "train")
    monkeypatch.setattr(
        records, "_record", lambda *a: records.Record("bad.JPEG", 0, b"\xff\xd8no")
    )
    with pytest.raises(UserError, match=r"example 'bad\.JPEG'"):
        list(stream(spec, "train", batch_size=2, image_size=8))

"""A prepared tfds directory as raw records: opened, checked, parsed, decoded."""

import io
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from jaxsel.data.catalog import DatasetSpec
from jaxsel.errors import UserError


class Records(NamedTuple):
    """One split of a prepared directory, records in the order of its files.

    Attributes:
      source: random access to serialised examples, `source.__getitems__([3, 4])`.
      class_names: one name a label.
      id_feature: the feature that names an example.
      shards: the files of the split with how many records each holds.
    """

    source: Any
    class_names: tuple[str, ...]
    id_feature: str
    shards: tuple[tuple[pathlib.Path, int], ...]

    def __len__(self) -> int:
        return sum(count for _, count in self.shards)

    def read(self, positions: Sequence[int]) -> list["Record"]:
        """The records at some positions.

        Raises:
          UserError: a file is damaged there; the message names it.
        """
        from tensorflow_datasets.proto import tf_example_pb2

        try:
            raw = self.source.__getitems__(list(positions))
            parsed = [tf_example_pb2.Example.FromString(text) for text in raw]
        # The reader of array_record raises RuntimeError, the parser DecodeError.
        except Exception as error:
            raise self._damaged(positions, error) from error
        return [_record(example, self.id_feature) for example in parsed]

    def _damaged(self, positions: Sequence[int], error: Exception) -> UserError:
        ends = np.cumsum([count for _, count in self.shards])
        hit = sorted({int(np.searchsorted(ends, p, side="right")) for p in positions})
        names = ", ".join(str(self.shards[shard][0]) for shard in hit)
        return UserError(
            f"expected readable records in {names}, found {_one_line(error)}: "
            f"{_mend(self.shards[0][0].parent)}"
        )


class Record(NamedTuple):
    """One example, its image still a PNG or JPEG file."""

    id: str
    label: int
    image: bytes


def open_split(directory: pathlib.Path, spec: DatasetSpec, split: str) -> Records:
    """Opens one split of a prepared directory, whoever prepared it, without TensorFlow.

    Args:
      directory: `DATA_DIR/name/version`, with array_record files.
      spec: what the directory is expected to hold.
      split: `train` or `test`.

    Returns:
      The records, nothing of them read yet.

    Raises:
      UserError: the directory does not hold what is expected, or a file of it is
        missing or truncated; the message names it.
    """
    import tensorflow_datasets as tfds

    name = spec.split(split).tfds_name
    try:
        builder = tfds.builder_from_directory(directory)
        features, splits = builder.info.features, builder.info.splits
        found = str(builder.info.file_format.value)
    except Exception as error:
        raise UserError(
            f"expected a tfds data set in {directory}, found an unreadable "
            f"dataset_info.json or features.json ({_one_line(error)}): "
            f"{_mend(directory)}"
        ) from error
    if found != "array_record":
        raise UserError(
            f"expected array_record files in {directory}, found {found}, which needs "
            "TensorFlow: choose another data folder, and the set is prepared there"
        )
    if name not in splits:
        raise UserError(
            f"expected a split {name!r} in {directory}, found {', '.join(splits)}: "
            f"{_mend(directory)}"
        )
    _check_features(features, spec, directory)
    shards = tuple(
        (pathlib.Path(path), int(count))
        for path, count in zip(
            splits[name].filepaths, splits[name].shard_lengths, strict=True
        )
    )
    for path, count in shards:
        _check_shard(path, count)
    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    return Records(
        source=builder.as_data_source(name, deserialize_method=raw),
        class_names=tuple(features["label"].names),
        id_feature=spec.id_feature,
        shards=shards,
    )


def decode(record: Record, shape: tuple[int, int, int]) -> np.ndarray:
    """The image of a record with three channels.

    Args:
      record: with a PNG or JPEG file.
      shape: `(h, w, channels)` that the data set's images have.

    Returns:
      uint8 `[h, w, 3]`; grey images have three equal channels.

    Raises:
      UserError: the image does not decode or has another size.
    """
    image = open_image(record)
    if image.size != (shape[1], shape[0]):
        raise UserError(
            f"expected images of {shape[0]} x {shape[1]} pixels, found "
            f"{image.height} x {image.width} for {record.id!r}: prepare the set anew"
        )
    return np.asarray(image)


def open_image(record: Record) -> Image.Image:
    """The image of a record, decoded, in RGB.

    Raises:
      UserError: it does not decode; the message names the example.
    """
    try:
        # Naming the formats spares PIL from trying all that it knows.
        image = Image.open(io.BytesIO(record.image), formats=("PNG", "JPEG"))
        image.load()
        return image if image.mode == "RGB" else image.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(
            f"expected a PNG or JPEG image in example {record.id!r}, found data that "
            f"do not decode ({_one_line(error)}): delete the set and prepare it anew"
        ) from error


def _record(example: Any, id_feature: str) -> Record:
    feature = example.features.feature
    return Record(
        id=feature[id_feature].bytes_list.value[0].decode(),
        label=feature["label"].int64_list.value[0],
        image=feature["image"].bytes_list.value[0],
    )


def _check_features(features: Any, spec: DatasetSpec, directory: pathlib.Path) -> None:
    missing = [f for f in (spec.id_feature, "image", "label") if f not in features]
    if missing:
        raise UserError(
            f"expected a feature {missing[0]!r} in {directory}, found "
            f"{', '.join(features)}: {_mend(directory)}"
        )
    shape = tuple(features["image"].shape)
    if shape[:2] != spec.image_shape[:2]:
        raise UserError(
            f"expected {spec.name} images of shape {spec.image_shape} in {directory}, "
            f"found {shape}: {_mend(directory)}"
        )
    classes = features["label"].num_classes
    if classes != spec.num_classes:
        raise UserError(
            f"expected {spec.num_classes} classes in {directory}, found {classes}: "
            f"{_mend(directory)}"
        )


def _check_shard(path: pathlib.Path, count: int) -> None:
    """Truncation loses the index at the end of a file, and with it all its records."""
    from array_record.python import array_record_module

    found = "no file"
    if path.exists():
        try:
            reader = array_record_module.ArrayRecordReader(str(path))
            records = reader.num_records()
            reader.close()
        except Exception as error:
            found = _one_line(error)
        else:
            found = f"{records} (the file is truncated or damaged)"
            if records == count:
                return
    raise UserError(
        f"expected {count} records in {path}, found {found}: {_mend(path.parent)}"
    )


def _mend(directory: pathlib.Path) -> str:
    return f"delete {directory} and run again, and the set is prepared anew"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

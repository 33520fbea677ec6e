"""The data sets there are: shapes, splits, sizes, and where each comes from."""

from typing import NamedTuple

from jaxsel.errors import UserError


class Archive(NamedTuple):
    """A file in its original form, as the authors publish it.

    Attributes:
      filename: its name, under which it is looked for and kept.
      url: where it is downloaded from; None when it must be placed by hand.
      md5: 32 hexadecimal digits that it must have; None when there is nothing to
        check against.
      megabytes: about how much is downloaded.
    """

    filename: str
    url: str | None
    md5: str | None
    megabytes: int


class Split(NamedTuple):
    """One of ours, `train` or `test`, in the terms of the prepared set.

    Attributes:
      tfds_name: the split's name in the tfds directory.
      sizes: the numbers of examples that published versions have.
    """

    tfds_name: str
    sizes: tuple[int, ...]


class DatasetSpec(NamedTuple):
    """What is known of a data set before it is read.

    Attributes:
      name, version: those of its tfds directory, `DATA_DIR/name/version`.
      image_shape: `(h, w, channels)` on disk; None where it differs by image.
      num_classes: the number of labels.
      train, test: what the two splits are called and how large they are.
      builder: `module:class` of the TensorFlow-free tfds builder.
      archive: the file that it is built from, if there is one.
      folder: an unpacked archive of this name in the manual folder serves as well.
      manual_files: files that must all be placed by hand in the manual folder.
      id_feature: the feature that names an example.
      streamed: too large for memory; read with `jaxsel.data.stream`.
    """

    name: str
    version: str
    image_shape: tuple[int | None, int | None, int]
    num_classes: int
    train: Split
    test: Split
    builder: str
    archive: Archive | None = None
    folder: str | None = None
    manual_files: tuple[str, ...] = ()
    id_feature: str = "id"
    streamed: bool = False

    def split(self, split: str) -> Split:
        """`train` or `test`; anything else is a `UserError`."""
        if split not in ("train", "test"):
            raise UserError(
                f"expected split 'train' or 'test', found {split!r}: choose one of the "
                "two (what a set calls validation may be its 'test')"
            )
        return self.train if split == "train" else self.test


_BUILDERS = "jaxsel.data.builders"

_SPECS = (
    DatasetSpec(
        name="cifar10",
        version="3.0.2",
        image_shape=(32, 32, 3),
        num_classes=10,
        train=Split("train", (50_000,)),
        test=Split("test", (10_000,)),
        builder=f"{_BUILDERS}.cifar:Cifar10",
        archive=Archive(
            "cifar-10-python.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "c58f30108f718f92721af3b95e74349a",
            170,
        ),
    ),
    DatasetSpec(
        name="cifar100",
        version="3.0.2",
        image_shape=(32, 32, 3),
        num_classes=100,
        train=Split("train", (50_000,)),
        test=Split("test", (10_000,)),
        builder=f"{_BUILDERS}.cifar:Cifar100",
        archive=Archive(
            "cifar-100-python.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
            "eb9058c3a382ffc7106e4002c42a8d85",
            169,
        ),
    ),
    # The labels of Tiny-ImageNet's own test images were never published.
    DatasetSpec(
        name="tiny_imagenet",
        version="1.0.0",
        image_shape=(64, 64, 3),
        num_classes=200,
        train=Split("train", (100_000,)),
        test=Split("validation", (10_000,)),
        builder=f"{_BUILDERS}.tiny_imagenet:TinyImagenet",
        archive=Archive(
            "tiny-imagenet-200.zip",
            "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
            "90528d7ca1a48142e341f4ef8d21d0de",
            248,
        ),
        folder="tiny-imagenet-200",
    ),
    # Down-sized copies in the original layout; there is no official source for them.
    DatasetSpec(
        name="tiny_imagenet32",
        version="1.0.0",
        image_shape=(32, 32, 3),
        num_classes=200,
        train=Split("train", (100_000,)),
        test=Split("validation", (10_000,)),
        builder=f"{_BUILDERS}.tiny_imagenet:TinyImagenet32",
        archive=Archive("tiny-imagenet-32px.tar.xz", None, None, 0),
        folder="tiny-imagenet-32px",
    ),
    # MedMNIST 2.2.4 (January 2024) removed twenty blank images from the training set.
    DatasetSpec(
        name="organamnist",
        version="1.0.0",
        image_shape=(28, 28, 1),
        num_classes=11,
        train=Split("train", (34_561, 34_581)),
        test=Split("test", (17_778,)),
        builder=f"{_BUILDERS}.organamnist:Organamnist",
        archive=Archive(
            "organamnist.npz",
            "https://zenodo.org/records/10519652/files/organamnist.npz?download=1",
            "68e3f8846a6bd62f0c9bf841c0d9eacc",
            38,
        ),
    ),
    DatasetSpec(
        name="digits",
        version="1.0.0",
        image_shape=(8, 8, 1),
        num_classes=10,
        train=Split("train", (1_297,)),
        test=Split("test", (500,)),
        builder=f"{_BUILDERS}.digits:Digits",
    ),
    DatasetSpec(
        name="imagenet2012",
        version="5.1.0",
        image_shape=(None, None, 3),
        num_classes=1000,
        train=Split("train", (1_281_167,)),
        test=Split("validation", (50_000,)),
        builder=f"{_BUILDERS}.imagenet2012:Imagenet2012",
        manual_files=("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"),
        id_feature="file_name",
        streamed=True,
    ),
)

DATASETS: dict[str, DatasetSpec] = {spec.name: spec for spec in _SPECS}


def dataset(name: str | DatasetSpec) -> DatasetSpec:
    """The entry of a data set; an entry of one's own passes through.

    Args:
      name: a key of `DATASETS`, or a `DatasetSpec` for a set beside them.

    Returns:
      The entry.

    Raises:
      UserError: the name is unknown; the message lists the known ones.

    Example:
      >>> dataset("organamnist").num_classes
      11
    """
    if isinstance(name, DatasetSpec):
        return name
    if name not in DATASETS:
        raise UserError(
            f"expected a data set among {', '.join(sorted(DATASETS))}, found {name!r}: "
            "choose one of these"
        )
    return DATASETS[name]

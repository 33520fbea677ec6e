"""A missing set is prepared, or one line says soon what is missing and what to do."""

import http.server
import io
import pathlib
import socket
import threading
import time

import numpy as np
import pytest
import tensorflow_datasets as tfds
from tiny_archives import image_file, random_images, spec_of

from jaxsel.data import load
from jaxsel.data.building import prepare
from jaxsel.data.catalog import Archive, dataset
from jaxsel.data.download import ANSWER_SECONDS, NoAnswer, download
from jaxsel.data.prepare import main
from jaxsel.errors import UserError


def manual(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "data" / "downloads" / "manual"
    folder.mkdir(parents=True)
    return folder


def moved(spec, path: pathlib.Path):
    """The entry with another address; the old archive is gone."""
    old = pathlib.Path(spec.archive.url.removeprefix("file://"))
    old.rename(path)
    return spec


def with_url(spec, url: str):
    return spec._replace(archive=spec.archive._replace(url=url))


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_archive_placed_by_hand_is_used_without_a_network(tmp_path, cifar10):
    spec = moved(cifar10[0], manual(tmp_path) / "cifar-10-python.tar.gz")
    directory = prepare(spec)
    assert directory == tmp_path / "data" / "cifar10" / "3.0.2"
    assert (directory / "cifar10-train.array_record-00000-of-00001").exists()


def test_prepared_set_is_left_alone_and_serves_without_its_archive(tmp_path, cifar10):
    spec = cifar10[0]
    directory = prepare(spec)
    before = {path: path.stat().st_mtime_ns for path in directory.iterdir()}
    moved(spec, tmp_path / "elsewhere")
    (tmp_path / "data" / "downloads" / "cifar-10-python.tar.gz").unlink()
    assert prepare(spec) == directory
    assert {path: path.stat().st_mtime_ns for path in directory.iterdir()} == before


def test_directory_made_by_another_builder_is_read_as_it_is(tmp_path):
    images = random_images(5, 3, 32, 32, 3)

    class Cifar10(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("3.0.2")

        def _info(self):
            features = {
                "id": tfds.features.Text(),
                "image": tfds.features.Image(shape=(32, 32, 3)),
                "label": tfds.features.ClassLabel(num_classes=10),
            }
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict(features)
            )

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for row, image in enumerate(images):
                stream = io.BytesIO(image_file(image, format="PNG"))
                yield row, {"id": f"x{row}", "image": stream, "label": 9 - row}

    builder = Cifar10(data_dir=tmp_path / "data", file_format="array_record")
    builder.download_and_prepare()
    train = load("cifar10", "train")
    np.testing.assert_array_equal(train.images, images)
    assert train.labels.tolist() == [9, 8, 7]
    with pytest.raises(UserError, match=r"expected a split 'test' in .*, found train"):
        load("cifar10", "test")


def test_no_network_is_said_in_one_line_with_what_where_and_what_to_do(
    tmp_path, cifar10
):
    url = f"http://127.0.0.1:{closed_port()}/cifar-10-python.tar.gz"
    start = time.monotonic()
    with pytest.raises(UserError) as caught:
        prepare(with_url(cifar10[0], url))
    assert time.monotonic() - start < 5
    text = str(caught.value)
    assert "\n" not in text and "refused" in text
    for part in (
        tmp_path / "data" / "cifar10" / "3.0.2",
        tmp_path / "data" / "downloads" / "manual",
        "cifar-10-python.tar.gz",
        url,
        "python -m jaxsel.main --config configs/digits.py",
    ):
        assert str(part) in text


def test_silent_address_is_given_up_on(cifar10):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        spec = with_url(cifar10[0], f"http://127.0.0.1:{silent.getsockname()[1]}/x")
        start = time.monotonic()
        with pytest.raises(UserError, match=r"no answer within 0\.5 s|timed out"):
            prepare(spec, answer_seconds=0.5)
        assert time.monotonic() - start < 3


def test_answer_in_time_by_default():
    assert ANSWER_SECONDS < 15


class Short(http.server.BaseHTTPRequestHandler):
    """Promises a hundred bytes and sends five; knows no other path."""

    def do_GET(self):
        if self.path != "/short":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"short")

    def log_message(self, *args):
        pass


@pytest.mark.parametrize(
    ("path", "reason"), [("short", "5 of 100 bytes"), ("gone", "404 Not Found")]
)
def test_download_that_breaks_off_leaves_nothing(tmp_path, path, reason):
    with http.server.HTTPServer(("127.0.0.1", 0), Short) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{path}"
        with pytest.raises(NoAnswer, match=reason):
            download(Archive("x", url, None, 0), tmp_path / "downloads")
    assert list(tmp_path.rglob("downloads/*")) == []


def test_download_with_another_checksum_is_discarded(tmp_path, cifar10):
    spec = cifar10[0]
    wrong = spec._replace(archive=spec.archive._replace(md5="0" * 32))
    with pytest.raises(UserError, match=f"expected MD5 {'0' * 32} .*, found [0-9a-f]"):
        prepare(wrong)
    assert list((tmp_path / "data" / "downloads").iterdir()) == []


def test_placed_archive_with_another_checksum_is_named_and_kept(tmp_path, cifar10):
    path = manual(tmp_path) / "cifar-10-python.tar.gz"
    path.write_bytes(b"something else")
    with pytest.raises(UserError, match=f"expected MD5 .* of {path}, found"):
        prepare(cifar10[0])
    assert path.read_bytes() == b"something else"


@pytest.mark.parametrize("kept", [0.5, 0.0])
def test_truncated_archive_is_named_and_nothing_is_half_prepared(
    tmp_path, cifar10, kept
):
    whole = pathlib.Path(cifar10[0].archive.url.removeprefix("file://"))
    data = whole.read_bytes()
    whole.write_bytes(data[: int(len(data) * kept)])
    spec = spec_of("cifar10", whole, 10, 2)
    with pytest.raises(UserError, match=r"readable original of cifar10 in .*tar\.gz"):
        prepare(spec)
    assert not (tmp_path / "data" / "cifar10" / "3.0.2").exists()


def test_imagenet_says_which_tar_is_missing(tmp_path):
    folder = manual(tmp_path)
    (folder / "ILSVRC2012_img_train.tar").touch()
    with pytest.raises(UserError, match=r"no ILSVRC2012_img_val\.tar") as caught:
        prepare("imagenet2012")
    assert str(folder) in str(caught.value)


def test_set_without_an_address_says_where_to_place_it(tmp_path):
    with pytest.raises(UserError, match=r"place tiny-imagenet-32px\.tar\.xz in"):
        prepare("tiny_imagenet32")
    with pytest.raises(UserError, match=r"found nothing there"):
        prepare("tiny_imagenet32", source=tmp_path / "nowhere")


def test_data_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"data folder that can be written at .*file"):
        prepare("digits", data_dir=tmp_path / "file")


def test_folder_without_its_info_is_not_overwritten(tmp_path):
    folder = tmp_path / "data" / "digits" / "1.0.0"
    folder.mkdir(parents=True)
    with pytest.raises(UserError, match=r"a folder without dataset_info\.json"):
        prepare("digits")


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(UserError, match=r"among cifar10, cifar100, .*found 'mnist'"):
        dataset("mnist")


def test_command_prepares_and_answers_mistakes_with_code_2(tmp_path, capsys):
    assert main(["digits", "--data_dir", str(tmp_path / "there")]) == 0
    shown = capsys.readouterr()
    place = tmp_path / "there" / "digits" / "1.0.0"
    assert shown.out == f"digits is prepared in {place}\n"
    assert (place / "dataset_info.json").exists()
    assert main(["mnist"]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1 and "'mnist'" in shown.err

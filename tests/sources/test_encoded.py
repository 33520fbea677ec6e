"""A folder's features: each image read once, and only what is new the next time."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import threading
from collections.abc import Callable

import numpy as np
import pytest
from absl import logging
from PIL import Image

from jaxsel.errors import UserError
from jaxsel.features.encoder import Encoder
from jaxsel.sources import journal
from jaxsel.sources.encoded import Encoded, encode_folder
from jaxsel.sources.framing import by_size, square_of
from jaxsel.sources.images import from_folder, images_below
from jaxsel.sources.refusal import Refused

# The first five numbers of an image: nothing is compiled.
FIRST = Encoder(
    {"encoder": "first"},
    lambda x: np.asarray(x).reshape(len(x), -1)[:, :5].astype(np.float32),
)
RNG = np.random.default_rng(0)


class Meter:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.known, self.more = 0, 0

    def start_at(self, amount: int) -> None:
        self.known = amount

    def advance(self, amount: int) -> None:
        self.more += amount


class Frames:
    """Reads the left upper corner, and counts which files it was asked for."""

    def __init__(self, fail: str = "", error: BaseException | None = None) -> None:
        self.asked: list[str] = []
        self._fail, self._error = fail, error

    def __call__(self, path: pathlib.Path) -> np.ndarray:
        self.asked.append(path.name)
        if path.name == self._fail and self._error:
            raise self._error
        try:
            return np.asarray(Image.open(path).convert("RGB"))[:4, :4]
        except OSError as error:
            raise Refused("broken") from error


@pytest.fixture(autouse=True)
def clocks_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were made a moment ago count as settled."""
    monkeypatch.setattr(journal, "_UNCERTAIN", 0)


def save(path: pathlib.Path, size: tuple[int, int] = (4, 4)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (*size, 3), np.uint8)).save(path)


@pytest.fixture
def images(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "images"
    for number in range(10):
        save(folder / f"{number}.png")
    (folder / "5b.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def encode(tmp_path: pathlib.Path, images: pathlib.Path) -> Callable[..., Encoded]:
    def call(frame: Frames | None = None, meter: Meter | None = None) -> Encoded:
        frame, meter = frame or Frames(), meter or Meter()
        found, root = images_below(images), tmp_path / "root"
        return encode_folder(images, found, FIRST, frame, "4", 3, root, meter)

    return call


def expected(folder: pathlib.Path, names: list[str]) -> np.ndarray:
    pixels = [np.asarray(Image.open(folder / name).convert("RGB")) for name in names]
    return np.array([p[:4, :4].ravel()[:5] for p in pixels], np.float32)


def same(found: Encoded, folder: pathlib.Path) -> None:
    """The rows are those of the images, and the source is what opening it gives."""
    names = found.source.ids.tolist()
    np.testing.assert_array_equal(found.rows, expected(folder, names))
    opened = from_folder(folder, progress=False)
    assert names == opened.ids.tolist()
    assert found.source.fingerprint == opened.fingerprint
    assert found.source.copies == opened.copies
    assert [u.id for u in found.source.unreadable] == [u.id for u in opened.unreadable]


def test_rows_by_id_and_what_cannot_be_read(encode, images) -> None:
    meter = Meter()
    found = encode(meter=meter)
    same(found, images)
    assert found.source.unreadable == (("5b.png", "broken"),)
    assert (found.fresh, meter.known, meter.more) == (10, 0, 11)
    assert isinstance(found.rows, np.memmap) and not found.rows.flags.writeable


def test_the_second_call_decodes_nothing(encode, images) -> None:
    encode()
    frames, meter = Frames(), Meter()
    found = encode(frames, meter)
    same(found, images)
    # What could not be read may be readable by now.
    assert frames.asked == ["5b.png"]
    assert (found.fresh, meter.known, meter.more) == (0, 10, 1)


def test_only_what_is_new_is_encoded(encode, images) -> None:
    encode()
    (images / "0.png").rename(images / "sub.png")
    shutil.copy(images / "1.png", images / "1copy.png")
    save(images / "2.png")
    (images / "3.png").unlink()
    save(images / "a" / "new.png")
    os.utime(images / "4.png", (1, 1))
    frames = Frames()
    found = encode(frames)
    same(found, images)
    assert sorted(frames.asked) == ["2.png", "5b.png", "new.png"]
    assert found.fresh == 2
    # And what is gone for a while is remembered.
    frames = Frames()
    save(images / "3.png")
    (images / "7.png").rename(images.parent / "7.png")
    same(encode(frames), images)
    (images.parent / "7.png").rename(images / "7.png")
    again = Frames()
    same(encode(again), images)
    assert sorted(frames.asked) == ["3.png", "5b.png"] and again.asked == ["5b.png"]


def test_another_content_of_the_same_size_and_time_is_seen(encode, images) -> None:
    file = images / "6.png"
    Image.new("RGB", (4, 4), (1, 2, 3)).save(file, compress_level=0)
    before = file.stat()
    encode()
    Image.new("RGB", (4, 4), (9, 8, 7)).save(file, compress_level=0)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    same(encode(), images)


def test_a_file_just_written_is_compared_by_content(
    encode, images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_UNCERTAIN", 10**18)
    encode()
    frames, meter = Frames(), Meter()
    same(encode(frames, meter), images)
    assert frames.asked == ["5b.png"] and meter.known == 0


@pytest.mark.parametrize("fail", ["0.png", "4.png", "9.png"])
def test_killed_it_goes_on(encode, images, fail: str) -> None:
    stopped = Frames(fail, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        encode(stopped)
    meter = Meter()
    same(encode(meter=meter), images)
    # Whole batches of three that the network has seen before the file's own.
    assert meter.known >= max(0, int(fail[0]) - 8)


def test_half_a_line_and_rows_without_one(encode, images, tmp_path) -> None:
    whole = encode()
    place = next((tmp_path / "root").iterdir())
    lines = (place / "journal.jsonl").read_text().splitlines(keepends=True)
    (place / "journal.jsonl").write_text("".join(lines) + lines[-1][:40])
    with (place / "rows-0.f32").open("ab") as stream:
        stream.write(b"half a row")
    frames = Frames()
    found = encode(frames)
    assert frames.asked == ["5b.png"] and found.fresh == 0
    np.testing.assert_array_equal(found.rows, whole.rows)
    save(images / "more.png")
    same(encode(), images)


@pytest.mark.parametrize("damage", ["flipped", "short", "gone", "no journal"])
def test_damage_is_said_and_mended(
    encode, images, tmp_path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(logging, "warning", lambda *words: warned.append(words[0]))
    encode()
    place = next((tmp_path / "root").iterdir())
    rows = place / "rows-0.f32"
    if damage == "flipped":
        data = bytearray(rows.read_bytes())
        data[7] ^= 1
        rows.write_bytes(data)
    elif damage == "short":
        rows.write_bytes(rows.read_bytes()[:-1])
    elif damage == "gone":
        rows.unlink()
    else:
        (place / "journal.jsonl").write_text("[1, 2]\n")
    same(encode(), images)
    assert len(warned) == 1 and "damaged" in warned[0]
    frames = Frames()
    same(encode(frames), images)
    assert frames.asked == ["5b.png"] and len(warned) == 1


def test_sizes_go_through_the_encoder_one_by_one(
    images, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 8, 2):
        save(images / f"{number}.png", (5, 6))
    seen: set[tuple[int, ...]] = set()

    def encode(x: np.ndarray) -> np.ndarray:
        seen.add(np.shape(x))
        return FIRST.encode(x)  # type: ignore[arg-type,return-value]

    def whole(path: pathlib.Path) -> np.ndarray:
        if path.name == "5b.png":
            raise Refused("broken")
        return np.asarray(Image.open(path))

    found = encode_folder(
        images,
        images_below(images),
        Encoder({"encoder": "first"}, encode),
        whole,
        "whole",
        3,
        tmp_path / "root",
        Meter(),
    )
    same(found, images)
    assert seen == {(3, 4, 4, 3), (3, 5, 6, 3)}


def test_copies_are_encoded_once(encode, images) -> None:
    for number in range(20):
        shutil.copy(images / "0.png", images / f"copy{number:02}.png")
    found = encode()
    same(found, images)
    assert found.fresh <= 12  # those of a batch that is on its way may be made twice


def test_nothing_that_can_be_read(tmp_path, encode, images) -> None:
    for path in images.glob("?.png"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match="found 11 that cannot be read, the first '0"):
        encode()
    for path in images.iterdir():
        path.unlink()
    with pytest.raises(UserError, match=r"expected images .* found none"):
        encode()


def test_a_file_that_changes_all_the_time(encode, images) -> None:
    class Writes(Frames):
        def __call__(self, path: pathlib.Path) -> np.ndarray:
            found = super().__call__(path)
            if path.name == "3.png":
                save(path)
            return found

    found = encode(Writes())
    reasons = dict(found.source.unreadable)
    assert reasons["3.png"] == "it changes while it is read"
    assert len(found.rows) == 9


def test_two_at_once_wait_for_each_other(encode, images, tmp_path, capsys) -> None:
    encode()
    place = next((tmp_path / "root").iterdir())
    done: list[Encoded] = []
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        other = threading.Thread(target=lambda: done.append(encode()))
        other.start()
        other.join(0.3)
        assert not done
    other.join(20)
    same(done[0], images)
    assert "waiting for another process" in capsys.readouterr().err


@pytest.mark.parametrize("size", [(80, 65), (300, 257), (64, 64), (40, 90), (140, 512)])
def test_frames_by_size_are_pillows_resize_and_cut(tmp_path, size) -> None:
    height, width = size
    y, x = np.indices(size)
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 31)], -1)
    noise = RNG.normal(size=(*size, 3)) * 20
    image = np.clip(127 + 90 * waves + noise, 0, 255).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    found = by_size(64, 96, 256, 224)(tmp_path / "a.png").astype(int)
    short = min(size)
    left, top = (width - short) // 2, (height - short) // 2
    square = Image.fromarray(image).crop((left, top, left + short, top + short))
    if short <= 64:
        whole = square.resize((96, 96), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(found, np.asarray(whole))
        np.testing.assert_array_equal(found, square_of(96)(tmp_path / "a.png"))
        return
    whole = square.resize((256, 256), Image.Resampling.BICUBIC)
    cut = np.asarray(whole.crop((16, 16, 240, 240))).astype(int)
    # Between the passes both round to whole levels.
    assert np.abs(found - cut).max() <= 1


def test_the_digest_is_the_files(encode, images) -> None:
    found = encode()
    whole = hashlib.sha256()
    for name in found.source.ids.tolist():
        digest = hashlib.sha256((images / name).read_bytes()).hexdigest()
        whole.update(f"{name}\0{digest}\0".encode())
    assert whole.hexdigest() == found.source.fingerprint

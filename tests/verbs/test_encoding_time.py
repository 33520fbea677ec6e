"""What encoding a folder would take: what is tried of it, and what is known already."""

import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from jaxsel.planning.machine import Machine
from jaxsel.sources import stat
from jaxsel.sources.images import images_below
from jaxsel.sources.reading import Reading
from jaxsel.verbs import encoding_time, plan
from jaxsel.verbs.encoding import encoder_settings, frame_of
from jaxsel.verbs.encoding_time import sample, time_before
from tests.verbs.console import Run, contents

HERE = Machine(2 << 30, 1e11, 1e10, 2, "cpu")


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is always the same, and files made a moment ago are settled."""
    monkeypatch.setattr(plan, "machine", lambda: HERE)
    monkeypatch.setattr(stat, "_UNCERTAIN", 0)


@pytest.fixture
def photos(tmp_path: pathlib.Path) -> pathlib.Path:
    """32 pictures, of which every fourth is large."""
    root = tmp_path / "photos"
    root.mkdir()
    for number in range(32):
        size = (70, 80) if number % 4 == 0 else (8, 64)
        Image.new("RGB", size, (number, 0, 0)).save(root / f"{number:02}.png")
    return root


@pytest.fixture
def cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("JAXSEL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_sizes_are_those_of_a_spread_sample(
    run: Run, photos: pathlib.Path, cache: pathlib.Path
) -> None:
    found = run("plan", photos, "-b", 3, "-m", "norm", "--json").found["encoding"]
    # Of 16 the numbers are 0, 2, 4, …, 14 and 16, 18, … with the last one added.
    tried = [place * 31 // 15 for place in range(16)]
    large = sum(number % 4 == 0 for number in tried)
    assert found["sides"] == {"96": 16 - large, "224": large}
    assert (found["images"], found["known"], found["sampled"]) == (32, 0, 16)
    text = run("plan", photos, "-b", 3, "-m", "norm").out.splitlines()
    assert text[1].startswith("Encoding 32 images by efficientnet_lite0 takes some ")
    assert f"(tried: {16 - large} at 96 and {large} at 224 pixels)" in text[1]
    assert "not in it" in text[-1]
    # A forecast leaves nothing behind.
    assert not cache.exists()
    side = run("plan", photos, "-b", 3, "-m", "norm", "--side", 32, "--json").found
    assert side["encoding"]["sides"] == {"32": 16}


def test_what_is_known_takes_no_time(
    run: Run, photos: pathlib.Path, cache: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    words = ("--encoder", "rgb", "--side", 4)
    assert run("embed", photos, *words, "-o", tmp_path / "f.parquet").code == 0
    before = contents(cache)
    ask = ("plan", photos, "-b", 3, "-m", "norm", *words)
    found = run(*ask, "--json").found["encoding"]
    assert (found["known"], found["seconds"], found["sampled"]) == (32, 0, 0)
    assert found["peak_bytes"] == 32 * 48 * 4
    assert "takes no time: all 32 images are known from before" in run(*ask).out
    # One is another now, one has come, one is gone, one is no image.
    Image.new("RGB", (9, 9)).save(photos / "03.png")
    Image.new("RGB", (9, 9)).save(photos / "new.png")
    (photos / "04.png").unlink()
    (photos / "05.png").write_bytes(b"no image")
    found = run(*ask, "--json").found["encoding"]
    assert (found["images"], found["known"]) == (32, 29)
    assert (found["sampled"], found["unreadable"]) == (3, 1)
    said = run(*ask).out.splitlines()[1]
    assert said.startswith("Encoding 3 of 32 images by rgb takes some ")
    assert "the other 29 are known from before" in said and "1 cannot be read" in said
    assert contents(cache) == before
    # Once those are encoded, the one that cannot be read is no work either.
    assert run("embed", photos, *words, "-o", tmp_path / "g.parquet").code == 0
    found = run(*ask, "--json").found["encoding"]
    assert (found["known"], found["seconds"], found["unreadable"]) == (31, 0, 1)
    said = run(*ask).out
    assert "31 of 32 images are known from before, and the other 1 cannot be" in said
    # Of another size, or by another encoder, nothing is known.
    others = (("rgb", 5), ("random_resnet18", 4))
    for encoder, side in others:
        other = (*ask[:6], "--encoder", encoder, "--side", side, "--json")
        assert run(*other).found["encoding"]["known"] == 0


def test_images_of_more_than_8_bits_are_known_with_their_range(
    run: Run, cache: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    root = tmp_path / "deep"
    root.mkdir()
    for number in range(3):
        Image.new("I;16", (4, 4), 700 * number).save(root / f"{number}.png")
    words = ("--encoder", "rgb", "--side", 4)
    assert run("embed", root, *words, "-o", tmp_path / "f.parquet").code == 0
    ask = ("plan", root, "-b", 1, "-m", "norm", *words, "--json")
    assert run(*ask).found["encoding"]["known"] == 3
    # Without its brightest image the folder has another range: all are other images.
    (root / "2.png").unlink()
    assert run(*ask).found["encoding"]["known"] == 0


def test_a_damaged_journal_counts_up_to_where_it_is_damaged(
    run: Run, photos: pathlib.Path, cache: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    words = ("--encoder", "rgb", "--side", 4)
    assert run("embed", photos, *words, "-o", tmp_path / "f.parquet").code == 0
    (journal,) = cache.glob("images/rgb-*/journal.jsonl")
    journal.write_text(journal.read_text().splitlines()[0] + '\n{"files": [[')
    ask = ("plan", photos, "-b", 3, "-m", "norm", *words, "--json")
    assert run(*ask).found["encoding"]["known"] == 0
    journal.write_text("")
    assert run(*ask).found["encoding"]["known"] == 0


def test_a_folder_of_which_nothing_can_be_read(
    run: Run, tmp_path: pathlib.Path
) -> None:
    root = tmp_path / "bad"
    root.mkdir()
    for name in ("a.png", "b.jpg"):
        (root / name).write_bytes(b"no image")
    said = run("plan", root, "-b", 1, "-m", "norm")
    assert (said.code, said.err) == (0, "")
    assert "of 2 images, 2 were tried and cannot be read" in said.out
    found = run("plan", root, "-b", 1, "-m", "norm", "--json").found["encoding"]
    assert (found["seconds"], found["unreadable"]) == (None, 2)


def test_a_slow_sample_ends_early_and_stays_spread(
    photos: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = images_below(photos).images
    asked: list[int] = []

    def frame(path: pathlib.Path, levels: object) -> np.ndarray:
        asked.append(int(path.stem))
        return np.zeros((8, 8, 3), np.uint8)

    monkeypatch.setattr(encoding_time, "_SECONDS", -1.0)
    assert sample(files, frame, 8, Reading()).sides == (8,)
    monkeypatch.setattr(encoding_time, "_SECONDS", 1e9)
    assert sample(files, frame, 8, Reading()).sides == (8,) * 16
    first = sorted(asked[2:][:5])  # without the first call and the one that warms up
    assert max(np.diff([0, *first, 31])) < 16


def test_many_images_are_announced(photos: pathlib.Path) -> None:
    found = images_below(photos)
    settings = encoder_settings(None, None, None)
    frame = frame_of(settings)
    said = time_before(found, settings, frame, 200_000, lambda: HERE)
    assert said.startswith("encoding 200,000 images by efficientnet_lite0: some ")
    assert said.endswith(" min by forecast")

    def not_asked() -> Machine:
        raise AssertionError("a small folder measures nothing")

    assert time_before(found, settings, frame, 999, not_asked) == ""
    fast = HERE._replace(flops=1e18)
    rgb = encoder_settings("rgb", None, 4)
    assert time_before(found, rgb, frame_of(rgb), 1_000, lambda: fast) == ""


def test_the_announcement_comes_before_the_first_image(
    run: Run,
    photos: pathlib.Path,
    cache: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoding_time, "_MANY", 1)
    monkeypatch.setattr(encoding_time, "_LONG", 0.0)
    words = ("embed", photos, "--encoder", "rgb", "--side", 4, "--force")
    said = run(*words, "-o", tmp_path / "f.parquet")
    assert said.code == 0
    assert "encoding 32 images by rgb: some 1 s by forecast\n" in said.err
    os.utime(photos / "00.png", (1, 1))
    said = run(*words, "-o", tmp_path / "f.parquet")
    assert "encoding 1 image by rgb" in said.err
    said = run(*words, "-o", tmp_path / "f.parquet")
    assert "by forecast" not in said.err

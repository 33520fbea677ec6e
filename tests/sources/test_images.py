"""A folder as a source: what is readable, its pixels at one size, its fingerprint."""

import functools
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

from jaxsel.errors import UserError
from jaxsel.sources.images import batches, read, thumbnails
from jaxsel.sources.opening import open_source
from jaxsel.sources.source import Source


@pytest.fixture
def folder(tmp_path: pathlib.Path, picture: Image.Image) -> pathlib.Path:
    """Six readable images of many kinds, three that are not, and other things."""
    root = tmp_path / "my images"
    (root / "deep er").mkdir(parents=True)
    picture.save(root / "b.png")
    picture.resize((300, 200)).save(root / "deep er" / "größe\n1.jpg")
    picture.convert("L").save(root / "c.bmp")
    picture.convert("RGBA").save(root / "d.webp", lossless=True)
    picture.convert("CMYK").save(root / "e.tif")
    deep = np.arange(48, dtype=np.uint16).reshape(6, 8) * 100 + 5000
    Image.fromarray(deep).save(root / "f.png")
    (root / "empty.png").touch()
    whole = (root / "b.png").read_bytes()
    (root / "cut.png").write_bytes(whole[: len(whole) // 2])
    (root / "deep er" / "text.jpg").write_text("not an image")
    (root / "notes.txt").write_text("hello")
    (root / ".DS_Store").touch()
    return root


def open_quietly(folder: pathlib.Path, strict: bool = False) -> Source:
    return open_source(folder, strict=strict, progress=False)


def test_what_is_readable_and_what_is_not(folder: pathlib.Path) -> None:
    source = open_quietly(folder)
    assert source.ids.tolist() == [
        "b.png", "c.bmp", "d.webp", "deep er/größe\n1.jpg", "e.tif", "f.png",
    ]  # fmt: skip
    assert source.paths == tuple(folder / name for name in source.ids.tolist())
    assert source.features is None
    reasons = dict(source.unreadable)
    assert list(reasons) == ["cut.png", "deep er/text.jpg", "empty.png"]
    assert reasons["empty.png"] == "an empty file"
    assert reasons["deep er/text.jpg"].startswith("not a PNG")
    assert "truncated" in reasons["cut.png"] or "broken" in reasons["cut.png"]
    assert source.skipped == (1, 1, 0)


def test_strict_names_the_first(folder: pathlib.Path) -> None:
    with pytest.raises(UserError, match=r"found 3 that cannot be read.*'cut\.png'"):
        open_quietly(folder, strict=True)


def test_the_fingerprint_is_of_names_and_bytes(
    folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    first = open_quietly(folder).fingerprint
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "notes.txt").write_text("other")
    assert open_quietly(copy).fingerprint == first
    (copy / "b.png").rename(copy / "bb.png")
    renamed = open_quietly(copy).fingerprint
    (copy / "bb.png").rename(copy / "b.png")
    with (copy / "b.png").open("ab") as stream:
        stream.write(b"\0")
    assert len({first, renamed, open_quietly(copy).fingerprint}) == 3


def cubic(x: np.ndarray) -> np.ndarray:
    """Keys' kernel with a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def resized(values: np.ndarray, side: int, axis: int) -> np.ndarray:
    """Bicubic resampling of one axis, its kernel widened where it shrinks."""
    size = values.shape[axis]
    scale = size / side
    centres = (np.arange(side)[:, None] + 0.5) * scale
    weights = cubic((np.arange(size) + 0.5 - centres) / max(scale, 1.0))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.moveaxis(np.tensordot(weights, values, (1, axis)), 0, axis)


def expected_square(image: np.ndarray, side: int) -> np.ndarray:
    height, width = image.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    square = image[top : top + short, left : left + short].astype(np.float64)
    # Between the passes, as after them, there are no levels beyond 0 and 255.
    once = np.clip(resized(square, side, 1), 0, 255)
    return np.clip(resized(once, side, 0), 0, 255)


@pytest.mark.parametrize("side", [7, 24, 40])
def test_squares_are_antialiased_by_the_definition(
    tmp_path: pathlib.Path, side: int
) -> None:
    random = np.random.default_rng(side)
    for name, shape in {"a": (24, 33, 3), "b": (50, 21, 3), "c": (9, 9, 3)}.items():
        pixels = random.integers(0, 256, shape).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        source = open_quietly(tmp_path)
        row = source.ids.tolist().index(f"{name}.png")
        found = read(source, np.array([row]), side)[0]
        assert found.shape == (side, side, 3) and found.dtype == np.uint8
        assert np.abs(found - expected_square(pixels, side)).max() <= 1.6


def test_batches_follow_rows(folder: pathlib.Path) -> None:
    source = open_quietly(folder)
    whole = read(source, None, 16)
    assert whole.shape == (6, 16, 16, 3)
    reader = functools.partial(batches, source, 16)
    rows = np.array([4, 0, 4, 2, 5])
    parts = list(reader(rows, 2))
    assert [len(part) for part in parts] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(parts), whole[rows])
    np.testing.assert_array_equal(np.concatenate(list(reader(None, 4))), whole)
    assert read(source, np.array([], np.int64), 16).shape == (0, 16, 16, 3)
    # Deep grey was stretched over the whole image, then its middle was cut out.
    assert whole[5].min() >= 0 and whole[5].max() > 200 and whole[5].min() < 50


def test_a_jpeg_decoded_small_is_near_the_one_decoded_whole(
    tmp_path: pathlib.Path, picture: Image.Image
) -> None:
    large = picture.resize((900, 640), Image.Resampling.BICUBIC)
    large.save(tmp_path / "a.jpg", quality=95)
    large.save(tmp_path / "b.png")
    jpeg, png = read(open_quietly(tmp_path), None, 32).astype(int)
    assert np.abs(jpeg - png).mean() < 2


def test_thumbnails_show_the_whole_image(folder: pathlib.Path) -> None:
    source = open_quietly(folder)
    found = thumbnails(source, np.array([3, 0, 5]), largest=30)
    assert {row: picture.shape for row, picture in found.items()} == {
        3: (20, 30, 3),
        0: (23, 30, 3),
        5: (6, 8, 3),  # smaller ones are left as they are
    }
    assert all(picture.dtype == np.uint8 for picture in found.values())


def test_images_that_change_later_are_an_error(folder: pathlib.Path) -> None:
    source = open_quietly(folder)
    (folder / "b.png").write_bytes(b"")
    (folder / "c.bmp").unlink()
    with pytest.raises(UserError, match=r"'b\.png'.*\(an empty file\): start again"):
        read(source, None, 8)
    with pytest.raises(UserError, match=r"'c\.bmp'.*gone"):
        thumbnails(source, np.array([1]))


def test_rows_outside_the_pool(folder: pathlib.Path) -> None:
    source = open_quietly(folder)
    for row in (-1, 6):
        with pytest.raises(UserError, match=f"from 0 to 5, found {row}"):
            read(source, np.array([row]), 8)


def test_empty_folders(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match="found none"):
        open_quietly(tmp_path)
    (tmp_path / "a.txt").touch()
    (tmp_path / ".b.png").touch()
    with pytest.raises(UserError, match="1 other files, 1 hidden"):
        open_quietly(tmp_path)
    (tmp_path / "c.png").touch()
    with pytest.raises(UserError, match=r"found 1 that cannot.*'c\.png': an empty"):
        open_quietly(tmp_path)


def test_an_image_of_too_many_pixels_is_listed(
    folder: pathlib.Path, picture: Image.Image
) -> None:
    picture.save(folder / "bomb.bmp")
    head = bytearray((folder / "bomb.bmp").read_bytes())
    head[18:26] = np.array([9_800, 10_300], "<i4").tobytes()
    (folder / "bomb.bmp").write_bytes(head)
    reasons = dict(open_quietly(folder).unreadable)
    assert reasons["bomb.bmp"].startswith("100,940,000 pixels, more than the 100,000,")
    assert len(reasons) == 4

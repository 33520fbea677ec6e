"""One file to RGB: every format and mode against the pixels that were written."""

import pathlib
import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from jaxsel.sources import refusal
from jaxsel.sources.decode import open_rgb
from jaxsel.sources.refusal import Refused

TURNS = {  # the upright picture, as it is stored under each orientation
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


def pixels(path: pathlib.Path) -> np.ndarray:
    image = open_rgb(path)
    assert image.mode == "RGB"
    return np.asarray(image)


@pytest.mark.parametrize(
    ("name", "options", "off"),
    [
        ("a.png", {}, 0),
        ("a.bmp", {}, 0),
        ("a.tiff", {}, 0),
        ("a.TIF", {"compression": "tiff_lzw"}, 0),
        ("a.webp", {"lossless": True}, 0),
        ("a.jpg", {"quality": 100, "subsampling": 0}, 4),
        ("a.JPEG", {"quality": 100, "subsampling": 0, "progressive": True}, 4),
    ],
)
def test_formats_give_the_pixels_that_were_written(
    tmp_path: pathlib.Path,
    scene: np.ndarray,
    picture: Image.Image,
    name: str,
    options: dict[str, object],
    off: int,
) -> None:
    picture.save(tmp_path / name, **options)
    found = pixels(tmp_path / name)
    assert np.abs(found.astype(int) - scene).max() <= off


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_pictures_are_turned_upright(
    tmp_path: pathlib.Path, scene: np.ndarray, orientation: int, suffix: str
) -> None:
    stored = np.ascontiguousarray(TURNS[orientation](scene))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{suffix}"
    Image.fromarray(stored).save(path, exif=exif, quality=100)
    found = pixels(path)
    assert found.shape == scene.shape
    assert np.abs(found.astype(int) - scene).mean() < 3


def test_grey_palette_and_one_bit_become_rgb(
    tmp_path: pathlib.Path, scene: np.ndarray
) -> None:
    grey = scene[:, :, 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(
        pixels(tmp_path / "grey.png"), np.repeat(grey[:, :, None], 3, axis=2)
    )
    colours = np.array([[255, 0, 0], [0, 128, 0], [9, 8, 7]], np.uint8)
    index = (np.arange(24 * 32) % 3).reshape(24, 32).astype(np.uint8)
    palette = Image.fromarray(index).convert("P")
    palette.putpalette(colours.ravel().tolist())
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(pixels(tmp_path / "palette.png"), colours[index])
    Image.fromarray(index > 0).save(tmp_path / "bits.tif")
    np.testing.assert_array_equal(
        pixels(tmp_path / "bits.tif")[:, :, 0], np.where(index > 0, 255, 0)
    )


def test_cmyk_is_close_to_what_it_was_made_from(
    tmp_path: pathlib.Path, scene: np.ndarray, picture: Image.Image
) -> None:
    for name in ("a.jpg", "a.tif"):
        picture.convert("CMYK").save(tmp_path / name, quality=100)
        assert np.abs(pixels(tmp_path / name).astype(int) - scene).mean() < 3


def test_transparency_is_laid_on_white(
    tmp_path: pathlib.Path, scene: np.ndarray, picture: Image.Image
) -> None:
    alpha = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))
    rgba = np.dstack([scene, alpha])
    share = alpha[:, :, None] / 255.0
    expected = share * scene + (1 - share) * 255
    for name in ("a.png", "a.tif"):
        Image.fromarray(rgba).save(tmp_path / name)
        assert np.abs(pixels(tmp_path / name) - expected).max() <= 1
    Image.fromarray(np.dstack([scene[:, :, 0], alpha])).save(tmp_path / "la.png")
    assert np.abs(pixels(tmp_path / "la.png")[:, :, 0] - expected[:, :, 0]).max() <= 1
    # A palette with one colour that is not there.
    index = Image.fromarray((scene[:, :, 0] > 100).astype(np.uint8)).convert("P")
    index.putpalette([10, 20, 30, 40, 50, 60])
    index.save(tmp_path / "p.png", transparency=0)
    corner = pixels(tmp_path / "p.png")
    assert corner[0, 0].tolist() == [255, 255, 255]
    assert corner[0, -1].tolist() == [40, 50, 60]


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg", "cut.tif", "cut.bmp"])
def test_a_truncated_image_is_refused(
    tmp_path: pathlib.Path, picture: Image.Image, name: str
) -> None:
    path = tmp_path / name
    picture.resize((200, 150)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Refused):
        open_rgb(path)
    # And a scaled JPEG is read to its end too.
    with pytest.raises(Refused):
        open_rgb(path, 1)


def test_what_is_no_image_is_refused_with_a_reason(
    tmp_path: pathlib.Path, picture: Image.Image
) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("a\nb")
    picture.save(tmp_path / "eps.png", format="EPS")
    (tmp_path / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    (tmp_path / "web.png").write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0")
    for name, reason in {
        "empty.png": "an empty file",
        "text.jpg": "not a PNG, JPEG",
        "eps.png": "not a PNG, JPEG",
        "phone.jpg": "a HEIC image, which is not read: convert",
        "web.png": "an AVIF image, which is not read: convert",
        "absent.png": "gone",
    }.items():
        with pytest.raises(Refused, match=reason):
            open_rgb(tmp_path / name)


def test_a_format_is_known_by_its_content_not_its_name(
    tmp_path: pathlib.Path, scene: np.ndarray, picture: Image.Image
) -> None:
    picture.save(tmp_path / "really_png.jpg", format="PNG")
    np.testing.assert_array_equal(pixels(tmp_path / "really_png.jpg"), scene)


def test_many_pixels_are_refused_by_the_header(
    tmp_path: pathlib.Path, picture: Image.Image
) -> None:
    # The header says 20,000 by 20,000; there are no pixels behind it to decode.
    picture.save(tmp_path / "a.bmp")
    head = bytearray((tmp_path / "a.bmp").read_bytes())
    for side, count in ((20_000, "400,000,000 pixels"), (10_100, "102,010,")):
        head[18:26] = np.array([side, side], "<i4").tobytes()
        (tmp_path / "bomb.bmp").write_bytes(head)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own, of 90 million and more
            with pytest.raises(Refused, match=count):
                open_rgb(tmp_path / "bomb.bmp")


def test_a_tiff_of_two_gigabytes_is_not_decoded(tmp_path: pathlib.Path) -> None:
    side, path = 50_000, tmp_path / "slide.tif"
    tags = {  # grey of 8 bits, uncompressed, in one strip behind the header
        256: side, 257: side, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: side,
        279: side * side,
    }  # fmt: skip
    with path.open("wb") as stream:
        stream.write(b"II*\0" + struct.pack("<IH", 8, len(tags)))
        for tag, value in tags.items():
            stream.write(struct.pack("<HHII", tag, 4, 1, value))
        stream.write(struct.pack("<I", 0))
        stream.truncate(200 + side * side)  # all holes: it takes no room
    assert path.stat().st_size > 2_000_000_000
    with pytest.raises(Refused, match="2,500,000,000 pixels, more than"):
        open_rgb(path)


def test_the_limit_itself_is_read(
    tmp_path: pathlib.Path, picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture.save(tmp_path / "a.png")
    monkeypatch.setattr(refusal, "MOST_PIXELS", 24 * 32)
    open_rgb(tmp_path / "a.png")
    monkeypatch.setattr(refusal, "MOST_PIXELS", 24 * 32 - 1)
    with pytest.raises(Refused, match="768 pixels, more than the 767"):
        open_rgb(tmp_path / "a.png")


def test_a_scaled_jpeg_keeps_twice_what_is_asked_for(
    tmp_path: pathlib.Path, picture: Image.Image
) -> None:
    picture.resize((640, 480)).save(tmp_path / "a.jpg")
    assert open_rgb(tmp_path / "a.jpg", 30).size == (80, 60)
    assert open_rgb(tmp_path / "a.jpg", 200).size == (640, 480)
    assert open_rgb(tmp_path / "a.jpg").size == (640, 480)


def test_damaged_exif_does_not_hide_the_picture(
    tmp_path: pathlib.Path, scene: np.ndarray, picture: Image.Image
) -> None:
    picture.save(tmp_path / "a.jpg", exif=b"Exif\0\0nonsense", quality=100)
    assert np.abs(pixels(tmp_path / "a.jpg").astype(int) - scene).mean() < 3

"""Pixels of more than 8 bits: every bit of them, and what they become in a pool."""

import pathlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from jaxsel.errors import UserError
from jaxsel.sources import survey
from jaxsel.sources.decode import decode, open_rgb
from jaxsel.sources.deep import Counts, opacity
from jaxsel.sources.images import read, thumbnails
from jaxsel.sources.levels import WHOLE, Line
from jaxsel.sources.opening import open_source
from jaxsel.sources.reading import Reading
from jaxsel.sources.refusal import Refused
from tests.sources.deep_files import write_png, write_tiff

RNG = np.random.default_rng(0)
SHAPE = (6, 8)


def numbers(channels: int, bits: int = 16) -> np.ndarray:
    return RNG.integers(0, 1 << bits, (*SHAPE, channels)).astype(np.uint16)


def counts(path: pathlib.Path) -> Counts:
    found = decode(path).counts
    assert found is not None
    return found


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_keeps_all_sixteen_bits(tmp_path: pathlib.Path, channels: int) -> None:
    pixels, path = numbers(channels), tmp_path / "a.png"
    write_png(path, pixels)
    found = counts(path)
    colour = pixels[..., 0] if channels < 3 else pixels[..., :3]
    np.testing.assert_array_equal(found.values, colour)
    if channels % 2:
        assert found.alpha is None
    else:
        np.testing.assert_allclose(found.alpha, pixels[..., -1] / 65535, rtol=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("extra", [None, 0, 1, 2])
def test_tiff_keeps_all_sixteen_bits(
    tmp_path: pathlib.Path, order: str, deflate: bool, extra: int | None
) -> None:
    pixels, path = numbers(3 if extra is None else 4), tmp_path / "a.tif"
    tags = {} if extra is None else {"extra": extra}
    for planes, strips in ((False, 1), (False, 2), (True, 1), (True, 3)):
        write_tiff(
            path, pixels, order=order, deflate=deflate, planes=planes,
            strips=strips, **tags,
        )  # fmt: skip
        if planes and deflate:  # Pillow gives the upper bytes alone
            with pytest.raises(Refused, match="not read whole: save it as a PNG"):
                decode(path)
            continue
        found = counts(path)
        np.testing.assert_array_equal(found.values, pixels[..., :3])
        assert (found.alpha is not None) == (extra in (1, 2))
        assert found.multiplied == (extra == 1)


@pytest.mark.parametrize(
    ("dtype", "tags"),
    [
        ("uint16", {"photometric": 0}), ("uint32", {}), ("int16", {"format": 2}),
        ("int8", {"format": 2}), ("int32", {"format": 2}), ("float32", {"format": 3}),
    ],
)  # fmt: skip
def test_grey_of_any_numbers(
    tmp_path: pathlib.Path, dtype: str, tags: dict[str, int]
) -> None:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        pixels = RNG.normal(size=(*SHAPE, 1)).astype(kind)
    else:
        ends = np.iinfo(kind)
        pixels = RNG.integers(ends.min, ends.max, (*SHAPE, 1), endpoint=True)
        pixels[0, :2, 0] = ends.min, ends.max
        pixels = pixels.astype(kind)
    write_tiff(tmp_path / "a.tif", pixels, **tags)
    found = counts(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.values, pixels[..., 0])
    assert found.inverted == (tags.get("photometric") == 0)
    if found.inverted:  # as an X-ray: the smallest number is white
        row, column = np.unravel_index(pixels[..., 0].argmin(), SHAPE)
        assert np.asarray(open_rgb(tmp_path / "a.tif"))[row, column, 0] == 255


def test_what_cannot_be_read_whole_is_named(tmp_path: pathlib.Path) -> None:
    write_tiff(tmp_path / "a.tif", numbers(3).astype(np.float32), format=3)
    with pytest.raises(Refused, match="a TIFF of a kind that is not read"):
        decode(tmp_path / "a.tif")
    write_png(tmp_path / "a.png", numbers(3))
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Refused):
        decode(tmp_path / "a.png")


def test_a_pillow_without_these_raw_modes_is_noticed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png(tmp_path / "a.png", numbers(3))
    modes = {**PngImagePlugin._MODES, (16, 2): ("RGB", "RGBX")}
    monkeypatch.setattr(PngImagePlugin, "_MODES", modes)
    with pytest.raises(Refused, match="not read whole"):
        decode(tmp_path / "a.png")


@pytest.mark.parametrize("orientation", [3, 6])
def test_deep_colour_is_turned_upright_once(
    tmp_path: pathlib.Path, orientation: int
) -> None:
    plain, exif = numbers(3), Image.Exif()
    exif[0x0112] = orientation
    upright = np.rot90(plain, {3: 2, 6: -1}[orientation]) // 256
    write_png(tmp_path / "a.png", plain, behind={b"eXIf": exif.tobytes()[6:]})
    for planes in (False, True):
        write_tiff(
            tmp_path / f"{planes}.tif", plain, planes=planes, orientation=orientation
        )
    for name in ("a.png", "False.tif", "True.tif"):
        found = np.asarray(open_rgb(tmp_path / name)).astype(int)
        assert found.shape == upright.shape
        assert np.abs(found - upright).max() <= 1


def test_the_one_transparent_colour_is_white(tmp_path: pathlib.Path) -> None:
    pixels = numbers(3)
    pixels[0, 0] = (256, 1, 65535)  # of which the upper bytes are others' too
    pixels[0, 1] = (256, 2, 65535)
    empty = b"\x01\x00\x00\x01\xff\xff"
    write_png(tmp_path / "a.png", pixels, before={b"tRNS": empty})
    found = np.asarray(open_rgb(tmp_path / "a.png"))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[0, 1].tolist() == [1, 0, 255]


def test_scaled_first_and_then_laid_on_white(tmp_path: pathlib.Path) -> None:
    """A camera of 12 bits writes alpha of 12 bits; half of it is half-transparent."""
    pixels = numbers(4, 12)
    pixels[0, :, :3] = 2048
    pixels[0, :4, 3], pixels[0, 4:, 3] = 4095, 2048
    pixels[1, :, 3] = 0
    write_png(tmp_path / "a.png", pixels)
    found = np.asarray(open_rgb(tmp_path / "a.png")).astype(float)
    share = pixels[..., 3:] / 4095
    laid = share * pixels[..., :3] * (255 / 4096) + (1 - share) * 255
    assert np.abs(found - laid).max() <= 1
    assert (found[1] == 255).all()
    # The same, multiplied by alpha already.
    ready = np.concatenate([pixels[..., :3] * share, pixels[..., 3:]], axis=2)
    write_tiff(tmp_path / "a.tif", np.rint(ready).astype(np.uint16), extra=1)
    span = decode(tmp_path / "a.tif").span
    assert span is not None
    found = np.asarray(open_rgb(tmp_path / "a.tif")).astype(float)
    assert np.abs(found - laid).max() <= 2


def test_opacity_by_the_bits_of_the_file() -> None:
    bright, dim = np.full((1, 2), 65535, np.uint16), np.full((1, 2), 900, np.uint16)
    half = np.array([[32768, 0]], np.uint16)
    assert opacity(half, bright)[0].tolist() == pytest.approx([0.5, 0], abs=1e-4)
    assert opacity(half // 2, bright)[0, 0] == pytest.approx(0.25, abs=1e-4)
    assert opacity(np.array([[1000, 0]], np.uint16), dim)[0, 0] == pytest.approx(
        1000 / 1023
    )
    assert not opacity(np.zeros((1, 2), np.uint16), dim).any()


def folder_of(tmp_path: pathlib.Path, **pictures: np.ndarray) -> pathlib.Path:
    root = tmp_path / "pool"
    root.mkdir()
    for name, pixels in pictures.items():
        write_png(root / f"{name}.png", pixels)
    return root


def test_one_line_for_the_whole_pool(tmp_path: pathlib.Path) -> None:
    """A picture half as bright stays half as bright, in grey and in colour."""
    light = numbers(3, 12)
    light[0, 0] = 4095
    grey = light[..., :1]
    root = folder_of(tmp_path, a=light, b=light // 2, c=grey, d=grey // 2)
    Image.fromarray(np.full((*SHAPE, 3), 7, np.uint8)).save(root / "e.png")
    source = open_source(root, progress=False)
    assert source.reading.deep == 4 and source.reading.flat == ()
    assert dict(source.reading.levels) == {"whole numbers": (0.0, 4096.0)}
    found = thumbnails(source, np.arange(5))
    for row, pixels in enumerate((light, light // 2, grey, grey // 2)):
        expected = pixels * (255 / 4096)
        assert np.abs(found[row].astype(float) - expected).max() <= 0.5 + 1e-6
    assert (found[4] == 7).all()  # of 8 bits: as it is
    alone = read(open_source(root, progress=False), np.array([1]), 6)
    assert alone.max() < 140


def test_a_pool_of_two_depths_says_which_pictures_are_nearly_black(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow, deep = numbers(3, 10), numbers(3, 16)
    deep[0, 0] = 65535
    root = folder_of(tmp_path, a=shallow, b=deep, c=np.zeros((*SHAPE, 1), np.uint16))
    source = open_source(root, progress=False)
    assert source.reading.flat == ("a.png",)
    # Other lines make other pictures of the same files.
    other = source.reading._replace(levels={WHOLE: Line(0.0, 4096.0)})
    monkeypatch.setattr("jaxsel.sources.images.surveyed", lambda *_: other)
    assert open_source(root, progress=False).fingerprint != source.fingerprint


def test_several_pages_or_frames(tmp_path: pathlib.Path) -> None:
    frames = [Image.new("RGB", (4, 4), c) for c in ("red", "green", "blue")]
    for name in ("stack.tif", "moves.gif", "moves.png", "moves.webp"):
        frames[0].save(
            tmp_path / name, save_all=True, append_images=frames[1:], lossless=True
        )
        frames[0].save(tmp_path / f"one-{name}", lossless=True)
    frames[0].save(tmp_path / "phone.jpg", format="MPO", save_all=True,
                   append_images=frames[1:], quality=100)  # fmt: skip
    about = {270: "ImageJ=1.53t\nimages=30\nslices=30\n"}
    frames[0].save(tmp_path / "imagej.tif", tiffinfo=about)
    frames[0].save(tmp_path / "imagej-one.tif", tiffinfo={270: "ImageJ=1.5\nimages=1"})
    source = open_source(tmp_path, progress=False)
    assert source.reading.several == (
        "imagej.tif", "moves.gif", "moves.png", "moves.webp", "stack.tif"
    )  # fmt: skip
    assert source.unreadable == () and source.reading.deep == 0
    first = read(source, None, 4)[:, 0, 0]
    np.testing.assert_allclose(first, np.broadcast_to([255, 0, 0], first.shape), atol=4)
    assert decode(tmp_path / "stack.tif").first_of_several
    assert not decode(tmp_path / "phone.jpg").first_of_several


def test_pictures_of_other_formats_are_listed(tmp_path: pathlib.Path) -> None:
    for name in ("IMG_1.HEIC", "b.avif", "c.nef", "d.mp4"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match=r"found 3 that cannot be read.*HEIC image"):
        open_source(tmp_path, progress=False)
    Image.new("L", (3, 1), 9).save(tmp_path / "a.png")
    source = open_source(tmp_path, progress=False)
    reasons = dict(source.unreadable)
    assert list(reasons) == ["IMG_1.HEIC", "b.avif", "c.nef"]
    assert "convert it to PNG or JPEG" in reasons["b.avif"]
    assert source.skipped.other == 1


def test_plain_files_are_passed_over_by_their_first_bytes(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Image.new("RGB", (4, 4), "red")
    for name in ("a.png", "b.jpg", "c.bmp", "d.webp"):
        picture.save(tmp_path / name)
    picture.save(tmp_path / "e.webp", lossless=True, exif=Image.Exif().tobytes())

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a plain file was opened")

    monkeypatch.setattr(survey.Image, "open", refuse)
    for path in sorted(tmp_path.iterdir()):
        assert survey.look_at(path) == (None, False)
    # What is damaged is for whoever reads it to name.
    (tmp_path / "f.tif").write_bytes(b"II*\0")
    assert survey.surveyed(["f"], [tmp_path / "f.tif"]) == Reading()

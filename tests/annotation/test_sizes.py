"""Sizes are those of the image as it is shown, without decoding it."""

import pathlib
import zlib

from PIL import Image
from pool_of_five import PICKS

from jaxsel.annotation.sizes import image_sizes


def test_sizes_are_read_from_headers(tmp_path: pathlib.Path) -> None:
    picks = [
        pick._replace(path=name)
        for pick, name in zip(
            PICKS, ("flat.png", "turned.jpg", "broken.png", "huge.png", ""), strict=True
        )
    ]
    Image.new("L", (5, 3)).save(tmp_path / "flat.png")
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (5, 3)).save(tmp_path / "turned.jpg", exif=exif)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    # A header that claims more pixels than memory holds.
    png = bytearray((tmp_path / "flat.png").read_bytes())
    png[16:24] = (20_000).to_bytes(4, "big") + (7_000).to_bytes(4, "big")
    checksum = zlib.crc32(png[12:29]).to_bytes(4, "big")
    (tmp_path / "huge.png").write_bytes(png[:29] + checksum + png[33:])
    assert image_sizes(picks, tmp_path) == {
        PICKS[0].id: (5, 3),
        PICKS[1].id: (3, 5),
        PICKS[3].id: (20_000, 7_000),
    }


def test_a_turned_image_is_turned_once_in_every_format(tmp_path: pathlib.Path) -> None:
    """Some versions of Pillow turn a TIFF's size by themselves."""
    exif = Image.Exif()
    exif[274] = 6
    for name in ("a.tif", "a.jpg", "a.png", "a.webp"):
        Image.new("RGB", (5, 3)).save(tmp_path / name, exif=exif)
        pick = PICKS[0]._replace(path=name)
        assert image_sizes([pick], tmp_path) == {pick.id: (3, 5)}, name

"""What kind of picture a file is, where it is of a kind that is not read."""

import pathlib

_CONVERT = "convert it to PNG or JPEG"
_HEIC = f"a HEIC image, which is not read: {_CONVERT}"
_AVIF = f"an AVIF image, which is not read: {_CONVERT}"
_JPEG_2000 = f"a JPEG 2000 image, which is not read: {_CONVERT}"
_JPEG_XL = f"a JPEG XL image, which is not read: {_CONVERT}"
_PHOTOSHOP = f"a Photoshop file, which is not read: {_CONVERT}"
_RAW = "a camera's raw file, which is not read: develop it and save it as PNG or TIFF"
_SLIDE = "a microscope's file, which is not read: cut it into PNG or TIFF images"
_OTHER = f"an image of a format that is not read: {_CONVERT}"

# Pictures by their names. They are listed as unreadable: a folder that loses them
# without a word would look complete.
NOT_READ = {
    suffix: reason
    for reason, suffixes in {
        _HEIC: ".heic .heif .hif",
        _AVIF: ".avif .avifs",
        _JPEG_2000: ".jp2 .j2k .jpx .jpf",
        _JPEG_XL: ".jxl",
        _PHOTOSHOP: ".psd .psb",
        _RAW: ".dng .nef .cr2 .cr3 .arw .orf .rw2 .raf",
        _SLIDE: ".svs .ndpi .czi .nd2 .lif .vsi .mrxs",
        _OTHER: ".ppm .pgm .pbm .pnm .tga .exr .hdr .svg .dds",
    }.items()
    for suffix in suffixes.split()
}
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1")
_MARKS = {
    b"\0\0\0\x0cjP  ": _JPEG_2000,
    b"\xff\x4f\xff\x51": _JPEG_2000,
    b"\xff\x0a": _JPEG_XL,
    b"\0\0\0\x0cJXL ": _JPEG_XL,
    b"8BPS": _PHOTOSHOP,
    **dict.fromkeys(
        (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        "a TIFF of a kind that is not read, as colour in floating point is: save it as "
        "16-bit grey or RGB",
    ),
    **dict.fromkeys(
        (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8"), "an image with a damaged head"
    ),
}


def kind_of(path: pathlib.Path) -> str:
    """Why Pillow sees no image in a file, by the bytes that the file begins with.

    Args:
      path: the file, whatever its name.

    Returns:
      A reason for people, on one line.

    Example:
      >>> import tempfile
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "phone.jpg"
      >>> _ = file.write_bytes(b"\\0\\0\\0\\x18ftypheic")
      >>> kind_of(file)
      'a HEIC image, which is not read: convert it to PNG or JPEG'
    """
    with path.open("rb") as stream:
        start = stream.read(16)
    if not start:
        return "an empty file"
    if start[4:8] == b"ftyp" and start[8:12] in (b"avif", b"avis"):
        return _AVIF
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS:
        return _HEIC
    for mark, reason in _MARKS.items():
        if start.startswith(mark):
            return reason
    return "not a PNG, JPEG, TIFF, BMP, WEBP or GIF image"

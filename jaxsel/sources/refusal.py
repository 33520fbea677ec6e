"""Why a single image is left out; the folder around it is read on."""

MOST_PIXELS = 100_000_000


class Refused(Exception):
    """An image that cannot be read; the message is the reason, on one line."""


def refuse_large(pixels: int) -> None:
    """Refuses an image by the number of pixels that its header gives.

    100 million pixels are 400 MB when decoded. Whole slides and files made to exhaust
    memory have more, whatever the size of the file.

    Raises:
      Refused: there are more than `MOST_PIXELS`.
    """
    if pixels > MOST_PIXELS:
        raise Refused(
            f"{pixels:,} pixels, more than the {MOST_PIXELS:,} that are decoded: cut "
            "it into tiles or scale it down"
        )

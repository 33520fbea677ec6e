"""A small photograph that every format holds without visible loss."""

import numpy as np
import pytest
from PIL import Image


def _scene(height: int = 24, width: int = 32) -> np.ndarray:
    """Smooth colours with a dark mark in the upper left corner: turning it shows."""
    y, x = np.mgrid[0:height, 0:width] / (height - 1, width - 1)[0]
    scene = np.stack([60 + 150 * x / x.max(), 60 + 150 * y, 200 - 80 * y], axis=2)
    scene[:6, :6] = 20
    return np.rint(scene).astype(np.uint8)


@pytest.fixture
def scene() -> np.ndarray:
    """uint8 `[24, 32, 3]`."""
    return _scene()


@pytest.fixture
def picture(scene: np.ndarray) -> Image.Image:
    """The scene as Pillow has it."""
    return Image.fromarray(scene)

"""RandAugment's fourteen operations by number, each with the range of its magnitude.

Numbers and ranges are those of USB (Wang et al., 2022), which has them from FixMatch's
reimplementations: a magnitude is uniform over its range.
"""

from typing import NamedTuple


class Operation(NamedTuple):
    """What an operation is called and how strong it can be.

    Attributes:
      name: as in Cubuk et al. (2020).
      smallest, largest: of the magnitude; see the modules that implement them for its
        meaning. Operations without one ignore it.
    """

    name: str
    smallest: float
    largest: float


OPERATIONS = (
    Operation("AutoContrast", 0, 1),
    Operation("Brightness", 0.05, 0.95),
    Operation("Color", 0.05, 0.95),
    Operation("Contrast", 0.05, 0.95),
    Operation("Equalize", 0, 1),
    Operation("Identity", 0, 1),
    Operation("Posterize", 4, 8),
    Operation("Rotate", -30, 30),
    Operation("Sharpness", 0.05, 0.95),
    Operation("ShearX", -0.3, 0.3),
    Operation("ShearY", -0.3, 0.3),
    Operation("Solarize", 0, 256),
    Operation("TranslateX", -0.3, 0.3),
    Operation("TranslateY", -0.3, 0.3),
)

(
    AUTO_CONTRAST,
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    EQUALIZE,
    IDENTITY,
    POSTERIZE,
    ROTATE,
    SHARPNESS,
    SHEAR_X,
    SHEAR_Y,
    SOLARIZE,
    TRANSLATE_X,
    TRANSLATE_Y,
) = range(14)

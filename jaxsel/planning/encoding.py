"""About how long encoding a folder's images takes, and how much memory.

The seconds are those of decoding, measured on a few images of the folder, and those of
the network: its operations, at the machine's rate of matrix products times the share of
that rate which the network reaches. On a CPU both use the same cores, so their seconds
add up; an accelerator works while the cores decode, so the longer of the two counts.

Shares, activations and compile times were measured on two cores of an AMD EPYC, in
seconds of the processor, where a matrix product runs at 115 GFLOP/s a core:
EfficientNet-Lite0 takes 2.9 to 3.9 ms an image at 96 pixels and 16 to 25 ms at 224,
ResNet-18 14 ms at 64, ViT-S/16 220 ms at 224. None was measured on an accelerator.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from jaxsel.planning.machine import Machine

# Multiply-adds count as two operations. Of the layers of Tan & Le (2019) in Google's
# Lite0, without the last, which is not used; convolutions scale with the pixels.
_LITE0_FLOPS = 2 * 384e6
_LITE0_SIDE = 224
# Dosovitskiy et al. (2021); Touvron et al. (2021): 4.6 billion multiply-adds at 224
# pixels, which is what the network cuts out of any image.
_VIT_FLOPS = 2 * 4.6e9
# Multiply-adds of He et al.'s (2016) stages, a pixel of the image and at width 64:
# the first at full size, the other three, each on a quarter of the pixels.
_STAGE_1, _STAGES_2_TO_4, _STEM = 4 * 9 * 64 * 64, 3 * 524_288 // 4, 27 * 64
# Buffers of the compiler, whatever the network.
_COMPILING = 80_000_000
# Batches of decoded images: those ahead of the network (`sources.encoded`), the one
# that is stacked, its padded copy, and the one in the network.
_BATCHES = 3 + 3
# The name, path, size, times and SHA-256 of a file.
_ENTRY = 1_000


class Network(NamedTuple):
    """What an encoder does with an image of one size.

    Attributes:
      flops: operations an image.
      weights: bytes.
      activations: bytes an image, at their peak.
      share: of the machine's rate of matrix products that it reaches.
      compile_seconds: of one size of image.
    """

    flops: float
    weights: int
    activations: int
    share: float
    compile_seconds: float


class Sample(NamedTuple):
    """A few images of a folder, decoded.

    Attributes:
      sides: pixels a side that each was read at; without those that cannot be read.
      decode_seconds: of a processor, for an image.
      picture_bytes: most that a thread holds while it decodes one.
      unreadable: how many cannot be read.
    """

    sides: tuple[int, ...]
    decode_seconds: float
    picture_bytes: int
    unreadable: int


class Encoding(NamedTuple):
    """A forecast of encoding images.

    Attributes:
      seconds: in all, compiling counted in.
      decode_seconds: of decoding, on all cores.
      network_seconds: of the network, compiling left out.
      peak_bytes: most memory at one time, above what the process takes when idle.
      parts: bytes of the peak by what holds them, the largest first.
    """

    seconds: float
    decode_seconds: float
    network_seconds: float
    peak_bytes: int
    parts: tuple[tuple[str, int], ...]


def network_of(
    encoder: str, side: int, *, width: int = 64, stem: str = "cifar"
) -> Network:
    """What an encoder does with an image.

    Args:
      encoder: its name.
      side: pixels a side that images are read at.
      width: channels of the first stage of a ResNet-18.
      stem: of a ResNet-18: "cifar", "tiny" or "reference".

    Returns:
      Its operations, and the memory that it takes.

    Example:
      >>> [round(network_of("efficientnet_lite0", s).flops / 1e9, 2) for s in (96, 224)]
      [0.14, 0.77]
    """
    pixels = side**2
    if encoder == "efficientnet_lite0":
        flops = _LITE0_FLOPS * pixels / _LITE0_SIDE**2
        return Network(flops, 13_500_000, 190 * pixels, 0.36, 2.7)
    if encoder in ("dino_vits16", "random_vits16"):
        return Network(_VIT_FLOPS, 86_700_000, 7_100_000, 0.35, 0.9)
    if encoder in ("simclr", "random_resnet18"):
        # The max-pool, or the stride of 2, leaves a quarter of the pixels.
        left = 1.0 if stem == "cifar" else 0.25
        wider = width / 64
        stages = left * (_STAGE_1 + _STAGES_2_TO_4) * wider**2
        flops = 2 * pixels * (_STEM * wider + stages)
        # A 3×3 convolution lays the nine neighbours of every pixel side by side.
        patches = round(left * pixels * 9 * width * 4)
        return Network(flops, round(44_700_000 * wider**2), patches, 0.70, 0.9)
    if encoder == "rgb":
        return Network(3 * pixels, 0, 3 * 4 * pixels, 0.01, 0.1)
    raise ValueError(f"encoder: no operations are known of {encoder!r}")


def forecast_encoding(
    sample: Sample,
    network: Callable[[int], Network],
    *,
    missing: int,
    images: int,
    features: int,
    batch: int,
    machine: Machine,
) -> Encoding:
    """Predicts the time and memory of encoding images.

    Memory was compared once, for the default encoder on a CPU: 96 photographs of both
    sizes took 353 MB above the idle process, and 280 MB had been forecast. The time is
    as rough as the machine's rates are at the moment.

    Args:
      sample: of the images that are to be encoded; at least one can be read.
      network: what is done with an image that is read at a number of pixels a side.
      missing: how many images are to be encoded.
      images: of the folder; the features of all of them are mapped from disk.
      features: of an image.
      batch: images of a call of the network, which a last batch is padded to.
      machine: where.

    Returns:
      The forecast.

    Example:
      >>> here = Machine(8 << 30, 1e11, 1e10, 2, "cpu")
      >>> sample = Sample((96, 224), 0.004, 1_000_000, 0)
      >>> found = forecast_encoding(
      ...     sample,
      ...     lambda side: network_of("efficientnet_lite0", side),
      ...     missing=1_600,
      ...     images=2_000,
      ...     features=1_280,
      ...     batch=16,
      ...     machine=here,
      ... )
      >>> found.decode_seconds, round(found.network_seconds)
      (3.2, 20)
    """
    sides = Counter(sample.sides)
    networks = {side: network(side) for side in sides}
    working = compiling = 0.0
    for side, count in sides.items():
        batches = -(-missing * count // (len(sample.sides) * batch))
        one = networks[side]
        working += batches * batch * one.flops / (one.share * machine.flops)
        compiling += one.compile_seconds
    decoding = missing * sample.decode_seconds / machine.cores
    both = decoding + working if machine.device == "cpu" else max(decoding, working)
    parts = {
        # Once as they were read and once as the network takes them.
        "weights": 2 * max(one.weights for one in networks.values()),
        "activations": batch * max(one.activations for one in networks.values()),
        "decoded images": _BATCHES * batch * 3 * max(sides) ** 2,
        "images being decoded": machine.cores * sample.picture_bytes,
        "compiler": _COMPILING,
        "names and checksums": images * _ENTRY,
        "features": stored_bytes(images, features),
    }
    largest = sorted(parts.items(), key=lambda part: -part[1])
    return Encoding(
        compiling + both,
        decoding,
        working,
        sum(parts.values()),
        tuple((name, size) for name, size in largest if size),
    )


def stored_bytes(images: int, features: int) -> int:
    """Of the features of all images, float32, as they are mapped from disk."""
    return 4 * images * features

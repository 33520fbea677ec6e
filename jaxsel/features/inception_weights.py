"""Weights of the Fréchet inception distance: the published file, into our tree."""

import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from absl import logging

from jaxsel.data.catalog import Archive
from jaxsel.data.download import NoAnswer, download
from jaxsel.data.folders import cache_root
from jaxsel.errors import UserError
from jaxsel.features.weight_files import read_weights
from jaxsel.files import sha256_of_file, writable_folder
from jaxsel.models.inception import Inception

# The network of Szegedy et al. as TensorFlow published it on 5 December 2015, in
# PyTorch's format; by PyTorch's custom the name ends with the start of the SHA-256.
FILENAME = "pt_inception-2015-12-05-6726825d.pth"
URL = (
    f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILENAME}"
)
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"

_CLASSES = 1008
# A parameter's last name in the file, by ours.
_LEAVES = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
}


def inception_file(source: str) -> pathlib.Path:
    """The file that an encoder's weights, as they were given, stand for.

    Args:
      source: a path, which is taken as it is; or nothing, for the published file, which
        is downloaded once to `~/.cache/jaxsel/weights` ($JAXSEL_CACHE) or can be placed
        there by hand. Its SHA-256 is checked whenever it is used.

    Returns:
      The file's path.

    Raises:
      UserError: there is no such file; or the published one cannot be downloaded, or
        another file came. The message says where to put it.
    """
    if source:
        path = pathlib.Path(source).expanduser()
        if path.is_file():
            return path
        raise UserError(
            f"expected weights that are a file of {FILENAME} or a "
            f".safetensors file with the same names, found none at {source}: correct "
            "the path, or leave it empty to download it"
        )
    file = cache_root(None) / "weights" / "pytorch-fid" / FILENAME
    if file.is_file():
        found = sha256_of_file(file)
        if found == SHA256:
            return file
        logging.warning("%s has SHA-256 %s: downloaded anew", file, found)
    _fetch(file)
    return file


def _fetch(file: pathlib.Path) -> None:
    """Downloads the published file, checks it, and only then puts it in its place."""
    writable_folder(file.parent)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".part.") as scratch:
        try:
            came = download(Archive(FILENAME, URL, None, 96), pathlib.Path(scratch))
        except NoAnswer as error:
            raise UserError(
                f"expected the weights {FILENAME}, found none at {file}, and they "
                f"cannot be downloaded ({URL}: {error}): place the file there, or give "
                "its path as the encoder's weights"
            ) from error
        found = sha256_of_file(came)
        if found != SHA256:
            raise UserError(
                f"expected SHA-256 {SHA256} of {URL}, found {found}: the download was "
                f"discarded; try again, or place {FILENAME} in {file.parent} by hand"
            )
        came.replace(file)


def read_inception(
    path: pathlib.Path, network: Inception
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and running statistics from a file.

    Args:
      path: a safetensors file, or one of PyTorch's, whatever its name.
      network: the network they must fit.

    Returns:
      `(params, state)` as `network.embed` takes them, float32.

    Raises:
      UserError: the file is damaged or of another format or network.
    """
    return tree_from_inception(read_weights(path), network)


def tree_from_inception(
    tensors: Mapping[str, np.ndarray], network: Inception
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and running statistics from tensors with the published file's names.

    Args:
      tensors: by name, in PyTorch's axes. Counts of batches and the classifier, which
        has 1008 classes, are left out.
      network: the network they must fit.

    Returns:
      `(params, state)` as `network.embed` takes them, float32.

    Raises:
      UserError: a tensor is missing, left over, of another shape, or not finite.
    """
    left = {k: v for k, v in tensors.items() if not k.endswith(".num_batches_tracked")}
    for name in ("fc.weight", "fc.bias"):
        classifier = left.pop(name, None)
        if classifier is not None and classifier.shape[:1] != (_CLASSES,):
            # The same layers in the same shapes with other numbers, like torchvision's.
            raise _other(f"{name} of {list(classifier.shape)} for {_CLASSES} classes")

    def take(path: Any, leaf: Any) -> np.ndarray:
        *module, ours = (entry.key for entry in path[1:])
        name = ".".join([*module, _LEAVES[ours]])
        if name not in left:
            raise _other(f"no {name} among {len(tensors)} tensors")
        tensor = np.asarray(left.pop(name), np.float32)
        if ours == "kernel" and tensor.ndim == 4:
            tensor = tensor.transpose(2, 3, 1, 0)
        if tensor.shape != leaf.shape:
            raise _other(
                f"{name} of {list(tensor.shape)} instead of {list(leaf.shape)} numbers"
            )
        if not np.isfinite(tensor).all():
            raise UserError(
                f"expected finite weights, found NaN or inf in {name}: get them again"
            )
        return tensor

    params, state = jax.tree_util.tree_map_with_path(take, network.shapes())
    if left:
        raise _other(f"{min(left)} and {len(left) - 1} more tensors left over")
    return params, state


def _other(found: str) -> UserError:
    return UserError(
        "expected the weights of the Inception-v3 of the Fréchet inception distance, "
        f"found {found}: use {FILENAME}"
    )

"""A finished encoder: its weights in one file, and a manifest that vouches for it."""

import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsel.errors import UserError
from jaxsel.files import read_json, replacing, sha256_of_file, write_json

FILE = "encoder.npz"
MANIFEST = "manifest.json"


class Weights(NamedTuple):
    """Of an encoder.

    Attributes:
      params: of the network, without a last layer or head.
      statistics: its running means and variances.
    """

    params: Any
    statistics: Any


def save_encoder(
    folder: pathlib.Path, weights: Weights, about: dict[str, Any]
) -> pathlib.Path:
    """Writes `encoder.npz`, then `manifest.json`, each whole or not at all.

    Args:
      folder: where to.
      weights: trees of dicts; a leaf's name in the file is its path,
        `params/stage1_block1/conv1/kernel`.
      about: what the manifest says besides the file's SHA-256.

    Returns:
      The path of `encoder.npz`.
    """
    arrays: dict[str, Any] = {
        "/".join([kind, *(entry.key for entry in path)]): np.asarray(leaf)
        for kind, tree in weights._asdict().items()
        for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]
    }
    with replacing(folder / FILE) as part, part.open("wb") as stream:
        np.savez(stream, **arrays)
    digest = sha256_of_file(folder / FILE)
    write_json(folder / MANIFEST, {**about, "sha256": digest})
    return folder / FILE


def is_finished(folder: pathlib.Path) -> bool:
    """Whether a folder holds an encoder and its manifest."""
    return (folder / FILE).exists() and (folder / MANIFEST).exists()


def load_encoder(folder: pathlib.Path) -> tuple[Weights, dict[str, Any]]:
    """Reads an encoder that is what its manifest says.

    Args:
      folder: as written by `save_encoder`.

    Returns:
      The weights and the manifest.

    Raises:
      UserError: a file is missing or differs from its SHA-256.
    """
    if not is_finished(folder):
        raise UserError(
            f"expected {FILE} and {MANIFEST} in {folder}, found no finished encoder: "
            "train it, or give the folder of another"
        )
    manifest = read_json(folder / MANIFEST)
    found = sha256_of_file(folder / FILE)
    if found != manifest.get("sha256"):
        raise UserError(
            f"expected {folder / FILE} with SHA-256 {manifest.get('sha256')}, found "
            f"{found}: remove {folder / MANIFEST} to make it again"
        )
    trees: dict[str, Any] = {"params": {}, "statistics": {}}
    with np.load(folder / FILE) as file:
        for name in file.files:
            *path, leaf = name.split("/")
            tree = trees
            for part in path:
                tree = tree.setdefault(part, {})
            tree[leaf] = file[name]
    return Weights(**trees), manifest

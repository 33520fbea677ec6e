"""Weights of a DINO vision transformer: from a file's names to our tree."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.features.weight_files import within_wrappers
from jaxsel.models.vit import ViT

# The hub's names, layer by layer, as the names that DINO's own code uses.
_FROM_HUB = (
    (r"embeddings\.cls_token", "cls_token"),
    (r"embeddings\.position_embeddings", "pos_embed"),
    (r"embeddings\.patch_embeddings\.projection", "patch_embed.proj"),
    (r"encoder\.layer\.(\d+)\.layernorm_before", r"blocks.\1.norm1"),
    (r"encoder\.layer\.(\d+)\.layernorm_after", r"blocks.\1.norm2"),
    (r"encoder\.layer\.(\d+)\.attention\.attention\.", r"blocks.\1.attn."),
    (r"encoder\.layer\.(\d+)\.attention\.output\.dense", r"blocks.\1.attn.proj"),
    (r"encoder\.layer\.(\d+)\.intermediate\.dense", r"blocks.\1.mlp.fc1"),
    (r"encoder\.layer\.(\d+)\.output\.dense", r"blocks.\1.mlp.fc2"),
    (r"layernorm\.", "norm."),
)
# The class token: a tensor that such a network has once, by its name in either code.
_ANCHORS = ("cls_token", "embeddings.cls_token")
# Layers behind the class token, of no use here.
_HEADS = ("pooler.", "head.", "classifier.")


def tree_from_hub(tensors: Mapping[str, np.ndarray], network: ViT) -> dict[str, Any]:
    """Parameters from tensors with the names of the hub's `ViTModel`.

    Queries, keys and values have matrices of their own there and are stacked here.

    Args:
      tensors: by name, in PyTorch's axes; the names may begin with those of what the
        network was wrapped in, as "vit.", "module." or "teacher.backbone.".
      network: the network they must fit.

    Returns:
      The tree that `network.embed` takes, float32.

    Raises:
      UserError: a tensor is missing, left over, or of another shape.
    """
    renamed = {}
    for name, tensor in within_wrappers(tensors, _ANCHORS).items():
        short = name
        for pattern, ours in _FROM_HUB:
            short, found = re.subn(f"^{pattern}", ours, short)
            if found:
                break
        renamed[short] = tensor
    for block in range(network.depth):
        for kind in ("weight", "bias"):
            names = [
                f"blocks.{block}.attn.{part}.{kind}"
                for part in ("query", "key", "value")
            ]
            if all(name in renamed for name in names):
                parts = [renamed.pop(name) for name in names]
                renamed[f"blocks.{block}.attn.qkv.{kind}"] = np.concatenate(parts)
    return tree_from_dino(renamed, network)


def tree_from_dino(tensors: Mapping[str, np.ndarray], network: ViT) -> dict[str, Any]:
    """Parameters from tensors with the names of DINO's own code.

    Args:
      tensors: by name, in PyTorch's axes.
      network: the network they must fit.

    Returns:
      The tree that `network.embed` takes, float32.

    Raises:
      UserError: a tensor is missing, left over, or of another shape.
    """
    left = {k: v for k, v in tensors.items() if not k.startswith(_HEADS)}
    dim, side = network.dim, network.patch

    def take(name: str, *shape: int) -> np.ndarray:
        if name not in left:
            raise UserError(
                f"expected weights of a ViT with {network.depth} blocks, found no "
                f"{name} among {len(tensors)} tensors: use those of "
                "facebook/dino-vits16"
            )
        tensor = np.asarray(left.pop(name), np.float32)
        if tensor.shape != shape:
            raise UserError(
                f"expected {name} of shape {list(shape)}, found {list(tensor.shape)}: "
                "use the weights of facebook/dino-vits16"
            )
        if not np.isfinite(tensor).all():
            raise UserError(
                f"expected finite weights, found NaN or inf in {name}: get them again"
            )
        return tensor

    def dense(name: str, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        kernel = take(f"{name}.weight", outputs, inputs).T
        return {"kernel": kernel, "bias": take(f"{name}.bias", outputs)}

    def norm(name: str) -> dict[str, np.ndarray]:
        scale = take(f"{name}.weight", dim)
        return {"scale": scale, "bias": take(f"{name}.bias", dim)}

    patches = take("patch_embed.proj.weight", dim, 3, side, side)
    tree: dict[str, Any] = {
        "cls_token": take("cls_token", 1, 1, dim)[0, 0],
        "pos_embed": take("pos_embed", 1, 1 + network.grid**2, dim)[0],
        "patch_embed": {
            # A patch is a row of pixels by row, column, channel here.
            "kernel": patches.transpose(2, 3, 1, 0).reshape(-1, dim),
            "bias": take("patch_embed.proj.bias", dim),
        },
        "norm": norm("norm"),
    }
    for block in range(network.depth):
        name = f"blocks.{block}"
        tree[f"block{block + 1}"] = {
            "norm1": norm(f"{name}.norm1"),
            "qkv": dense(f"{name}.attn.qkv", dim, 3 * dim),
            "proj": dense(f"{name}.attn.proj", dim, dim),
            "norm2": norm(f"{name}.norm2"),
            "fc1": dense(f"{name}.mlp.fc1", dim, 4 * dim),
            "fc2": dense(f"{name}.mlp.fc2", 4 * dim, dim),
        }
    if left:
        raise UserError(
            f"expected weights of a ViT with {network.depth} blocks and nothing else, "
            f"found {min(left)} and {len(left) - 1} more tensors: use those of "
            "facebook/dino-vits16"
        )
    return tree

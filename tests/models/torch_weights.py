"""Parameters stated by a rule under PyTorch's names, in our trees."""

import hashlib
import json
import pathlib
from typing import Any

import numpy as np

GOLDEN = pathlib.Path(__file__).parents[3] / "shared" / "golden" / "training"


def stated_parameters(name: str) -> dict[str, np.ndarray]:
    """The tensors of `name`.params.json by PyTorch name, checked by their hash."""
    stated = json.loads((GOLDEN / f"{name}.params.json").read_text())
    tensors, digest = {}, hashlib.sha256()
    for entry in stated["entries"]:
        rng = np.random.default_rng([stated["seed"], entry["i"]])
        normal = rng.standard_normal(entry["shape"], dtype=np.float32)
        scale = np.float32(entry["scale"])
        if entry["kind"] == "norm_weight":
            value = 1 + scale * normal
        elif entry["kind"] == "running_var":
            value = 1 + scale * np.abs(normal)
        else:
            value = scale * normal
        tensors[entry["name"]] = value.astype(np.float32)
        digest.update(tensors[entry["name"]].tobytes())
    assert digest.hexdigest() == stated["sha256_all"]
    return tensors


def stated_input(seed: int, number: int, shape: tuple[int, ...]) -> np.ndarray:
    """Input `number` of a network, channels last."""
    rng = np.random.default_rng([seed, 100000 + number])
    return rng.standard_normal(shape, dtype=np.float32).transpose(0, 2, 3, 1)


def our_path(name: str) -> tuple[str, tuple[str, ...]] | None:
    """`("params" | "batch_stats", path)` of a PyTorch name; None if not ours."""
    parts = name.removeprefix("backbone.").split(".")
    if parts[0] == "contrastive_head":
        return None
    leaf = {
        "running_mean": "mean",
        "running_var": "var",
        "bias": "bias",
        "weight": "scale",
    }[parts[-1]]
    kind = "batch_stats" if leaf in ("mean", "var") else "params"
    if parts[0] == "fc":
        return kind, ("fc", "kernel" if leaf == "scale" else leaf)
    if parts[0] in ("conv1", "bn1"):
        module: tuple[str, ...] = ("stem_" + parts[0][:-1],)
        convolution = parts[0] == "conv1"
    else:
        block = f"stage{parts[0][-1]}_block{int(parts[1]) + 1}"
        if parts[2] in ("downsample", "shortcut"):
            convolution = parts[3] == "0"
            module = (block, "shortcut_conv" if convolution else "shortcut_bn")
        else:
            convolution = parts[2].startswith("conv")
            module = (block, parts[2])
    return kind, (*module, "kernel" if convolution else leaf)


def to_ours(tensor: np.ndarray) -> np.ndarray:
    """Axes from PyTorch's order to ours."""
    if tensor.ndim == 4:
        return tensor.transpose(2, 3, 1, 0)
    return tensor.T if tensor.ndim == 2 else tensor


def look_up(tree: Any, path: tuple[str, ...]) -> np.ndarray:
    for part in path:
        tree = tree[part]
    return np.asarray(tree)


def our_variables(tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    """Linen variables of a ResNet-18; the embedding network gets a zero `fc`."""
    variables: dict[str, Any] = {"params": {}, "batch_stats": {}}
    for name, tensor in tensors.items():
        place = our_path(name)
        if place is None:
            continue
        kind, path = place
        tree = variables[kind]
        for part in path[:-1]:
            tree = tree.setdefault(part, {})
        tree[path[-1]] = to_ours(tensor)
    return variables

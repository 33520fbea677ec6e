"""An Inception-v3 with a sixteenth of the channels, and random weights for it."""

import jax
import numpy as np

from jaxsel.models.inception import Inception

TINY = Inception(narrow=16, side=75)


def tensors_of_inception() -> dict[str, np.ndarray]:
    """Random weights under the names and with the axes of the published file."""
    rng = np.random.default_rng(2)
    params, state = TINY.shapes()
    tensors = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path((params, state)):
        *module, kind = (entry.key for entry in path[1:])
        name = ".".join(module)
        if kind == "kernel":
            height, width, inputs, outputs = leaf.shape
            spread = (2 / (height * width * inputs)) ** 0.5
            tensor = rng.normal(0, spread, (outputs, inputs, height, width))
            tensors[f"{name}.weight"] = tensor
        elif kind == "scale":
            tensors[f"{name}.weight"] = rng.uniform(0.5, 1.5, leaf.shape)
        elif kind == "bias":
            tensors[f"{name}.bias"] = rng.normal(0, 0.1, leaf.shape)
        elif kind == "mean":
            tensors[f"{name}.running_mean"] = rng.normal(0, 0.1, leaf.shape)
            tensors[f"{name}.num_batches_tracked"] = np.array(5)
        else:
            tensors[f"{name}.running_var"] = rng.uniform(0.5, 1.5, leaf.shape)
    tensors["fc.weight"] = rng.normal(size=(1008, 128))
    tensors["fc.bias"] = rng.normal(size=1008)
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}

"""EfficientNet-Lite as its paper and PyTorch's names describe it, in float64 NumPy.

Written from the definitions alone: zeros around the image by TensorFlow's rule, a sum
over every shift of the kernel, batch normalisation as a layer of its own.
"""

from collections.abc import Mapping

import numpy as np

Tensors = Mapping[str, np.ndarray]
# (blocks, kernel, stride of the first, expansion, channels)
Stages = tuple[tuple[int, int, int, int, int], ...]
LITE0: Stages = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def convolved(x: np.ndarray, weight: np.ndarray, stride: int, grouped: bool):
    """`[n, h, w, c]` by PyTorch's `[o, c, k, k]`, or `[c, 1, k, k]` where grouped."""
    size = weight.shape[-1]
    out = [-(-length // stride) for length in x.shape[1:3]]
    pads = []
    for length, wanted in zip(x.shape[1:3], out, strict=True):
        total = max((wanted - 1) * stride + size - length, 0)
        pads.append((total // 2, total - total // 2))
    x = np.pad(x, ((0, 0), *pads, (0, 0)))
    y = np.zeros((len(x), *out, len(weight)))
    for a in range(out[0]):
        for b in range(out[1]):
            window = x[
                :, a * stride : a * stride + size, b * stride : b * stride + size
            ]
            if grouped:
                y[:, a, b] = np.einsum("nijc,cij->nc", window, weight[:, 0])
            else:
                y[:, a, b] = np.einsum("nijc,ocij->no", window, weight, optimize=True)
    return y


def normalised(y: np.ndarray, tensors: Tensors, name: str) -> np.ndarray:
    mean, var = tensors[f"{name}.running_mean"], tensors[f"{name}.running_var"]
    unit = (y - mean) / np.sqrt(var + 1e-3)
    return tensors[f"{name}.weight"] * unit + tensors[f"{name}.bias"]


def relu6(x: np.ndarray) -> np.ndarray:
    return np.minimum(np.maximum(x, 0), 6)


def features(images: np.ndarray, tensors: Tensors, stages: Stages) -> np.ndarray:
    """float64 `[n, head]` of uint8 `[n, h, w, 3]`."""
    t = {k: np.asarray(v, np.float64) for k, v in tensors.items()}
    x = (images.astype(np.float64) - 127) / 128
    x = convolved(x, t["_conv_stem.weight"], 2, False)
    x = relu6(normalised(x, t, "_bn0"))
    number = 0
    for blocks, _, first, expansion, channels in stages:
        for place in range(blocks):
            name, y = f"_blocks.{number}", x
            stride = first if place == 0 else 1
            if expansion > 1:
                y = convolved(y, t[f"{name}._expand_conv.weight"], 1, False)
                y = relu6(normalised(y, t, f"{name}._bn0"))
            y = convolved(y, t[f"{name}._depthwise_conv.weight"], stride, True)
            y = relu6(normalised(y, t, f"{name}._bn1"))
            y = convolved(y, t[f"{name}._project_conv.weight"], 1, False)
            y = normalised(y, t, f"{name}._bn2")
            x = x + y if stride == 1 and x.shape[-1] == channels else y
            number += 1
    x = relu6(normalised(convolved(x, t["_conv_head.weight"], 1, False), t, "_bn1"))
    return x.mean((1, 2))


def random_tensors(
    rng: np.random.Generator, stages: Stages, stem: int, head: int
) -> dict[str, np.ndarray]:
    """Weights of a small network under PyTorch's names, statistics away from 0 and 1."""
    tensors: dict[str, np.ndarray] = {}

    def layer(convolution: str, norm: str, *shape: int) -> None:
        fan = int(np.prod(shape[1:]))
        tensors[f"{convolution}.weight"] = rng.normal(size=shape) * (2 / fan) ** 0.5
        for part, low, high in (
            ("weight", 0.5, 2.0),
            ("bias", -1.0, 1.0),
            ("running_mean", -0.5, 0.5),
            # Small ones too, so that the epsilon of 1e-3 is seen.
            ("running_var", 1e-3, 1.0),
        ):
            tensors[f"{norm}.{part}"] = rng.uniform(low, high, shape[0])
        tensors[f"{norm}.num_batches_tracked"] = np.array(7)

    layer("_conv_stem", "_bn0", stem, 3, 3, 3)
    channels, number = stem, 0
    for blocks, size, _, expansion, out in stages:
        for _ in range(blocks):
            name, wide = f"_blocks.{number}", expansion * channels
            if expansion > 1:
                layer(f"{name}._expand_conv", f"{name}._bn0", wide, channels, 1, 1)
            layer(f"{name}._depthwise_conv", f"{name}._bn1", wide, 1, size, size)
            layer(f"{name}._project_conv", f"{name}._bn2", out, wide, 1, 1)
            channels, number = out, number + 1
    layer("_conv_head", "_bn1", head, channels, 1, 1)
    tensors["_fc.weight"], tensors["_fc.bias"] = np.zeros((2, head)), np.zeros(2)
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}

"""A vision transformer of DINO's kind, tiny, with random weights in its file format."""

import io
import json
import struct
import zipfile
from typing import Any

import numpy as np

from jaxsel.models.vit import ViT

TINY = ViT(patch=56, dim=6, depth=2, heads=2, grid=4)


def tensors_of_dino() -> dict[str, np.ndarray]:
    """Random weights under the names and with the shapes of DINO's own code."""
    rng, dim = np.random.default_rng(1), TINY.dim
    shapes: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, dim),
        "pos_embed": (1, 17, dim),
        "patch_embed.proj.weight": (dim, 3, 56, 56),
        "patch_embed.proj.bias": (dim,),
        "norm.weight": (dim,),
        "norm.bias": (dim,),
    }
    for block in range(TINY.depth):
        for layer, shape in {
            "norm1": (dim,),
            "norm2": (dim,),
            "attn.qkv": (3 * dim, dim),
            "attn.proj": (dim, dim),
            "mlp.fc1": (4 * dim, dim),
            "mlp.fc2": (dim, 4 * dim),
        }.items():
            shapes[f"blocks.{block}.{layer}.weight"] = shape
            shapes[f"blocks.{block}.{layer}.bias"] = shape[:1]
    return {k: rng.normal(0, 0.3, s).astype(np.float32) for k, s in shapes.items()}


def safetensors(tensors: dict[str, np.ndarray]) -> bytes:
    """A file of float32 tensors, by the format's definition."""
    header: dict = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, tensor in tensors.items():
        data = tensor.astype("<f4").tobytes()
        place = [len(body), len(body) + len(data)]
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": place}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def torch_zip(content: dict[str, Any]) -> bytes:
    """What `torch.save` writes of dictionaries, float32 arrays, numbers and options.

    The opcodes are those of pickle's second protocol, as PyTorch uses them; `None`
    stands for an `argparse.Namespace`.
    """
    arrays: list[np.ndarray] = []

    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    def opcodes(value: Any) -> bytes:
        if isinstance(value, dict):
            pairs = [text(name) + opcodes(inner) for name, inner in value.items()]
            return b"}(" + b"".join(pairs) + b"u"
        if value is None:
            empty = b"cargparse\nNamespace\n)\x81"
            return empty + b"}" + text("lr") + number(1) + b"sb"
        if isinstance(value, int):
            return number(value)
        strides = [int(np.prod(value.shape[k + 1 :])) for k in range(value.ndim)]
        arrays.append(value)
        return (
            b"ctorch._utils\n_rebuild_tensor_v2\n(("
            + text("storage") + b"ctorch\nFloatStorage\n" + text(str(len(arrays) - 1))
            + text("cpu") + number(value.size) + b"tQ" + number(0)
            + b"(" + b"".join(map(number, value.shape)) + b"t"
            + b"(" + b"".join(map(number, strides)) + b"t"
            + b"\x89}tR"
        )  # fmt: skip

    pickled = b"\x80\x02" + opcodes(content) + b"."
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net/data.pkl", pickled)
        for key, array in enumerate(arrays):
            archive.writestr(f"net/data/{key}", array.astype("<f4").tobytes())
    return buffer.getvalue()

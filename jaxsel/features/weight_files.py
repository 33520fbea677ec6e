"""Named tensors of a file, whichever of the two formats it is in."""

import pathlib
from collections.abc import Mapping

import numpy as np

from jaxsel.errors import UserError
from jaxsel.features.safetensors import read_safetensors
from jaxsel.features.torch_file import read_torch

# PyTorch's files begin as a zip archive or as a pickle does; safetensors with a length.
_TORCH = (b"PK\x03\x04", b"\x80")
_TEACHER = "teacher"


def read_weights(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Reads a safetensors file, or a `.pth` that PyTorch wrote, by what it begins with.

    Args:
      path: the file. A training checkpoint is taken too: tensors in dictionaries within
        it are named by all names on the way, as in `teacher.backbone.cls_token`.

    Returns:
      Arrays by name, in their own dtypes.

    Raises:
      UserError: as `read_safetensors` and `read_torch`.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise UserError(
            f"expected a file of weights at {path}, found: {error.strerror}; give the "
            "path of a file"
        ) from error
    if start.startswith(_TORCH):
        return read_torch(path, nested=True)
    return read_safetensors(path)


def within_wrappers(
    tensors: Mapping[str, np.ndarray], anchors: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """The tensors of one network, without the names of what it was wrapped in.

    Training code saves a network under `module.`, `backbone.`, `teacher.backbone.` or
    `model.`. The prefix is what stands before an anchor, a tensor that such a network
    has once. Tensors under other prefixes (heads, a student, an optimiser's) are left
    out; without a prefix all tensors stay.

    Args:
      tensors: by name.
      anchors: names that one tensor of the network has, one of them.

    Returns:
      The tensors under the prefix, by the rest of their names; all where no anchor is
      found.

    Raises:
      UserError: several networks, none or more than one of them a teacher's.

    Example:
      >>> x = np.zeros(1)
      >>> list(within_wrappers({"module.cls": x, "module.b": x, "head": x}, ("cls",)))
      ['cls', 'b']
    """
    found = {
        name.removesuffix(anchor)
        for anchor in sorted(anchors, key=len)
        for name in tensors
        if name == anchor or name.endswith(f".{anchor}")
    }
    # Of two anchors, one the end of the other, the longer one is meant.
    found -= {
        f"{short}{anchor.rpartition('.')[0]}."
        for short in set(found)
        for anchor in anchors
        if "." in anchor
    }
    if len(found) > 1:
        teachers = {prefix for prefix in found if _TEACHER in prefix.split(".")}
        if len(teachers) != 1:
            listed = ", ".join(sorted(prefix or "(none)" for prefix in found))
            raise UserError(
                f"expected the weights of one network, found {len(found)}, under the "
                f"prefixes {listed}: save the one that is wanted alone"
            )
        found = teachers
    if not found or found == {""}:
        return dict(tensors)
    (prefix,) = found
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }

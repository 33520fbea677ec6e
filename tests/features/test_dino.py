"""DINO's encoder: weights by any of their names, the class token of the crop."""

import json
import pathlib
import struct

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from tiny_dino import TINY, safetensors, tensors_of_dino, torch_zip

from jaxsel.errors import UserError
from jaxsel.features import hub
from jaxsel.features.crop224 import central_crop, normalised
from jaxsel.features.dino import dino_vits16, random_vits16
from jaxsel.features.dino_weights import tree_from_dino, tree_from_hub
from jaxsel.features.safetensors import read_safetensors
from jaxsel.features.weight_files import read_weights, within_wrappers

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 20, 24, 3), np.uint8)


def tensors_of_hub() -> dict[str, np.ndarray]:
    """The same weights under the names of the hub's model, written out by hand."""
    ours, theirs = tensors_of_dino(), {}
    theirs["embeddings.cls_token"] = ours["cls_token"]
    theirs["embeddings.position_embeddings"] = ours["pos_embed"]
    for kind in ("weight", "bias"):
        place = f"embeddings.patch_embeddings.projection.{kind}"
        theirs[place] = ours[f"patch_embed.proj.{kind}"]
        theirs[f"layernorm.{kind}"] = ours[f"norm.{kind}"]
        theirs[f"pooler.dense.{kind}"] = ours["norm.bias"]
        for b in range(TINY.depth):
            layer, block = f"encoder.layer.{b}", f"blocks.{b}"
            theirs[f"{layer}.layernorm_before.{kind}"] = ours[f"{block}.norm1.{kind}"]
            theirs[f"{layer}.layernorm_after.{kind}"] = ours[f"{block}.norm2.{kind}"]
            qkv = np.split(ours[f"{block}.attn.qkv.{kind}"], 3)
            for part, name in zip(qkv, ("query", "key", "value"), strict=True):
                theirs[f"{layer}.attention.attention.{name}.{kind}"] = part
            out = f"{layer}.attention.output.dense.{kind}"
            theirs[out] = ours[f"{block}.attn.proj.{kind}"]
            theirs[f"{layer}.intermediate.dense.{kind}"] = ours[
                f"{block}.mlp.fc1.{kind}"
            ]
            theirs[f"{layer}.output.dense.{kind}"] = ours[f"{block}.mlp.fc2.{kind}"]
    return theirs


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "tiny.safetensors"
    path.write_bytes(safetensors(tensors_of_hub()))
    return path


def test_both_ways_of_naming_are_one_tree() -> None:
    tree = tree_from_dino(tensors_of_dino(), TINY)
    started = jax.eval_shape(TINY.start, jax.random.key(0))
    assert jax.tree.map(np.shape, tree) == jax.tree.map(np.shape, started)
    for prefix in ("", "vit."):
        other = tree_from_hub(
            {prefix + k: v for k, v in tensors_of_hub().items()}, TINY
        )
        jax.tree.map(np.testing.assert_array_equal, tree, other)


PREFIXES = (
    "module.", "backbone.", "model.", "teacher.backbone.", "module.backbone.", "vit.",
    "state_dict.encoder.",
)  # fmt: skip


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_a_network_was_wrapped_in_does_not_matter(prefix: str) -> None:
    tree = tree_from_dino(tensors_of_dino(), TINY)
    head = {"head.last.weight": np.zeros(3), "teacher.head.mlp.bias": np.zeros(2)}
    for named in (tensors_of_dino(), tensors_of_hub()):
        wrapped = {prefix + name: tensor for name, tensor in named.items()}
        other = tree_from_hub({**wrapped, **head}, TINY)
        jax.tree.map(np.testing.assert_array_equal, tree, other)


def test_of_two_networks_the_teacher_is_taken() -> None:
    ours = tensors_of_dino()
    noise = {name: tensor + 1 for name, tensor in ours.items()}
    both = {f"student.module.backbone.{k}": v for k, v in noise.items()}
    both |= {f"teacher.backbone.{k}": v for k, v in ours.items()}
    tree = tree_from_dino(ours, TINY)
    jax.tree.map(np.testing.assert_array_equal, tree, tree_from_hub(both, TINY))
    two = {f"{p}.{k}": v for p in ("ema", "net") for k, v in ours.items()}
    with pytest.raises(UserError, match=r"found 2, under the prefixes ema\., net\."):
        tree_from_hub(two, TINY)
    # Something is missing within the wrapper: its name there is told.
    del ours["norm.bias"]
    with pytest.raises(UserError, match=r"found no norm\.bias"):
        tree_from_hub({f"module.{k}": v for k, v in ours.items()}, TINY)
    assert within_wrappers({"a": np.ones(1)}, ("cls_token",)).keys() == {"a"}


def test_a_file_of_pytorch_is_known_by_its_content(tmp_path: pathlib.Path) -> None:
    """DINO's own `.pth`, and a checkpoint of its training with all that is in it."""
    ours = tensors_of_dino()
    tree = tree_from_dino(ours, TINY)
    checkpoint = {
        "student": {f"module.{k}": v + 1 for k, v in ours.items()},
        "teacher": {f"backbone.{k}": v for k, v in ours.items()},
        "optimizer": {"state": {"0": {"step": 9, "exp_avg": ours["cls_token"]}}},
        "epoch": 100,
        "args": None,
    }
    for name, content in {
        "dino.pth": torch_zip(ours),
        "full.safetensors": torch_zip(checkpoint),
        "plain.pth": safetensors(ours),
    }.items():
        (tmp_path / name).write_bytes(content)
        read = read_weights(hub.weights_file(str(tmp_path / name)))
        other = tree_from_hub(read, TINY)
        jax.tree.map(np.testing.assert_array_equal, tree, other)
    with pytest.raises(UserError, match=r"No such file"):
        read_weights(tmp_path / "absent.pth")
    (tmp_path / "pytorch_model.bin").write_bytes(torch_zip(ours))
    assert hub.weights_file(str(tmp_path)).name == "pytorch_model.bin"


def without(name: str) -> dict[str, np.ndarray]:
    return {k: v for k, v in tensors_of_hub().items() if k != name}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (without("layernorm.bias"), r"found no norm\.bias among 31 tensors"),
        (
            without("encoder.layer.1.attention.attention.key.bias"),
            r"found no blocks\.1\.attn\.qkv\.bias",
        ),
        (
            tensors_of_hub() | {"encoder.layer.2.layernorm_before.bias": np.zeros(6)},
            r"found blocks\.2\.norm1\.bias and 0 more",
        ),
        (
            tensors_of_hub() | {"embeddings.cls_token": np.zeros((1, 1, 7))},
            r"cls_token of shape \[1, 1, 6\], found \[1, 1, 7\]",
        ),
        (
            tensors_of_hub() | {"layernorm.bias": np.full(6, np.nan)},
            r"NaN or inf in norm\.bias",
        ),
    ],
)
def test_other_weights_are_refused(tensors: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        tree_from_hub(tensors, TINY)


def test_the_encoder_is_the_class_token_of_the_crop(file: pathlib.Path) -> None:
    encoder = dino_vits16(str(file), TINY)
    params = tree_from_dino(tensors_of_dino(), TINY)
    pixels = normalised(central_crop(jnp.asarray(IMAGES)))
    rows = encoder.encode(jnp.asarray(IMAGES))
    np.testing.assert_allclose(rows, TINY.embed(params, pixels), rtol=1e-4, atol=1e-5)
    assert rows.dtype == jnp.float32
    assert encoder.identity.keys() == {"encoder", "weights"}
    # γ and β undone, every norm is √d: what the module's docstring says of norms.
    plain = (np.asarray(rows) - params["norm"]["bias"]) / params["norm"]["scale"]
    np.testing.assert_allclose(np.linalg.norm(plain, axis=1), 6**0.5, rtol=1e-4)


def test_an_untrained_one_is_named_by_its_seed() -> None:
    first, again, other = (random_vits16(seed=s, network=TINY) for s in (0, 0, 1))
    assert first.identity == again.identity
    assert first.identity["weights"] != other.identity["weights"]
    rows = np.asarray(first.encode(jnp.asarray(IMAGES)))
    norms = np.linalg.norm(rows, axis=1)
    # The start has γ = 1 and β = 0; the variance is small enough to see epsilon.
    np.testing.assert_allclose(norms, 6**0.5, rtol=5e-3)
    assert np.abs(rows[0] - rows[1]).max() > 1e-4


def test_tensors_in_every_format(tmp_path: pathlib.Path) -> None:
    x = np.array([[1.5, -2.0, 0.25]])
    stored = {
        "F64": x.astype("<f8"),
        "F16": x.astype("<f2"),
        "BF16": x.astype(ml_dtypes.bfloat16),
        "I32": (4 * x).astype("<i4"),
    }
    header, body = {}, b""
    for name, tensor in stored.items():
        place = [len(body), len(body) + tensor.nbytes]
        header[name] = {"dtype": name, "shape": [1, 3], "data_offsets": place}
        body += tensor.tobytes()
    text = json.dumps(header).encode()
    path = tmp_path / "all.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    for name, tensor in read_safetensors(path).items():
        assert tensor.dtype == stored[name].dtype
        np.testing.assert_array_equal(tensor, stored[name])


@pytest.mark.parametrize("cut", [0, 5, 300, -1])
def test_a_damaged_file_is_named(file: pathlib.Path, cut: int) -> None:
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"tiny\.safetensors damaged, cut off or of"):
        read_safetensors(file)


def test_a_pickle_is_not_run(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "dino.pth"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(UserError, match="of another format"):
        dino_vits16(str(path), TINY)


@pytest.mark.parametrize("source", ["", "dino_vits16", "here/there.safetensors"])
def test_what_is_neither_a_file_nor_a_name(source: str) -> None:
    with pytest.raises(UserError, match="found neither at"):
        hub.weights_file(source)

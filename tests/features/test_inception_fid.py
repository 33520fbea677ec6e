"""The encoder of the Fréchet inception distance: its weights, and where they are."""

import hashlib
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from absl import logging
from tiny_dino import safetensors
from tiny_inception import TINY, tensors_of_inception

from jaxsel.errors import UserError
from jaxsel.features import inception_weights as weights
from jaxsel.features.inception import inception_fid

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 20, 24, 3), np.uint8)
STEM = "Conv2d_1a_3x3"
TORCH_FILE = pathlib.Path(__file__).with_name("torch_files") / "zip.pth"


@pytest.fixture(scope="module")
def tensors() -> dict[str, np.ndarray]:
    return tensors_of_inception()


@pytest.mark.slow
def test_features_of_images(tensors, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "tiny.safetensors"
    path.write_bytes(safetensors(tensors))
    encoder = inception_fid(str(path), TINY)
    rows = np.asarray(encoder.encode(jnp.asarray(IMAGES)))
    params, state = weights.tree_from_inception(tensors, TINY)
    pools = jax.jit(TINY.pools)(params, state, IMAGES)
    np.testing.assert_allclose(rows, pools.pool2048, rtol=1e-4, atol=1e-5)
    assert rows.shape == (3, 128)
    assert (rows >= 0).all(), "behind a ReLU"
    assert np.abs(rows[0] - rows[1]).max() > 1e-3
    assert encoder.identity.keys() == {"encoder", "weights"}
    path.write_bytes(safetensors(tensors | {f"{STEM}.bn.bias": np.ones(2)}))
    assert inception_fid(str(path), TINY).identity != encoder.identity


def test_axes_and_names(tensors) -> None:
    params, state = weights.tree_from_inception(tensors, TINY)
    name = "Mixed_6b.branch7x7_2"
    kernel = params["Mixed_6b"]["branch7x7_2"]["conv"]["kernel"]
    assert kernel.shape == (1, 7, 8, 8)
    np.testing.assert_array_equal(
        kernel[0, 5, 2], tensors[f"{name}.conv.weight"][:, 2, 0, 5]
    )
    bn = (
        params["Mixed_6b"]["branch7x7_2"]["bn"] | state["Mixed_6b"]["branch7x7_2"]["bn"]
    )
    theirs = {"scale": "weight", "bias": "bias"}
    theirs |= {"mean": "running_mean", "var": "running_var"}
    for ours, leaf in theirs.items():
        np.testing.assert_array_equal(bn[ours], tensors[f"{name}.bn.{leaf}"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({f"{STEM}.bn.bias": None}, rf"no {STEM}\.bn\.bias among 565 tensors"),
        (
            {f"{STEM}.conv.weight": np.zeros((2, 4, 3, 3))},
            r"of \[3, 3, 4, 2\] instead of \[3, 3, 3, 2\] numbers",
        ),
        ({f"{STEM}.bn.bias": np.full(2, np.nan)}, "NaN or inf in Conv2d_1a"),
        ({"AuxLogits.fc.bias": np.zeros(9)}, r"AuxLogits\.fc\.bias and 0 more"),
        ({"fc.bias": np.zeros(1000)}, r"fc\.bias of \[1000\] for 1008 classes"),
    ],
)
def test_other_weights_are_refused(tensors, changes: dict, message: str) -> None:
    found = {k: v for k, v in (tensors | changes).items() if v is not None}
    with pytest.raises(UserError, match=message):
        weights.tree_from_inception(found, TINY)


def test_a_file_of_pytorch_is_read() -> None:
    with pytest.raises(UserError, match=r"found no .* among 9 tensors"):
        inception_fid(str(TORCH_FILE), TINY)


@pytest.fixture
def published(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A file in the published one's stead; the cache is empty."""
    origin = tmp_path / "origin.pth"
    origin.write_bytes(b"the numbers")
    monkeypatch.setenv("JAXSEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "URL", origin.as_uri())
    digest = hashlib.sha256(b"the numbers").hexdigest()
    monkeypatch.setattr(weights, "SHA256", digest)
    return origin


def test_downloaded_once_and_checked_at_every_use(
    published: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(logging, "warning", lambda text, *a: warnings.append(text % a))
    file = weights.inception_file("")
    assert file.read_bytes() == b"the numbers"
    assert [p.name for p in file.parent.iterdir()] == [weights.FILENAME]
    published.rename(published.with_name("elsewhere"))
    assert weights.inception_file("") == file
    assert warnings == []
    file.write_bytes(b"a page to log in at")
    with pytest.raises(UserError, match="cannot be downloaded"):
        weights.inception_file("")
    assert "downloaded anew" in warnings[0]


def test_another_file_is_not_kept(published: pathlib.Path) -> None:
    published.write_bytes(b"a page to log in at")
    with pytest.raises(UserError, match=r"expected SHA-256 .* was discarded"):
        weights.inception_file("")
    (folder,) = (published.parent / "cache" / "weights").iterdir()
    assert list(folder.iterdir()) == []


def test_nothing_to_be_had_says_where_to_put_it(published: pathlib.Path) -> None:
    published.unlink()
    with pytest.raises(UserError, match="cannot be downloaded") as caught:
        weights.inception_file("")
    folder = published.parent / "cache" / "weights"
    assert f"{folder}/pytorch-fid/{weights.FILENAME}" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="found none at no/such"):
        weights.inception_file("no/such.pth")


def test_the_name_states_the_start_of_the_checksum() -> None:
    (stated,) = re.findall(r"-([0-9a-f]{8})\.pth$", weights.FILENAME)
    assert weights.SHA256.startswith(stated)
    assert len(weights.SHA256) == 64

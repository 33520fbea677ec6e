"""Extraction: killed it goes on, on two devices it is the same, overflow is said."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
import pytest
from absl import logging

from jaxsel.errors import UserError
from jaxsel.features.dino import random_vits16
from jaxsel.features.encoder import Encoder
from jaxsel.features.encoders import random_resnet18, rgb
from jaxsel.features.extract import extract, features_of
from jaxsel.models.vit import ViT

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = ViT(patch=112, dim=4, depth=1, heads=1, grid=2)
IMAGES = np.random.default_rng(0).integers(0, 256, (11, 8, 8, 3), np.uint8)
HALF = (0.5, 0.5, 0.5)


class Meter:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.start, self.steps = 0, []

    def start_at(self, amount: int) -> None:
        self.start = amount

    def advance(self, amount: int) -> None:
        self.steps.append(amount)


def reader(images: np.ndarray = IMAGES, fail_at: int = 99, asked: list | None = None):
    """Reads rows in batches; from row `fail_at` on the disk is gone."""

    def read(rows: np.ndarray | None, size: int) -> Iterator[np.ndarray]:
        rows = np.arange(len(images)) if rows is None else rows
        if asked is not None:
            asked.append(rows.tolist())
        for start in range(0, len(rows), size):
            if rows[start] >= fail_at:
                raise KeyboardInterrupt
            yield images[rows[start : start + size]]

    return read


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return random_resnet18(seed=0, width=2, stem="cifar", mean=HALF, std=HALF)


@pytest.fixture
def parts(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / ".shards"


@pytest.fixture(scope="module")
def undisturbed(encoder, tmp_path_factory) -> np.ndarray:
    parts = tmp_path_factory.mktemp("undisturbed")
    return extract(encoder, reader(), 11, 2, "float32", parts, Meter(), 4)


def test_an_interrupted_one_goes_on_behind_its_last_shard(
    encoder: Encoder, undisturbed: np.ndarray, parts: pathlib.Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        read = reader(fail_at=10)
        extract(encoder, read, 11, 2, "float32", parts, Meter(), 4)
    assert sorted(p.name for p in parts.iterdir()) == ["000000000.npz", "000000004.npz"]
    meter, asked = Meter(), []
    read = reader(asked=asked)
    rows = extract(encoder, read, 11, 2, "float32", parts, meter, 4)
    np.testing.assert_array_equal(rows, undisturbed)
    assert asked == [[8, 9, 10]]
    assert (meter.start, meter.steps) == (8, [2, 1])
    # With every shard there, no image is read.
    again = extract(encoder, reader(fail_at=0), 11, 2, "float32", parts, Meter(), 4)
    np.testing.assert_array_equal(again, undisturbed)


@pytest.mark.parametrize("damage", ["flipped", "truncated", "empty", "other size"])
def test_a_damaged_shard_is_made_again(
    encoder: Encoder,
    undisturbed: np.ndarray,
    parts: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(logging, "warning", lambda text, *a: said.append(text % a))
    extract(encoder, reader(), 11, 2, "float32", parts, Meter(), 4)
    shard = parts / "000000004.npz"
    data = bytearray(shard.read_bytes())
    data[data.index(b"NUMPY") + 150] ^= 1
    if damage == "other size":
        np.savez(shard, rows=np.zeros((3, 16), np.float32))
    else:
        cut = {"flipped": len(data), "truncated": len(data) // 2, "empty": 0}[damage]
        shard.write_bytes(data[:cut])
    meter = Meter()
    rows = extract(encoder, reader(), 11, 2, "float32", parts, meter, 4)
    np.testing.assert_array_equal(rows, undisturbed)
    assert meter.start == 4
    assert len(said) == 1
    assert "000000004.npz is of no use" in said[0]


def in_another_process(code: str, folder: pathlib.Path, **env: str) -> int:
    """Runs code beside this module's names; `folder` is given to it."""
    start = "import pathlib, sys; sys.path.insert(0, 'tests/features')\n"
    start += "from test_extract import *\nfolder = pathlib.Path(sys.argv[1])\n"
    words = [sys.executable, "-c", start + code, str(folder)]
    return subprocess.run(words, cwd=ROOT, env=os.environ | env, check=False).returncode


def test_a_killed_process_leaves_whole_shards(parts: pathlib.Path) -> None:
    code = """
import os, signal
def read(rows, size):
    for i, batch in enumerate(reader()(rows, size)):
        if i == 4:  # two ahead of the last shard's end
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch
extract(rgb(), read, 11, 2, "float32", folder, Meter(), 4)
"""
    assert in_another_process(code, parts) == -9
    meter = Meter()
    rows = extract(rgb(), reader(), 11, 2, "float32", parts, meter, 4)
    assert meter.start == 4
    np.testing.assert_allclose(rows, IMAGES.reshape(11, -1) / 255, rtol=2e-7)


def test_two_devices_share_every_batch(parts: pathlib.Path) -> None:
    code = """
vit, seen = random_vits16(seed=0, network=TINY), []
def encode(images):
    out = vit.encode(images)
    seen.append([len(images), len(images.devices()), len(out.devices())])
    return out
watched = Encoder(vit.identity, encode)
rows = extract(watched, reader(), 11, 3, "float32", folder, Meter(), 4)
np.savez(folder / "seen.npz", rows=rows, seen=seen)
"""
    flags = os.environ.get("XLA_FLAGS", "")
    flags += " --xla_force_host_platform_device_count=2"
    assert in_another_process(code, parts, XLA_FLAGS=flags) == 0
    found = np.load(parts / "seen.npz")
    # Batches of three are rounded up to two rows a device.
    assert found["seen"].tolist() == [[4, 2, 2]] * 4
    alone = random_vits16(seed=0, network=TINY).encode(IMAGES)
    np.testing.assert_allclose(found["rows"], alone, rtol=1e-3, atol=1e-4)


def test_rows_are_rounded_as_they_will_be_stored(
    encoder: Encoder, undisturbed: np.ndarray, parts: pathlib.Path
) -> None:
    rows = extract(encoder, reader(), 11, 2, "float16", parts, Meter(), 4)
    np.testing.assert_array_equal(rows, undisturbed.astype(np.float16))
    large = Encoder({"encoder": "large"}, lambda x: 70_000 * jnp.ones((len(x), 2)))
    with pytest.raises(UserError, match=r"fit float16 .* found 70000 in row 0"):
        extract(large, reader(), 11, 2, "float16", parts / "large", Meter(), 4)
    assert not (parts / "large").exists()


def test_a_data_set_that_changed_is_refused(
    encoder: Encoder, parts: pathlib.Path
) -> None:
    with pytest.raises(UserError, match="expected 12 images to encode, found 11"):
        extract(encoder, reader(), 12, 2, "float32", parts, Meter(), 4)


def test_a_stored_split_leaves_no_shards(tmp_path: pathlib.Path) -> None:
    settings = {"encoder": "rgb", "batch_size": 2, "dtype": "bfloat16"}
    ids = np.array([f"{i:02d}" for i in range(11)])

    def read(fail_at: int) -> np.ndarray:
        disk, meter = reader(fail_at=fail_at), Meter()
        return features_of(
            settings, "train", "toy", "print", ids, disk, tmp_path, meter
        )

    first = read(99)
    (folder,) = tmp_path.iterdir()
    assert sorted(p.name for p in folder.iterdir()) == [
        "features.npy",
        "ids.npy",
        "manifest.json",
    ]
    second = read(0)  # nothing is read again
    np.testing.assert_array_equal(first.rows, second.rows)
    assert first.identity == second.identity
    assert first.identity["stored_as"] == "bfloat16"
    assert first.sha256 == second.sha256

"""The benchmark of embedding: its figures, its files, and PyTorch's network is ours."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from benchmarks import embedding, embedding_worker
from jaxsel.features.efficientnet_weights import weights_path
from jaxsel.features.torch_file import read_torch
from tests import numpy_efficientnet as definition


def test_files_are_jpegs_of_their_size(tmp_path: pathlib.Path) -> None:
    embedding.write_images(tmp_path / "a", 3, (50, 37))
    files = sorted((tmp_path / "a").iterdir())
    assert len(files) == 3
    for file in files:
        with Image.open(file) as image:
            assert (image.format, image.size) == ("JPEG", (50, 37))


def test_figures_of_a_folder(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAXSEL_CACHE", "")  # restored afterwards
    for name in ("small", "warm"):
        embedding.write_images(tmp_path / name, 3, (12, 10))
    question = {
        "network": "folder",
        "folder": str(tmp_path / "small"),
        "warm": str(tmp_path / "warm"),
        "cache": str(tmp_path / "cache"),
        "side": 96,
        "images": 3,
    }
    found = embedding_worker.measure(question)
    assert found["d"] == 1280 and found["images"] == 3
    assert found["images_per_second"] > 0 and found["again"]["seconds"] > 0
    line = embedding.line({"kind": "small", "network": "folder", **found})
    assert line.startswith("small  folder") and "again" in line
    gone = {"kind": "small", "network": "torch-16", "error": "no torch"}
    assert embedding.line(gone).endswith("no torch")


def test_arrays_for_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_worker, "SECONDS", 0.0)
    seen: list[tuple[int, ...]] = []
    found = embedding_worker.of_arrays(5, lambda x: seen.append(x.shape), 4)
    assert found["images"] == 4 and seen == [(4, 5, 5, 3)] * 2


def test_pytorchs_is_the_same_network() -> None:
    pytest.importorskip("torch")
    images = np.random.default_rng(0).integers(0, 256, (1, 32, 31, 3), np.uint8)
    found = embedding_worker.torchs()(images)
    tensors = read_torch(weights_path())
    expected = definition.features(images, tensors, definition.LITE0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)

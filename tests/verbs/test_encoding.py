"""Which network makes features of images, and what a later round does with it."""

import json
import pathlib

import numpy as np
import pytest
from tiny_dino import TINY, safetensors, tensors_of_dino

from jaxsel.features.dino import dino_vits16
from jaxsel.features.encoders import random_resnet18
from jaxsel.sources.images import read
from jaxsel.sources.opening import open_source
from jaxsel.verbs.encoding import encoder_settings, pool_of
from tests.verbs.console import Run


def test_weights_mean_dino_and_go_on_to_the_next_round(
    run: Run,
    folder: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jaxsel.features.dino.ViT", lambda: TINY)
    file = tmp_path / "dino.safetensors"
    file.write_bytes(safetensors(tensors_of_dino()))
    words = ("select", folder, "-m", "norm", "-b")
    said = run(*words, 3, "--weights", "../dino.safetensors", "--side", 224, "-o", "a")
    assert said.code == 0, said.err
    assert "learned nothing" not in said.err
    encoder = json.loads(pathlib.Path("a/round.json").read_text())["options"]["encoder"]
    assert (encoder["encoder"], encoder["side"]) == ("dino_vits16", 224)
    assert encoder["weights"] == str(file)
    # The later round needs no word of it.
    assert run(*words, 5, "--continue", "a", "-o", "b").code == 0
    source = open_source(folder, progress=False)
    rows = pool_of(source, encoder).rows
    images = read(source, None, 224)
    expected = dino_vits16(str(file), TINY).encode(images)
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-4)


def test_another_encoder_is_another_pool(run: Run, folder: pathlib.Path) -> None:
    words = ("select", folder, "-m", "random", "-b", 3, "--encoder", "rgb", "--side")
    assert run(*words, 4, "-o", "a").code == 0
    said = run(*words, 5, "--continue", "a", "-o", "b")
    assert said.code == 2 and "pool of the earlier round" in said.err


def test_the_default_network_by_what_is_given() -> None:
    assert encoder_settings(None, None, None)["encoder"] == "random_resnet18"
    assert encoder_settings(None, "w", None)["encoder"] == "dino_vits16"
    assert encoder_settings(None, None, 32)["stem"] == "cifar"


@pytest.mark.slow
def test_an_untrained_network_without_weights(run: Run, folder: pathlib.Path) -> None:
    said = run("select", folder, "-b", 3)
    assert said.code == 0, said.err
    assert "learned nothing" in said.err and said.out.startswith("random: ")
    source = open_source(folder, progress=False)
    rows = pool_of(source, encoder_settings(None, None, None)).rows
    half = (0.5, 0.5, 0.5)
    encoder = random_resnet18(seed=0, width=64, stem="reference", mean=half, std=half)
    expected = encoder.encode(read(source, None, 64))
    np.testing.assert_allclose(rows, expected, rtol=1e-3, atol=1e-3)

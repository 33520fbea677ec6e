"""ImageNet's own archives, small, through the whole job: tars, DINO, picks, ResNet."""

import functools
import json
import pathlib

import numpy as np
import pytest
from tiny_archives import image_file, random_images, write_imagenet
from tiny_dino import TINY, safetensors, tensors_of_dino

import jaxsel
from configs import imagenet
from jaxsel.data.catalog import DATASETS, Split, dataset
from jaxsel.evaluation.picks import read_picks
from jaxsel.evaluation.rows import read_results
from jaxsel.experiment.run import run
from jaxsel.features import encoders
from jaxsel.features.dino import dino_vits16
from jaxsel.selection.coverage import CoverageWarning
from jaxsel.streaming.api import select_from_disk

WNIDS = ("n01440764", "n01443537", "n01484850")
TRAIN, TEST = 18, 4
METHODS = ("random", "norm", "gram_schmidt", "typiclust", "probcover")


def photographs(count: int, name: str) -> dict[str, bytes]:
    sizes = [(40 + 7 * i, 90 - 3 * i) for i in range(count)]
    return {
        name.format(wnid=WNIDS[i % len(WNIDS)], i=i + 1): image_file(
            random_images(i, 1, *size, 3)[0]
        )
        for i, size in enumerate(sizes)
    }


@pytest.mark.slow
@pytest.mark.filterwarnings(f"ignore::{CoverageWarning.__module__}.CoverageWarning")
def test_from_the_tars_to_a_report(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, own_cache: None
) -> None:
    write_imagenet(
        tmp_path / "data" / "downloads" / "manual",
        photographs(TRAIN, "{wnid}_{i}.JPEG"),
        photographs(TEST, "ILSVRC2012_val_{i:08d}.JPEG"),
    )
    spec = dataset("imagenet2012")._replace(
        train=Split("train", (TRAIN,)), test=Split("validation", (TEST,))
    )
    monkeypatch.setitem(DATASETS, "imagenet2012", spec)
    made = functools.partial(dino_vits16, network=TINY)
    monkeypatch.setattr(encoders, "dino_vits16", made)
    weights = tmp_path / "small.safetensors"
    weights.write_bytes(safetensors(tensors_of_dino()))
    config = imagenet.get_config()
    config.features.weights = str(weights)
    config.features.batch_size = 8
    config.features.dtype = "bfloat16"
    config.methods = METHODS
    config.budgets = (3, 6)
    config.seeds = (0,)
    config.supervised.width = 2
    config.supervised.epochs = 1
    config.linear_probe.epochs = 2

    run(config, tmp_path / "study")

    rows = read_results(tmp_path / "study" / "results.csv")
    found = {(row.framework, row.method, row.budget) for row in rows}
    assert found == {
        (framework, method, budget)
        for framework in ("supervised", "linear_probe")
        for method in METHODS
        for budget in (3, 6)
    }
    assert len(read_picks(tmp_path / "study" / "selections.csv")) == len(METHODS) * 9
    check_stores(tmp_path)


def check_stores(tmp_path: pathlib.Path) -> None:
    """What the job stored is a pool on disk, with the picks of the same in memory."""
    stores = {
        json.loads(path.read_text())["identity"]["split"]: path.parent
        for path in tmp_path.rglob("manifest.json")
        if (path.parent / "features.npy").exists()
    }
    assert set(stores) == {"train", "test"}
    packed = np.load(stores["train"] / "features.npy")
    assert packed.shape == (TRAIN, TINY.dim) and packed.dtype == np.uint16
    values = (packed.astype(np.uint32) << 16).view(np.float32)
    streamed = select_from_disk(stores["train"], 6, "k_center")
    held = jaxsel.select(values, 6, "k_center")
    np.testing.assert_array_equal(streamed.indices, held.indices)

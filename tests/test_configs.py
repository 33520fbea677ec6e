"""Every config with every variant loads, is checked, and says the paper's protocol."""

import importlib
import pathlib

import pytest
from ml_collections import ConfigDict

from jaxsel.data.catalog import DATASETS
from jaxsel.errors import UserError
from jaxsel.experiment.settings import check

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "configs"
NAMES = sorted({path.stem for path in FOLDER.glob("*.py")} - {"__init__", "common"})


def load(name: str, variant: str = "") -> ConfigDict:
    return importlib.import_module(f"configs.{name}").get_config(variant)


def test_the_configs_of_the_paper_and_the_demo_are_there() -> None:
    paper = {"cifar10", "cifar100", "tiny_imagenet", "imagenet", "organamnist"}
    assert paper | {"digits"} <= set(NAMES)


@pytest.mark.parametrize("variant", ["", "quick", "smoke"])
@pytest.mark.parametrize("name", NAMES)
def test_a_config_passes_the_check(name: str, variant: str) -> None:
    settings = check(load(name, variant).lock())
    assert settings.name == (f"{name}:{variant}" if variant else name)
    # The demo trains cheap probes alone, enough of them to resolve something.
    demo = (name, variant) == ("digits", "")
    both = {"supervised", "linear_probe"}
    assert set(settings.frameworks) == (both - {"supervised"} if demo else both)
    assert "random" in settings.methods, "the method that all are compared to"


@pytest.mark.parametrize("name", NAMES)
def test_the_papers_protocol(name: str) -> None:
    # The demo has minutes; its paper protocol is a variant, the others' the default.
    settings = check(load(name, "paper" if name == "digits" else ""))
    classes = DATASETS[settings.resolved["data"]["name"]].num_classes
    assert settings.budgets == [classes * i for i in range(1, 7)]
    assert settings.seeds == [0, 1, 2]
    supervised, probe = (settings.frameworks[f] for f in settings.frameworks)
    assert (supervised.learning_rate, supervised.momentum) == (0.025, 0.9)
    assert (supervised.epochs, supervised.batch_cap) == (
        (100, 50) if name == "imagenet" else (200, 0)
    )
    assert (probe.epochs, probe.learning_rate) == (400, 2.5)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_variant_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UserError, match=":quick, :smoke or nothing, found ':quik'"):
        load(name, "quik")


def test_variants_are_smaller() -> None:
    full, quick, smoke = (check(load("cifar10", v)) for v in ("", "quick", "smoke"))

    def runs(s) -> int:
        return len(s.budgets) * len(s.seeds) * len(s.methods)

    assert runs(smoke) < runs(quick) < runs(full)
    assert smoke.frameworks["supervised"].width < quick.frameworks["supervised"].width


SIMCLR = ("cifar10", "cifar100", "tiny_imagenet", "organamnist")


@pytest.mark.parametrize("name", SIMCLR)
def test_the_papers_features_are_simclrs(name: str) -> None:
    resolved = check(load(name)).resolved
    assert resolved["features"]["encoder"] == "simclr"
    simclr, network = resolved["simclr"], resolved["features"]
    assert network["width"] == 64
    assert network["stem"] == ("tiny" if name == "tiny_imagenet" else "cifar")
    assert (simclr["epochs"], simclr["batch_size"]) == (500, 512)
    assert (simclr["learning_rate"], simclr["temperature"]) == (0.4, 0.1)
    assert simclr["jitter"] == [0.4, 0.4, 0.4, 0.1]
    assert not simclr["symmetric"]


def test_imagenets_features_are_dinos() -> None:
    assert check(load("imagenet")).resolved["features"]["encoder"] == "dino_vits16"


@pytest.mark.parametrize("name", [*SIMCLR, "imagenet"])
def test_untrained_features_are_the_ablation_and_what_has_minutes(name: str) -> None:
    for variant in ("random_features", "quick", "smoke"):
        features = check(load(name, variant)).resolved["features"]
        assert features["encoder"] == "random_resnet18"


@pytest.mark.parametrize("name", ["cifar10", "tiny_imagenet"])
def test_features_of_a_network_that_was_trained_elsewhere(name: str) -> None:
    paper, settings = check(load(name)), check(load(name, "pretrained"))
    assert settings.resolved["features"]["encoder"] == "efficientnet_lite0"
    # All else is the paper's.
    assert settings.budgets == paper.budgets and settings.methods == paper.methods
    assert settings.frameworks == paper.frameworks
    module = importlib.import_module(f"configs.{name}")
    assert "ImageNet's" in (module.__doc__ or "")


def test_the_cpus_simclr_is_a_small_one() -> None:
    settings = check(load("cifar10", "cpu_simclr"))
    assert settings.resolved["features"]["encoder"] == "simclr"
    assert list(settings.frameworks) == ["linear_probe"]
    assert settings.resolved["simclr"]["epochs"] < 50


def test_semi_supervised_studies_of_every_size() -> None:
    paper = check(load("cifar10", "semi")).frameworks
    assert set(paper) == {"flexmatch", "simmatch"}
    for settings in paper.values():
        assert (settings.depth, settings.widen) == (28, 10)
        assert settings.iterations == 1_000_000
    for name in ("cifar10", "cifar100", "tiny_imagenet"):
        hour, quick = (
            check(load(name, v)).frameworks for v in ("semi_gpu_hour", "semi_quick")
        )
        for framework, settings in quick.items():
            assert settings.iterations < hour[framework].iterations < 10**6
            assert settings.widen < hour[framework].widen < 10
    small = check(load("tiny_imagenet", "semi_quick32"))
    assert small.resolved["data"]["name"] == "tiny_imagenet32"
    assert small.frameworks["simmatch"].iterations < 1000
    digits = check(load("digits", "semi_quick")).frameworks
    assert not any(settings.flip for settings in digits.values())

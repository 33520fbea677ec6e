"""Settings: every mistake that needs no data is refused before any compute."""

import pytest
from ml_collections import ConfigDict

from configs import digits
from jaxsel.errors import UserError
from jaxsel.experiment.settings import check


def with_field(field: str, value: object) -> ConfigDict:
    config = digits.get_config("smoke")
    *path, last = field.split(".")
    section = config
    for word in path:
        section = section[word]
    with section.ignore_type():
        section[last] = value
    return config


MISTAKES = [
    ("methods", ("random", "gram-schmidt"), "random, norm, gram_schmidt.*gram-schmidt"),
    ("methods", (), "at least one value in config.methods"),
    ("methods", ("norm", "norm"), "distinct values in config.methods.*'norm'"),
    ("frameworks", ("finetune",), "supervised, linear_probe.*'finetune'"),
    ("budgets", (0,), "whole numbers from 1, found 0"),
    ("budgets", (10, -3), "whole numbers from 1, found -3"),
    ("budgets", (1.5,), "whole numbers from 1, found 1.5"),
    ("budgets", (True,), "whole numbers from 1, found True"),
    ("budgets", (10, 10), "distinct values in config.budgets"),
    ("seeds", (-1,), "whole numbers from 0 .*, found -1"),
    ("seeds", ("a",), "whole numbers from 0 .*, found 'a'"),
    ("initial_pool", 10, "below the smallest budget"),
    ("initial_pool", -1, "from 0"),
    ("data.name", "mnist", "cifar10, .*digits.*'mnist'"),
    ("data.holdout", 1.0, r"\[0, 1\), found 1.0"),
    ("features.encoder", "vgg", "random_resnet18, .*rgb, .*'vgg'"),
    ("features.stem", "big", "config.features.stem.*reference.*'big'"),
    ("features.width", 0, "config.features.width from 1, found 0"),
    ("features.batch_size", 0, "config.features.batch_size from 1, found 0"),
    ("features.std", (1.0, 1.0), "three numbers"),
    ("features.std", (1.0, 0.0, 1.0), "positive"),
    ("replicates.mode", "pmap", "auto, vmap, map, chunks, found 'pmap'"),
    ("replicates.linear_probe_chunk", -1, "linear_probe_chunk from 1, or 0"),
    ("supervised.epochs", 0, "supervised.epochs.*at least 1, found 0"),
    ("supervised.crop", "random", "supervised.crop.*pad.*'random'"),
    ("linear_probe.epochs", 0, "linear_probe.epochs.*at least 1"),
    ("selectors.norm.norm_ord", "3", "config.selectors.norm: norm_ord.*inf.*3"),
    ("selectors.norm.tie", "first", "selectors.norm: tie.*lowest, random.*'first'"),
    ("seeds", (2**32,), "below 2\\^31, found 4294967296"),
    ("selectors.norm.method", "nrom", "config.selectors.norm.method.*'nrom'"),
    ("selectors.norm", {"method": "norm", "ord": 1}, "unknown option 'ord'.*norm_ord"),
    ("supervised", {"epoch": 3}, "field of config.supervised.*epochs.*'epoch'"),
]


@pytest.mark.parametrize("field, value, message", MISTAKES)
def test_a_mistake_is_named_in_one_line(
    field: str, value: object, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        check(with_field(field, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "label, options, message",
    [
        (
            "probcover",
            {"delta": "wide"},
            'selectors.probcover.*"auto" or "purity".*wide',
        ),
        ("probcover", {"delta": "-1"}, "selectors.probcover.*delta.*above 0"),
        ("gram_schmidt", {"algorithm": "blocked", "norm_ord": "1"}, "l2 law only"),
        ("gram_schmidt", {"block_size": 0}, "block_size.*1 or more, found 0"),
        ("typiclust", {"n_init": 0}, "n_init.*1 or more, found 0"),
        ("max_herding", {"bandwidth": "wide"}, 'bandwidth.*"auto".*wide'),
    ],
)
def test_a_selector_is_checked_before_it_enters_a_workdir(
    label: str, options: dict, message: str
) -> None:
    config = with_field("methods", ("random", label))
    config.selectors[label] = {"method": label, **options}
    with pytest.raises(UserError, match=message):
        check(config)


def test_the_purity_rule_is_told_the_classes_later() -> None:
    config = with_field("methods", ("random", "probcover"))
    config.selectors.probcover = {"method": "probcover", "delta": "purity"}
    assert check(config).selectors["probcover"] == ("probcover", {"delta": "purity"})


def test_a_label_is_a_method_with_options_of_its_own() -> None:
    config = digits.get_config("smoke")
    config.methods = ("random", "l1", "linf")
    config.selectors.l1 = {"method": "norm", "norm_ord": "1", "deterministic": True}
    config.selectors.linf = {"method": "norm", "norm_ord": "inf"}
    selectors = check(config).selectors
    assert selectors["random"] == ("random", {})
    assert selectors["l1"] == ("norm", {"norm_ord": 1.0, "deterministic": True})
    assert selectors["linf"] == ("norm", {"norm_ord": float("inf")})


def test_a_method_without_an_entry_has_its_defaults() -> None:
    config = digits.get_config("smoke")
    del config.selectors.norm
    assert check(config).selectors["norm"] == ("norm", {})


def test_a_single_value_is_a_list_of_one() -> None:
    settings = check(with_field("budgets", 10))
    assert (settings.budgets, settings.name) == ([10], "digits:smoke")

"""Identity: the first field that differs is named; lists and options join."""

import copy

import pytest

from configs import digits
from jaxsel.errors import UserError
from jaxsel.experiment import workdir as folders
from jaxsel.experiment.identity import (
    identity_of,
    join_identities,
    refuse_other_config,
)
from jaxsel.experiment.settings import check

FEATURES = {"encoder": "random_resnet18", "seed": 0, "width": 8, "split": "train"}


def resolved(**changes: object) -> dict:
    return {**copy.deepcopy(check(digits.get_config("smoke")).resolved), **changes}


def identity(config: dict, **changes: object) -> dict:
    features = {**FEATURES, **changes}
    return identity_of(config, features, {"split": "test"}, fingerprint="abc")


def test_the_same_study_joins_itself() -> None:
    old = identity(resolved())
    assert join_identities("w", old, identity(resolved())) == old


def test_the_first_field_that_differs_is_named_with_both_values() -> None:
    old = identity(resolved())
    other = resolved(initial_pool=5)
    other["data"]["holdout"] = 0.2
    with pytest.raises(
        UserError, match=r"expected data.holdout = 0.1 as the workdir w .* found 0.2"
    ):
        join_identities("w", old, identity(other))
    with pytest.raises(UserError, match=r"expected features.seed = 0 .* found 3"):
        join_identities("w", old, identity(resolved(), seed=3))
    with pytest.raises(UserError, match=r"expected initial_pool = 0 .* found 5"):
        join_identities("w", old, identity(resolved(initial_pool=5)))
    other = resolved()
    other["supervised"]["epochs"] = 7
    with pytest.raises(UserError, match=r"frameworks.supervised.epochs = 2 .* found 7"):
        join_identities("w", old, identity(other))


def test_fields_of_unused_methods_and_frameworks_bind_nobody() -> None:
    old = identity(resolved(methods=["random"], frameworks=["linear_probe"]))
    other = resolved(methods=["random", "norm"], frameworks=["linear_probe"])
    other["selectors"]["norm"]["norm_ord"] = "1"
    other["supervised"]["epochs"] = 7
    joined = join_identities("w", old, identity(other))
    assert joined["selectors"]["norm"]["norm_ord"] == "1"
    assert set(joined["frameworks"]) == {"linear_probe"}
    with pytest.raises(UserError, match=r"selectors\.norm\.norm_ord = '1'"):
        join_identities("w", joined, identity(resolved()))


def test_what_the_config_says_is_compared_before_data_are_read() -> None:
    old = identity(resolved())
    refuse_other_config("w", old, resolved())
    for section, field, value in (
        ("data", "name", "cifar10"),
        ("features", "encoder", "rgb"),
        ("features", "seed", 9),
        ("linear_probe", "epochs", 1),
    ):
        other = resolved()
        other[section][field] = value
        with pytest.raises(UserError, match=field):
            refuse_other_config("w", old, other)
    # A batch size changes speed only, and calls that are planned keep their shapes.
    other = resolved()
    other["features"]["batch_size"] = 1
    other["replicates"]["supervised_chunk"] = 4
    refuse_other_config("w", old, other)
    # In a config the weights are a place, in an identity a hash.
    old["features"]["weights"] = "0f3a"
    refuse_other_config("w", old, other)


def test_lists_extend_and_keep_the_earlier_values_first() -> None:
    first = resolved(methods=["norm"], budgets=[20], seeds=[1], frameworks=["a"])
    first["selectors"]["norm"]["norm_ord"] = "1"
    first["a"] = {"epochs": 3}
    earlier = {"study": first, "identity": identity(first)}
    now = resolved(budgets=[10, 20], seeds=[0], methods=["random"], frameworks=["b"])
    joined = folders.with_earlier(now, earlier)
    assert joined["budgets"] == [20, 10]
    assert joined["seeds"] == [1, 0]
    assert joined["methods"] == ["norm", "random"]
    assert joined["frameworks"] == ["a", "b"]
    # What this start does not use is as the earlier one had it.
    assert joined["selectors"]["norm"]["norm_ord"] == "1"
    assert joined["a"] == {"epochs": 3}

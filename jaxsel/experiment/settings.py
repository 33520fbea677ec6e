"""Settings: a config checked against what exists, before anything is computed."""

import inspect
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from jaxsel.data.catalog import DATASETS
from jaxsel.errors import UserError
from jaxsel.experiment.devices import check_mesh
from jaxsel.experiment.grid import Grid, grid_of
from jaxsel.features.dtypes import DTYPES
from jaxsel.features.encoders import ENCODERS
from jaxsel.models.resnet import STEMS
from jaxsel.pretraining.pretrain import check as refuse_untrainable
from jaxsel.pretraining.settings import simclr_settings
from jaxsel.selection.methods import METHODS
from jaxsel.selection.options import check_options
from jaxsel.training.frameworks import FRAMEWORKS, REPLICATE_MODES


class Settings(NamedTuple):
    """A checked config.

    Attributes:
      name: of the experiment and its variant, "cifar10:quick".
      resolved: the whole config as plain values; tuples are lists.
      selectors: label to (method, options) for every label in `methods`.
      frameworks: name to its settings object.
      grids: what is to be run: of this config, and of earlier starts in its workdir.
    """

    name: str
    resolved: dict[str, Any]
    selectors: dict[str, tuple[str, dict[str, Any]]]
    frameworks: dict[str, Any]
    grids: tuple[Grid, ...]

    @property
    def methods(self) -> list[str]:
        return self.resolved["methods"]

    @property
    def budgets(self) -> list[int]:
        return self.resolved["budgets"]

    @property
    def seeds(self) -> list[int]:
        return self.resolved["seeds"]


def check(config: ConfigDict) -> Settings:
    """Checks everything that can be known without reading data.

    Args:
      config: of the form that `configs/common.py` makes.

    Returns:
      The settings.

    Raises:
      UserError: the first thing found wrong.
    """
    resolved = _plain(config.to_dict())
    _known("config.data.name", resolved["data"]["name"], DATASETS)
    _known("config.features.encoder", resolved["features"]["encoder"], ENCODERS)
    for field in ("methods", "budgets", "seeds", "frameworks"):
        resolved[field] = _distinct(f"config.{field}", resolved[field])
    for framework in resolved["frameworks"]:
        _known("config.frameworks", framework, FRAMEWORKS)
    for budget in resolved["budgets"]:
        if type(budget) is not int or budget < 1:  # True is an int too
            raise UserError(
                f"expected config.budgets to be whole numbers from 1, found {budget!r}"
            )
    for seed in resolved["seeds"]:
        if type(seed) is not int or not 0 <= seed < 2**31:
            raise UserError(
                "expected config.seeds to be whole numbers from 0 to below 2^31, "
                f"found {seed!r}"
            )
    pool, smallest = resolved["initial_pool"], min(resolved["budgets"])
    if not 0 <= pool < smallest:
        raise UserError(
            "expected config.initial_pool from 0 to below the smallest budget "
            f"({smallest}; a budget counts the initial pool), found {pool}"
        )
    if not 0 <= resolved["data"]["holdout"] < 1:
        raise UserError(
            "expected config.data.holdout in [0, 1), found "
            f"{resolved['data']['holdout']}"
        )
    check_mesh(resolved)
    _check_replicates(resolved)
    _check_streamed(resolved)
    _check_features(resolved["features"])
    if resolved["features"]["encoder"] == "simclr":
        _check_simclr(resolved)
    return Settings(
        name=resolved["name"] + (f":{v}" if (v := resolved["variant"]) else ""),
        resolved=resolved,
        selectors={
            label: _selector(label, resolved["selectors"])
            for label in resolved["methods"]
        },
        frameworks={
            name: _framework_settings(name, resolved[name])
            for name in resolved["frameworks"]
        },
        grids=(grid_of(resolved),),
    )


def _selector(label: str, selectors: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Method and options of a label: its own entry, or a method with defaults."""
    if label not in selectors:
        _known("config.methods", label, [*METHODS, *selectors])
        return label, {}
    entry = dict(selectors[label])
    method = entry.pop("method", label)
    _known(f"config.selectors.{label}.method", method, METHODS)
    options = {name: value for name, value in entry.items() if value is not None}
    options = {name: _number(value) for name, value in options.items()}
    # The purity rule is told the number of classes once the data set is known.
    known = {"n_classes": 1} if options.get("delta") == "purity" else {}
    try:
        check_options(method, {**known, **options})
    except UserError as error:
        raise UserError(f"config.selectors.{label}: {error}") from error
    return method, options


def _number(value: Any) -> Any:
    """Text that is a number, as the number: a field of "auto" can be given as .65."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _framework_settings(name: str, values: dict[str, Any]) -> Any:
    """The framework's settings object, with lists as the tuples it hashes."""
    kind = FRAMEWORKS[name].settings
    known = inspect.signature(kind).parameters
    for field in values:
        _known(f"field of config.{name}", field, known)
    hashable = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    settings = kind(**hashable)
    FRAMEWORKS[name].learner(settings, 2)  # refuses what cannot be trained with
    return settings


def _check_replicates(resolved: dict[str, Any]) -> None:
    replicates = resolved["replicates"]
    _known("config.replicates.mode", replicates["mode"], REPLICATE_MODES)
    _positive("config.replicates.together", replicates)
    for framework in resolved["frameworks"]:
        chunk = replicates[f"{framework}_chunk"]
        if chunk < 0:
            raise UserError(
                f"expected config.replicates.{framework}_chunk from 1, or 0 for as "
                f"many runs as fit into memory, found {chunk}"
            )


def _check_streamed(resolved: dict[str, Any]) -> None:
    name = resolved["data"]["name"]
    if not DATASETS[name].streamed:
        return
    for framework in resolved["frameworks"]:
        if FRAMEWORKS[framework].whole_pool:
            raise UserError(
                "expected config.frameworks without those that train on the whole pool "
                f"for {name}, which is streamed from disk, found {framework}"
            )


def _check_features(features: dict[str, Any]) -> None:
    _positive("config.features.batch_size", features)
    _known("config.features.dtype", features["dtype"], DTYPES)
    if features["encoder"] in ("random_resnet18", "simclr"):
        _positive("config.features.width", features)
        _known("config.features.stem", features["stem"], STEMS)
        mean, std = features["mean"], features["std"]
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise UserError(
                "expected config.features.mean and std to be three numbers each, std "
                f"positive, found {mean} and {std}"
            )


def _check_simclr(resolved: dict[str, Any]) -> None:
    name = resolved["data"]["name"]
    if DATASETS[name].streamed:
        raise UserError(
            "expected a data set that fits in memory for config.features.encoder = "
            f"'simclr', found {name}, which is streamed: use dino_vits16 or a file"
        )
    refuse_untrainable(simclr_settings(resolved["features"], resolved["simclr"]))


def _positive(field: str, section: dict[str, Any]) -> None:
    value = section[field.rsplit(".", 1)[1]]
    if value < 1:
        raise UserError(f"expected {field} from 1, found {value}")


def _distinct(field: str, values: Any) -> list[Any]:
    values = list(values) if isinstance(values, list) else [values]
    if not values:
        raise UserError(f"expected at least one value in {field}, found none")
    repeated = {value for value in values if values.count(value) > 1}
    if repeated:
        raise UserError(
            f"expected distinct values in {field}, found {repeated.pop()!r} "
            "more than once: remove it"
        )
    return values


def _known(field: str, value: Any, known: Any) -> None:
    if value not in known:
        raise UserError(
            f"expected {field} to be one of {', '.join(map(str, known))}, "
            f"found {value!r}"
        )


def _plain(value: Any) -> Any:
    """Nested plain values as JSON would return them."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return value

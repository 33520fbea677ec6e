"""Every figure of `configs/paper` loads, can be run, and shares its studies."""

import functools
import importlib
import itertools
import pathlib
from collections.abc import Iterator

import pytest

from configs.paper import abstract
from configs.paper.parts import KNOWN, classes_of, study
from jaxsel.data.catalog import DATASETS
from jaxsel.errors import UserError
from jaxsel.evaluation.claims import KINDS as CLAIMS
from jaxsel.experiment.identity import identity_of, join_identities
from jaxsel.experiment.pools import check_budgets
from jaxsel.experiment.settings import Settings, check
from jaxsel.reproduce import catalog
from jaxsel.reproduce.__main__ import main
from jaxsel.reproduce.figure import SCALES, Figure, Part
from jaxsel.reproduce.kinds import KINDS

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "configs/paper"
SHARED_CODE = {"__init__", "abstract", "parts", "said"}
GIVEN = {"dino": "dino.safetensors", "inception": "inception.pth"}
# By kind, what its function reads of the options.
OPTIONS = {
    "frechet": {"printed"},
    "pruning": {"sparsities", "judged"},
    "speed": {"methods", "sizes", "budgets", "size", "budget"},
    "table": {"printed"},
}
# With every weight at hand: there is more to be run then.
EVERYTHING = [(scale, data, True) for scale in SCALES for data in ((), ("digits",))]
EVERYTHING.append(("cpu", (), False))
everywhere = pytest.mark.parametrize("scale, data, weights", EVERYTHING)


@functools.cache
def figures(scale: str, data: tuple[str, ...], weights: bool) -> list[Figure]:
    given = GIVEN if weights else {}
    return [catalog.load(name, scale, data, **given) for name in catalog.IDS]


def all_parts(figure: Figure) -> Iterator[Part]:
    yield from figure.parts
    yield from figure.options.get("norms", ())


def identity(settings: Settings) -> dict:
    """What a study's config alone says of its identity."""
    resolved = settings.resolved
    features = dict(resolved["features"])
    if features["encoder"] == "simclr":
        features["simclr"] = resolved["simclr"]
    return identity_of(resolved, features, {}, fingerprint="")


def test_the_ids_are_the_configs_there_are() -> None:
    names = {path.stem for path in FOLDER.glob("*.py")}
    assert set(catalog.IDS) == names - SHARED_CODE
    assert len(set(catalog.IDS)) == len(catalog.IDS)


@everywhere
def test_every_figure_can_be_run(
    scale: str, data: tuple[str, ...], weights: bool
) -> None:
    for name, figure in zip(catalog.IDS, figures(scale, data, weights), strict=True):
        assert figure.id == name
        assert figure.title and "\n" not in figure.title
        assert figure.shows.strip()
        assert figure.kind in KINDS
        assert figure.options.keys() >= OPTIONS.get(figure.kind, set())
        assert set(figure.minutes) <= set(SCALES)
        for part in all_parts(figure):
            settings = check(part.config.lock())
            dataset = DATASETS[settings.resolved["data"]["name"]]
            assert not data or dataset.name == "digits"
            largest, holdout = max(dataset.train.sizes), part.config.data.holdout
            check_budgets(settings.budgets, largest, holdout)
            assert classes_of(part.config) >= 1
            if "supervised" in settings.frameworks:  # a CPU's networks are narrow
                width = settings.frameworks["supervised"].width
                assert width <= 8 if scale == "cpu" else width >= 16


@everywhere
def test_parts_that_name_a_study_are_of_one_identity(
    scale: str, data: tuple[str, ...], weights: bool
) -> None:
    studies: dict[str, dict] = {}
    for figure in figures(scale, data, weights):
        for part in all_parts(figure):
            new = identity(check(part.config))
            # Refuses what differs in a field or in a label's options.
            studies[part.study] = join_identities(
                part.study, studies.get(part.study, new), new
            )
    # And two names are two studies, a line's own aside: nothing is computed twice.
    names = [name for name in studies if not name.endswith("-whole")]
    for pair in itertools.combinations(names, 2):
        with pytest.raises(UserError, match="found"):
            join_identities("", *(studies[name] for name in pair))


@everywhere
def test_claims_speak_of_what_is_run(
    scale: str, data: tuple[str, ...], weights: bool
) -> None:
    for figure in figures(scale, data, weights):
        run = {label for part in figure.parts for label in part.config.methods}
        for claim in figure.claims:
            assert claim.text
            assert claim.kind in CLAIMS
            assert claim.topic in {"", *abstract.TOPICS}
            if figure.kind == "pruning":  # names quantities
                assert figure.options["judged"] in figure.options["sparsities"]
                assert claim.method in ("retained", "kept")
                continue
            if figure.kind == "speed":
                run = set(figure.options["methods"])
            assert set(claim.method.split("|")) <= run
            assert set(claim.baseline.split("|")) <= run | {"chance"}
        for label in (figure.options.get("covered"),):
            assert label is None or label in run
        # What is said of a subset of studies is said of studies that are there.
        there = {part.study for part in figure.parts}
        assert set(figure.options.get("whole", ())) <= there
        assert set(figure.options.get("inception", ())) <= there


def test_every_topic_of_the_abstract_is_spoken_to_at_the_scale_of_a_cpu() -> None:
    used = {
        claim.topic for figure in figures("cpu", (), False) for claim in figure.claims
    }
    assert used - {""} == set(abstract.TOPICS)
    assert set(abstract.SCALES_SAID) == set(SCALES)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("scale", SCALES)
def test_a_data_set_offers_its_classes_as_the_smallest_budget(
    name: str, scale: str
) -> None:
    if (name, scale) == ("imagenet", "cpu"):
        with pytest.raises(UserError, match="ImageNet needs"):
            study(name, "learned", scale)
        return
    config = study(name, "learned", scale)
    assert classes_of(config) == DATASETS[config.data.name].num_classes
    check(config)


@pytest.mark.parametrize(
    "words, message",
    [
        (("fig1", "cpu"), "a figure among fig2, .*found 'fig1'"),
        (("fig2", "cpu", ("mnist",)), "--data to be one of .*found 'mnist'"),
        (("fig2", "cpu", ("digits", "digits")), "found digits more than once"),
        (("fig2", "laptop"), "--scale to be one of cpu, gpu, paper, found 'laptop'"),
    ],
)
def test_unknown_words_are_refused(words: tuple, message: str) -> None:
    with pytest.raises(UserError, match=message):
        catalog.load(*words)


@pytest.mark.parametrize("name", ["appF", "speed", "tab2"])
def test_a_figure_of_one_data_set_refuses_two(name: str) -> None:
    with pytest.raises(UserError, match=r"one data set.*found digits, cifar10"):
        catalog.load(name, "cpu", ("digits", "cifar10"))


def test_without_the_configs_the_message_says_where_to_go(monkeypatch) -> None:
    def absent(name: str):
        raise ModuleNotFoundError(f"No module named {name!r}", name="configs")

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(UserError, match="configs/ beside the working directory"):
        catalog.load("fig2", "cpu")


def test_the_list_has_every_figure_with_its_needs(capsys) -> None:
    assert main(["--list"]) == 0
    text = capsys.readouterr().out
    for figure in figures("cpu", (), False):
        (line,) = (x for x in text.splitlines() if x.startswith(f"{figure.id} "))
        assert figure.title in line
        assert figure.needs in text
        for part in figure.parts:
            assert part.study in text

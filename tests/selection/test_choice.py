"""The method where none is named: one rule at every door, and what it says."""

import numpy as np
import pytest

import jaxsel
from jaxsel.selection import choice
from jaxsel.selection.choice import chosen, default_method
from jaxsel.selection.methods import METHODS
from jaxsel.selection.query import QueryStrategy
from jaxsel.streaming.methods import STREAMED

POOL = np.random.default_rng(7).normal(size=(24, 4)).astype(np.float32)
pytestmark = pytest.mark.filterwarnings(
    "ignore::jaxsel.selection.coverage.CoverageWarning"
)


def test_the_rule_names_methods_that_exist_in_memory_and_on_disk() -> None:
    for labels, rows, expected in (
        (1, 10**9, "typiclust"),
        (100, 10, "typiclust"),
        (101, 200_000, "probcover"),
        (101, 200_001, "k_center"),
    ):
        found = default_method(labels, rows, True)
        assert found.method == expected
        assert expected in METHODS and expected in STREAMED


def test_every_door_follows_the_rule(monkeypatch, tmp_path) -> None:
    np.save(tmp_path / "pool.npy", POOL)
    monkeypatch.setattr(choice, "FEW", 4)
    for known, most, expected in (
        ([], 99, "typiclust"),
        ([5, 6, 7], 99, "probcover"),  # five labels in all
        ([5, 6, 7], 23, "k_center"),
    ):
        monkeypatch.setattr(choice, "MANY_ROWS", most)
        reason = chosen(None, 2 + len(known), len(POOL)).reason
        plain = jaxsel.select(POOL, 2, labelled=known)
        disk = jaxsel.select_from_disk(tmp_path / "pool.npy", 2, labelled=known)
        for found in (plain, disk):
            assert (found.info["method"], found.info["reason"]) == (expected, reason)
        named = jaxsel.select(POOL, 2, expected, labelled=known)
        assert named.info["reason"] == "it was asked for"
        assert plain.indices.tolist() == named.indices.tolist()
        answers = np.where(np.isin(np.arange(24), known), 1.0, np.nan)
        rows = QueryStrategy().query(POOL, answers, batch_size=2)
        assert rows.tolist() == plain.indices.tolist()


def test_options_without_a_method_say_which_was_chosen(tmp_path) -> None:
    np.save(tmp_path / "pool.npy", POOL)
    words = r"unknown option 'tie'.*\(No method was named, and the rule chose typiclust"
    for call in (
        lambda: jaxsel.select(POOL, 2, tie="lowest"),
        lambda: jaxsel.select_from_disk(tmp_path / "pool.npy", 2, tie="lowest"),
    ):
        with pytest.raises(jaxsel.UserError, match=words) as refused:
            call()
        assert "\n" not in str(refused.value)


def test_the_version_is_that_of_the_distribution(capsys) -> None:
    from jaxsel.cli import main

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jaxsel {jaxsel.__version__}\n"

"""The plan: recorded chunks are kept, every run stands in exactly one."""

import json
import pathlib
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jaxsel.errors import UserError
from jaxsel.experiment.grid import Grid, Run, runs_of
from jaxsel.experiment.plan import Chunk, extend_plan, halve, read_plan, write_plan


def all_runs(
    frameworks: list[str], methods: list[str], budgets: list[int], seeds: list[int]
) -> list[Run]:
    grid = Grid(tuple(methods), tuple(budgets), tuple(seeds), tuple(frameworks))
    return runs_of([grid])


SHAPES = {"supervised": (1, 1), "linear_probe": (5, 5), "flexmatch": (4, 2)}


def extended(recorded: list[Chunk], runs: list[Run]) -> list[Chunk]:
    # As in training: runs of up to 100 labels share a shape, others have their own.
    return extend_plan(
        recorded,
        runs,
        lambda r: max(r.budget, 100),
        lambda framework, size, count: SHAPES[framework],
    )


@st.composite
def grids(draw: st.DrawFn) -> list[Run]:
    def some(values: list) -> list:
        return draw(st.lists(st.sampled_from(values), min_size=1, unique=True))

    return all_runs(
        some(list(SHAPES)), some(["random", "norm"]), some([10, 60, 150]), some([0, 1])
    )


@given(st.lists(grids(), min_size=1, max_size=4))
def test_extending_in_any_order_keeps_chunks_and_covers_each_run_once(
    starts: list[list[Run]],
) -> None:
    plan: list[Chunk] = []
    for runs in starts:
        before, plan = plan, extended(plan, runs)
        assert plan[: len(before)] == before
        assert extended(plan, runs) == plan
    members = [run for chunk in plan for run in chunk.runs]
    assert sorted(members) == sorted({run for runs in starts for run in runs})
    for chunk in plan:
        assert 1 <= len(chunk.runs) <= chunk.width
        assert chunk[1:3] == SHAPES[chunk.framework]
        assert {run.framework for run in chunk.runs} == {chunk.framework}
        assert len({max(run.budget, 100) for run in chunk.runs}) == 1


def test_new_runs_never_fill_the_gaps_of_a_recorded_chunk() -> None:
    first = extended([], all_runs(["linear_probe"], ["random"], [10], [0, 1]))
    assert [(c.width, len(c.runs)) for c in first] == [(5, 2)]
    more = extended(first, all_runs(["linear_probe"], ["random"], [10], [0, 1, 2]))
    assert more == [*first, Chunk("linear_probe", 5, 5, (more[-1].runs[0],))]
    assert more[-1].runs == (Run("linear_probe", "random", 10, 2),)


def test_a_part_of_the_grid_is_already_a_comparison() -> None:
    runs = all_runs(["supervised"], ["random", "norm"], [20, 10], [0, 1])
    assert [run[1:] for run in runs[:4]] == [
        ("random", 10, 0),
        ("norm", 10, 0),
        ("random", 20, 0),
        ("norm", 20, 0),
    ]


@given(grids(), st.randoms())
def test_halving_keeps_what_is_finished_and_every_run_once(
    runs: list[Run], chance: random.Random
) -> None:
    plan = extended([], runs)
    finished = {run for run in runs if chance.random() < 0.5}
    failed = [c for c in plan if c.together > 1 and not finished.issuperset(c.runs)]
    assume(failed)
    cut = halve(plan, failed[0], finished)
    assert [(c.framework, c.width, c.runs) for c in cut] == [
        (c.framework, c.width, c.runs) for c in plan
    ]
    for before, after in zip(plan, cut, strict=True):
        alike = before.framework == failed[0].framework
        if alike and not finished.issuperset(before.runs):
            assert after.together == failed[0].together // 2
        else:
            assert after == before


def test_the_record_comes_back(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "plan.json"
    assert read_plan(path) == []
    plan = extended([], all_runs(list(SHAPES), ["random", "norm"], [10, 200], [0, 1]))
    write_plan(path, plan)
    assert read_plan(path) == plan
    old = {"framework": "linear_probe", "width": 3, "runs": [list(plan[0].runs[0])]}
    path.write_text(json.dumps({"chunks": [old]}))
    assert read_plan(path)[0].together == 3  # as such plans were carried out
    path.write_text(path.read_text()[:-10])
    with pytest.raises(UserError, match=r"plan\.json"):
        read_plan(path)

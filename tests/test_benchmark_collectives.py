"""What a program sends, counted from its text and foretold by the cost model."""

import doctest

import pytest
from processes import alone

from benchmarks import collectives, cost_model
from benchmarks.cost_model import Work, cost

PROGRAM = """
%body (s: (s32[], f32[8])) -> (s32[], f32[8]) {
  %a = f32[16]{0} all-gather(%s), dimensions={0}
  %b = (f32[8]{0}, pred[3]{0}) all-reduce(%s, %p), to_apply=%add
}
%ends (s: (s32[], f32[8])) -> pred[] {
  %c = f32[2]{0} collective-permute-start(%s)
}
%branch (s: f32[8]) -> f32[8] {
  %d = bf16[4]{0} all-to-all(%s)
}
ENTRY %main (x: f32[8]) -> f32[8] {
  %w = (s32[], f32[8]) while(%x), condition=%never, body=%body, \
backend_config={"known_trip_count":{"n":"5"}}
  %v = (s32[], f32[8]) while(%x), condition=%ends, body=%other
  %u = f32[8]{0} conditional(%x), branch_computations={%branch, %same}
  ROOT %g = f32[64]{0} all-gather(%u), dimensions={0}
}
"""


def test_collectives_are_counted_with_their_loops() -> None:
    found = collectives.collectives(PROGRAM)
    assert [(c.kind, c.bytes, c.times) for c in found] == [
        ("all-gather", 64, 5),
        ("all-reduce", 35, 5),
        ("collective-permute", 8, None),
        ("all-to-all", 8, 1),
        ("all-gather", 256, 1),
    ]
    assert collectives.largest(PROGRAM) == 256
    assert collectives.largest("ENTRY %main (x: f32[]) -> f32[] {\n}") == 0


@pytest.mark.parametrize("module", [collectives, cost_model])
def test_examples(module) -> None:
    assert doctest.testmod(module).failed == 0


def test_one_device_sends_nothing_and_eight_share_the_work() -> None:
    one = Work(rows=1e6, columns=64, budget=20, devices=1, turns=2)
    for method in cost_model.MODELS:
        alone_, eight = cost(method, one), cost(method, one._replace(devices=8))
        assert alone_.sent == 0 < eight.sent
        assert eight.flops == pytest.approx(alone_.flops / 8)
        assert eight.held < alone_.held


@pytest.mark.slow
def test_the_model_foretells_what_is_sent_and_held() -> None:
    rows, columns, budget = 100_000, 64, 20
    methods = ["norm", "gram_schmidt", "k_center", "probcover", "max_herding"]
    shape = ["--rows", str(rows), "--columns", str(columns), "--budget", str(budget)]
    module = ["-m", "benchmarks.collectives", *shape, "--methods", *methods]
    lines = [
        line
        for line in alone(module)
        if line.startswith(tuple(f"| {method}" for method in methods))
    ]
    assert len(lines) == len(methods)
    for line in lines:
        method, devices, _, held, _, once, turn = (
            cell.strip() for cell in line.strip("| ").split("|")
        )
        # One turn, and of ProbCover a block of what its picks cover.
        block = 2 * 256 / rows if method == "probcover" else 0
        work = Work(rows, columns, budget, int(devices), 1, block)
        counted = 1e6 * (float(once) + float(turn))
        assert counted == pytest.approx(cost(method, work).sent, rel=0.15), method
        assert 1e6 * float(held) == pytest.approx(cost(method, work).held, rel=0.45)

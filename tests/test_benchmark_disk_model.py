"""The model of selections from disk, beside the committed measurements."""

import doctest
import json

import pytest

from benchmarks import disk_model, scale, scale_devices
from benchmarks.disk_model import Rates, Work, seconds

RATES = Rates(read=1e9, numbers=5e8, product=1e11, pairs=5e10, rows=2e7)
# What docs/scale-disk.md states; calls of a tenth of a second are not in it.
FACTOR, SHORT_SECONDS = 4, 0.1


@pytest.mark.parametrize("module", [disk_model, scale_devices])
def test_examples(module) -> None:
    assert doctest.testmod(module).failed == 0


def test_the_slower_of_disk_and_arithmetic_is_a_pass() -> None:
    work = Work("norm", n=1e7, d=100, itemsize=1, budget=10)
    once = 1e7 / RATES.rows
    assert seconds(work, RATES) == pytest.approx(2 + once)
    assert seconds(work, RATES._replace(read=1e8)) == pytest.approx(10 + once)
    assert seconds(work._replace(itemsize=4), RATES) == pytest.approx(4 + once)


@pytest.mark.parametrize("method", disk_model.MODELS)
def test_leading_orders(method: str) -> None:
    work = Work(method, n=1e12, d=64, itemsize=1, budget=100, covered=0.5)
    ratio = seconds(work._replace(n=2e12), RATES) / seconds(work, RATES)
    assert ratio == pytest.approx(4 if method == "probcover" else 2, rel=0.01)


def test_a_sample_costs_the_pool_one_pass() -> None:
    options = {"reference": 1000, "n_candidates": 2000}
    small = Work("probcover", 1e6, 64, 1, 100, None, options)
    more = seconds(small._replace(n=2e6), RATES) - seconds(small, RATES)
    assert more == pytest.approx(1e6 * 64 / RATES.numbers + 1e6 / RATES.rows)


def committed() -> dict:
    """The newest report that has the constants."""
    reports = [json.loads(path.read_text()) for path in scale.OUT.glob("*.json")]
    return max(
        (report for report in reports if "rates" in report),
        key=lambda report: report["machine"]["time"],
    )


def test_the_model_foretells_the_committed_measurements() -> None:
    report = committed()
    compared = disk_model.compared(report)
    long = [(c, model) for c, model in compared if c["seconds"] >= SHORT_SECONDS]
    assert {case["method"] for case, _ in long} == set(disk_model.MODELS) - {"random"}
    for case, model in long:
        ratio = model / case["seconds"]
        assert 1 / FACTOR < ratio < FACTOR, (case["name"], case["n"], ratio)


def test_exponents_stand_side_by_side(capsys: pytest.CaptureFixture) -> None:
    cases = [
        {
            "name": "norm",
            "method": "norm",
            "n": n,
            "budget": 10,
            "dtype": "int8",
            "options": {},
            "seconds": n**1.2,
            "info": {"passes": 1},
        }
        for n in (10**6, 10**7)
    ]
    report = {"d": 64, "cases": cases, "rates": RATES._asdict()}
    report["exponents"] = scale.exponents(cases)
    scale._exponents_beside(report)
    assert report["model_exponents"] == {"norm": pytest.approx(1)}
    assert "n^1.20 (the model's: n^1.00)" in capsys.readouterr().out


def test_memory_is_that_of_the_method() -> None:
    small, large = (
        disk_model.memory(Work("norm", n, 384, 1, 1000)) for n in (1e8, 1e9)
    )
    assert large - small == pytest.approx(56 * 9e8)


def test_what_devices_send_grows_as_counted() -> None:
    rows = [
        {"kind": kind, "method": "norm", "devices": count, "rows": 1}
        | {"once": size, "in_a_turn": 0.0, "model": float(count)}
        for kind, some in (("strong", (3.0, 3.0)), ("weak", (1.0, 4.0)))
        for count, size in zip((2, 8), some, strict=True)
    ]
    found = scale_devices.exponents(rows)
    assert [row["counted"] for row in found] == pytest.approx([0, 1])
    assert [row["model"] for row in found] == pytest.approx([1, 1])
    assert "D^0.00 (model 1.00)" in scale_devices.words(rows)


@pytest.mark.slow
def test_devices_are_counted_in_a_process_that_has_them() -> None:
    found = scale_devices.of_devices([2, 4], ["norm"])
    strong, weak = found[:2], found[2:]
    assert [row["devices"] for row in strong] == [2, 4]
    assert [row["rows"] for row in weak] == [25_000, 50_000]
    # The lengths and the mask, whatever the devices; a constant share of a pool that
    # grows is twice as much on twice as many.
    assert strong[0]["once"] == pytest.approx(strong[1]["once"])
    assert weak[1]["once"] == pytest.approx(2 * weak[0]["once"], rel=0.01)
    for row in found:
        assert row["once"] == pytest.approx(row["model"], rel=0.15)

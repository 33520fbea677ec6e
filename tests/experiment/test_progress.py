"""Progress: a line on a terminal, next to nothing elsewhere."""

import time

import pytest

from jaxsel.experiment import progress as module
from jaxsel.experiment.progress import Progress, Waiting


def test_short_work_off_a_terminal_is_silent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Progress("training", total=3, unit="run") as progress:
        for _ in range(3):
            progress.advance(1, "norm 10")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_long_work_off_a_terminal_says_where_it_is_with_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 40.0, 41.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    progress = Progress("training", total=8, unit="run")
    for _ in range(3):
        progress.advance(1, "norm 10")
    captured = capsys.readouterr()
    assert captured.out == ""
    # Two of eight done in 40 s: six left take 120 s.
    assert captured.err == "training: 2 of 8 runs, 120 s left norm 10\n"


def test_the_time_left_is_not_by_what_an_earlier_start_did(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 40.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    progress = Progress("features", total=100, unit="image")
    progress.start_at(80)
    progress.advance(4)
    # Four in 40 s: sixteen left take 160 s.
    assert capsys.readouterr().err == "features: 84 of 100 images, 160 s left\n"


def test_a_terminal_is_shown_where_an_earlier_start_ended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True, raising=False)
    with Progress("features", total=100, unit="image") as progress:
        progress.start_at(80)
        progress.advance(4)
    assert "80/100" in capsys.readouterr().err


def test_one_long_call_says_that_it_is_at_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Waiting("picking"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.01)
    with Waiting("picking"):
        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    assert lines and set(lines) == {"picking: 0 s"}

"""Killed at any moment and started again, a study ends as if it never was."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import jax
import pytest
from tiny_study import tiny, without_seconds

from jaxsel.experiment import journal, plan, training
from jaxsel.experiment import run as job

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Killed(BaseException):
    """Ends the job where it stands, as a kill would."""


def dying(function, after: int, *, done: bool):
    """`function` that kills at call number `after`, with its work done or not."""
    calls = iter(range(after + 1))

    def call(*words):
        last = next(calls) == after
        if last and not done:
            raise Killed
        result = function(*words)
        if last:
            raise Killed
        return result

    return call


@pytest.mark.parametrize(
    "module, name, after, done",
    [
        (journal, "append", 0, False),  # the first picks are made, not yet noted
        (journal, "append", 3, True),  # half of the picks are noted
        (job, "write_selections", 0, False),
        (job, "write_plan", 0, False),
        (job, "write_plan", 0, True),
        (journal, "append", 9, False),  # the second chunk is trained, not yet noted
        (training, "append_lines", 1, False),  # noted, but not in the table
        (training, "append_lines", 1, True),
    ],
)
@pytest.mark.usefixtures("no_report")
def test_a_killed_study_resumes_to_the_same_table(
    undisturbed: pathlib.Path,
    tmp_path: pathlib.Path,
    module: object,
    name: str,
    after: int,
    done: bool,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, dying(getattr(module, name), after, done=done))
        with pytest.raises(Killed):
            job.run(tiny(), tmp_path)
    # What the kill left unfinished on disk.
    for unfinished in ("runs.jsonl", "results.csv", "picks.jsonl"):
        if (tmp_path / unfinished).exists():
            with (tmp_path / unfinished).open("a") as stream:
                stream.write('{"unfinished')
    finished = journal.read(tmp_path / "runs.jsonl")
    job.run(tiny(), tmp_path)
    assert without_seconds(tmp_path) == without_seconds(undisturbed)
    assert journal.read(tmp_path / "runs.jsonl")[: len(finished)] == finished
    assert plan.read_plan(tmp_path / "plan.json") == plan.read_plan(
        undisturbed / "plan.json"
    )
    selections = (tmp_path / "selections.csv").read_bytes()
    assert selections == (undisturbed / "selections.csv").read_bytes()


def test_a_process_killed_in_training_resumes_to_the_same_table(
    tmp_path: pathlib.Path, no_report: None
) -> None:
    seeds = tuple(range(8))
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    code = (
        "import sys, pathlib; sys.path[:0] = sys.argv[2:]\n"
        "from tiny_study import tiny\n"
        "from jaxsel.experiment.run import run\n"
        f"run(tiny(seeds={seeds}), pathlib.Path(sys.argv[1]))"
    )
    words = [sys.executable, "-c", code, str(killed), str(ROOT), str(ROOT / "tests")]
    # It finds the programs that the tests have compiled.
    programs = {"JAX_COMPILATION_CACHE_DIR": str(jax.config.jax_compilation_cache_dir)}
    process = subprocess.Popen(
        [*words, str(pathlib.Path(__file__).parent)], env={**os.environ, **programs}
    )
    table = killed / "results.csv"
    deadline = time.monotonic() + 240
    while not (table.exists() and table.read_text().count("\n") > 2):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    finished = journal.read(killed / "runs.jsonl")
    assert 0 < len(finished) < 4 * len(seeds), "it was killed in the middle"
    job.run(tiny(seeds=seeds), killed)
    job.run(tiny(seeds=seeds), whole)
    assert without_seconds(killed) == without_seconds(whole)
    assert journal.read(killed / "runs.jsonl")[: len(finished)] == finished

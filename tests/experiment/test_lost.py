"""One of two processes is lost: the other ends and says so, and a new start goes on."""

import pathlib
import signal
import subprocess

import pytest
from lost_job import study
from processes import together, two_started
from tiny_study import without_seconds

from jaxsel.experiment.run import run

JOB = str(pathlib.Path(__file__).with_name("lost_job.py"))
HEARTBEAT = {"JAXSEL_HEARTBEAT_SECONDS": "10"}
AGAIN = "start the same command again on all hosts (finished runs are kept)"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    workdir = tmp_path_factory.mktemp("undisturbed") / "study"
    run(study(1), workdir)  # On two processes of two devices, four of these at a time.
    return without_seconds(workdir)


def _ended(process: subprocess.Popen, seconds: float) -> list[str]:
    """What a process that ends by itself in so many seconds said on stderr."""
    try:
        return process.communicate(timeout=seconds)[1].splitlines()
    finally:
        process.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lost", "how", "code", "says"),
    [
        (1, signal.SIGKILL, 2, "found no answer from process 1 in 10 s"),
        # JAX aborts the other at once, and where nothing is heard, after a while.
        (0, signal.SIGKILL, -signal.SIGABRT, "process 1 of 2 was ended from outside"),
        (1, signal.SIGSTOP, -signal.SIGABRT, "process 0 of 2 was ended from outside"),
    ],
)
def test_the_other_process_ends_and_a_new_start_ends_with_the_same_table(
    lost: int,
    how: signal.Signals,
    code: int,
    says: str,
    undisturbed: list[str],
    tmp_path: pathlib.Path,
) -> None:
    workdir = tmp_path / "study"
    # With heartbeats every 100 s it is the closed connection that is noticed.
    more = HEARTBEAT if how == signal.SIGSTOP else {}
    started = two_started([JOB, str(workdir), str(lost), str(int(how))], 2, more)
    other = started[1 - lost]
    try:
        if how == signal.SIGKILL:
            started[lost].communicate(timeout=120)
            assert started[lost].returncode == -signal.SIGKILL
        last = _ended(other, 120 if how == signal.SIGSTOP else 40)
    finally:
        for process in started:
            process.kill()
            process.communicate()
    assert other.returncode == code, last
    told = [line for line in last if line.startswith("jaxsel: ")]
    assert len(told) == 1, last
    assert says in told[0] and AGAIN in told[0]
    assert told[0] == last[-1]
    # The runs of the first call are kept, and of the second where they were noted.
    assert len(without_seconds(workdir)) == (9 if lost else 5)
    together([JOB, str(workdir)])
    assert without_seconds(workdir) == undisturbed

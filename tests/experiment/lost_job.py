"""Run by test_lost.py: a study on two processes, of which one may be lost.

Arguments: the workdir; a process's number and a signal. That process sends itself the
signal when the second call of runs has ended; the other waits for it in the third.
"""

import os
import pathlib
import sys
import time

from tiny_study import tiny

from jaxsel import main as program
from jaxsel.experiment import hosts, journal
from jaxsel.experiment import run as job


def study(together: int):
    """Twelve runs, so many in a call."""
    config = tiny(methods=("random",), seeds=tuple(range(6)))
    config.replicates.linear_probe_chunk = together
    return config


def _lost(number: int) -> None:
    append, calls = journal.append, iter(range(9))

    def dying(path, entries):
        if path.name == "runs.jsonl" and next(calls) == 1:
            time.sleep(1)
            os.kill(os.getpid(), number)
        append(path, entries)

    journal.append = dying


def _run(*_: object) -> int:
    hosts.join()
    import jax

    if sys.argv[2:] and jax.process_index() == int(sys.argv[2]):
        _lost(int(sys.argv[3]))
    job.run(study(4), pathlib.Path(sys.argv[1]))
    return 0


if __name__ == "__main__":
    # What the command line does about errors, without its words.
    program._run = _run
    sys.exit(program.main())

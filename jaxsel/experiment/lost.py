"""A process that is lost: the others say so and end, each by itself.

A collective fails at once where the connection to a process closes (CPU), and waits
where nobody notices (a GPU, a cut cable). There JAX's heartbeats come in: without those
of a process for a time, or without the first process, JAX aborts the others.
"""

import atexit
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import jax
from absl import logging

from jaxsel.errors import UserError

# Seconds for the others to say that they live: a collective fails for all of them.
_ANSWER = 10
_AGAIN = "start the same command again on all hosts (finished runs are kept)"
# JAX aborts a process without a word to Python, so another one has the last words.
_LAST_WORDS = "import sys; sys.stdin.read() or sys.stderr.write(sys.argv[1])"
_speakers: list[subprocess.Popen] = []


def leave_last_words(own: int, count: int) -> None:
    """Lets a line on stderr say what to do, should this process be aborted.

    Args:
      own: this process's number.
      count: how many there are.
    """
    line = (
        f"jaxsel: process {own} of {count} was ended from outside: killed, or aborted "
        "by JAX because another one was lost, gave up or did not come (the lines "
        f"above, if any, say which; the leader is process 0); {_AGAIN}\n"
    )
    _speakers.append(
        subprocess.Popen(
            [sys.executable, "-I", "-c", _LAST_WORDS, line],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it.
        )
    )
    atexit.register(_end)


def _end() -> None:
    """The common end: all processes wait for each other, where JAX may abort too."""
    jax.distributed.shutdown()
    _keep_silent()


def _keep_silent() -> None:
    while _speakers:
        _speakers.pop().communicate(b"It ends by itself.")


@contextmanager
def noticed() -> Iterator[None]:
    """Says which process was lost, and lets the program end without the others.

    What fails in all processes alike is raised as it is, and they end together. Where
    some do not fail with this one they are lost, or they wait for it and would wait
    for ever: the program's end, however it comes, is then immediate.

    Raises:
      UserError: what the processes compute together failed, and some do not answer.
    """
    try:
        yield
    except Exception as error:
        silent = _silent()
        if silent is None:
            raise
        broken = isinstance(error, jax.errors.JaxRuntimeError)
        _end_at_once(2 if broken or isinstance(error, UserError) else 1)
        if not broken:
            raise
        raise UserError(
            f"expected all {jax.process_count()} processes to go on, found no answer "
            f"from {silent} in {_ANSWER} s after "
            f"{' '.join(str(error).split())[:200]!r}: {_AGAIN}"
        ) from error
    except BaseException:  # Ctrl-C.
        _end_at_once(130)
        raise


def _silent() -> str | None:
    """Which processes have not failed too, in words; none if all have."""
    from orbax.checkpoint import multihost  # heavy

    logging.info("failed: asking the other processes")
    try:
        meet = multihost.get_barrier_sync_fn()
        meet(key="jaxsel failed", timeout_ms=_ANSWER * 1000)
    except jax.errors.JaxRuntimeError as error:
        text = str(error)
        names = re.search(r"timed out task names:\s*(\d+(?:[,\s]+\d+)*)", text)
        found = names[1] if names else " ".join(re.findall(r"Task (\d+) heart", text))
        numbers = sorted(set(re.findall(r"\d+", found)), key=int)
        return f"process {', '.join(numbers)}" if numbers else "some of them"
    return None


def _end_at_once(code: int) -> None:
    """Lets the program end without waiting for the others, with this exit code."""

    def end() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        _keep_silent()
        if jax.process_index() == 0:
            # Without the first process JAX aborts the others: they may speak first.
            time.sleep(2)
        os._exit(code)

    atexit.register(end)  # The last one registered comes first.

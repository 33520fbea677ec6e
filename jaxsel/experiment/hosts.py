"""A study on several processes: they join, and one of them keeps the workdir.

Every process runs the same job. What they compute together (selections, replicates)
they compute on all devices; each reads the rows of its own. The first process writes
the workdir. The others work in a folder of their own for the time, which begins with
what the first one has finished, so that all of them find the same things to do.
"""

import json
import os
import pathlib
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import jax
import numpy as np

from jaxsel.errors import UserError
from jaxsel.experiment import lost

T = TypeVar("T")

_ADDRESS = "JAX_COORDINATOR_ADDRESS"
_COUNT = "JAX_NUM_PROCESSES"
_OWN = "JAX_PROCESS_ID"
_HEARTBEAT = "JAXSEL_HEARTBEAT_SECONDS"
# What says how far a study is; the rest of a workdir is made of it.
_STATE = ("manifest.json", "plan.json", "picks.jsonl", "runs.jsonl", "results.csv")


def join() -> None:
    """Joins the other processes, where the environment says that there are some.

    `JAX_COORDINATOR_ADDRESS` is `host:port` of the first process, `JAX_NUM_PROCESSES`
    how many there are, `JAX_PROCESS_ID` this one's number from 0. Without the first
    nothing is done. It comes before anything else of JAX. A process that has not been
    heard of for `JAXSEL_HEARTBEAT_SECONDS` (100) is lost, and the others end.

    Raises:
      UserError: a number is missing or makes no sense, or the address does.
    """
    address = os.environ.get(_ADDRESS)
    if not address:
        return
    if not re.fullmatch(r".+:\d+", address):
        raise UserError(f"expected {_ADDRESS} to be host:port, found {address!r}")
    count, own = _number(_COUNT), _number(_OWN)
    if not own < count:
        raise UserError(f"expected {_OWN} below {_COUNT}, found {own} of {count}")
    heartbeat = _number(_HEARTBEAT, "100")
    if heartbeat < 1:
        raise UserError(f"expected {_HEARTBEAT} of 1 or more, found {heartbeat}")
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    lost.leave_last_words(own, count)
    jax.distributed.initialize(address, count, own, heartbeat_timeout_seconds=heartbeat)


def _number(name: str, default: str = "") -> int:
    text = os.environ.get(name, default)
    if not text.isdecimal():
        raise UserError(
            f"expected {name} to be a whole number beside {_ADDRESS}, found {text!r}"
        )
    return int(text)


def is_first() -> bool:
    """Whether this process writes what all of them have made."""
    return jax.process_index() == 0


@contextmanager
def own_place(workdir: pathlib.Path) -> Iterator[pathlib.Path]:
    """The workdir for the first process, a copy of its state for any other one.

    Raises:
      UserError: another process was lost meanwhile.
    """
    if jax.process_count() == 1:
        yield workdir
        return
    with lost.noticed(), _place_of_several(workdir) as place:
        yield place


@contextmanager
def _place_of_several(workdir: pathlib.Path) -> Iterator[pathlib.Path]:
    state = {
        name: (workdir / name).read_text()
        for name in _STATE
        if is_first() and (workdir / name).exists()
    }
    state = json.loads(_from_first(json.dumps(state).encode()))
    if is_first():
        yield workdir
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, text in state.items():
            (pathlib.Path(folder) / name).write_text(text)
        yield pathlib.Path(folder)


def first_alone(make: Callable[[], T]) -> T:
    """Calls `make` in the first process, then in the others, which may find it made."""
    if jax.process_count() == 1:
        return make()
    if is_first():
        made = make()
        _from_first(b"made")
        return made
    _from_first(b"")
    return make()


def _from_first(message: bytes) -> bytes:
    """The first process's bytes, in every process."""
    from jax.experimental import multihost_utils

    size = int(multihost_utils.broadcast_one_to_all(np.int32(len(message))))
    padded = np.zeros(size, np.uint8)
    if is_first():
        padded[:] = np.frombuffer(message, np.uint8)
    return bytes(np.asarray(multihost_utils.broadcast_one_to_all(padded)))

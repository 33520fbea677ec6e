"""What a streamed method is: a state of plain arrays, and steps that advance it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsel.selection.contract import Picks
from jaxsel.streaming.stream import Stream

# Names, and arrays or scalars of NumPy that a checkpoint can hold.
State = dict[str, Any]


class Task(NamedTuple):
    """What is wanted.

    Attributes:
      key: the key that the selector in memory would be given.
      labelled: bool `[n]`.
      budget: rows to pick, at least 1.
      options: all of the method's options.
    """

    key: jax.Array
    labelled: np.ndarray
    budget: int
    options: dict[str, Any]


class Need(NamedTuple):
    """Memory that a method needs, in bytes; see `jaxsel.streaming.plan.plan`."""

    per_row: int
    fixed: int
    per_block: int


class Procedure(NamedTuple):
    """A streamed method.

    Attributes:
      need: `(d, task) -> Need`.
      start: `(stream, task) -> State`, the first pass.
      step: `(stream, task, state) -> State`, a new dictionary; the given one and its
        arrays stay as they are.
      done: `(task, state) -> bool`, whether no step is needed any more.
      finish: `(stream, task, state) -> Picks`.
      prefix: whether a state serves a larger budget as well.
    """

    need: Callable[[int, Task], Need]
    start: Callable[[Stream, Task], State]
    step: Callable[[Stream, Task, State], State]
    done: Callable[[Task, State], bool]
    finish: Callable[[Stream, Task, State], Picks]
    prefix: bool

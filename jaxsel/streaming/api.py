"""`select_from_disk`: the validated door to every streamed method."""

import hashlib
import math
import pathlib
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import jax
import numpy as np

from jaxsel.errors import UserError
from jaxsel.files import alone_in
from jaxsel.frames import warn_of
from jaxsel.pools.kept import KeptPool, without_bad_rows
from jaxsel.pools.opening import open_pool
from jaxsel.pools.pool import Pool
from jaxsel.pools.reading import blocks
from jaxsel.selection import (
    checking,
    coverage,
    dropping,
    magnitudes,
    seeing,
    validate,
)
from jaxsel.selection.api import Selection, plain
from jaxsel.selection.choice import chosen, said_if_unnamed
from jaxsel.selection.contract import Picks
from jaxsel.selection.methods import METHODS
from jaxsel.selection.options import ROW_OPTIONS, check_options
from jaxsel.selection.sampling import key_of
from jaxsel.streaming.checkpoint import Checkpoint
from jaxsel.streaming.methods import STREAMED, check_streamed, procedure_of
from jaxsel.streaming.plan import as_bytes, plan
from jaxsel.streaming.procedure import Procedure, State, Task
from jaxsel.streaming.stream import Reading, Stream
from jaxsel.streaming.survey import OtherForm

# Rows looked at together for numbers that are not finite.
_SMALL_BLOCK = 1024


def select_from_disk(
    pool: Any,
    budget: int,
    method: str | None = None,
    *,
    labelled: Any = None,
    seed: int = 0,
    memory: Any = "2GiB",
    checkpoint: Any = None,
    progress: Callable[[Reading], None] | None = None,
    columns: Any = None,
    features: str | None = None,
    ids: str | None = None,
    drop_bad: bool = False,
    **options: Any,
) -> Selection:
    """Picks `budget` rows of a pool that stays on disk.

    The picks are those of `jaxsel.select` on the same rows in memory: the same rows for
    the deterministic methods, the same draws for the others, as far as the rounding of
    sums allows. What differs is said by the methods (`jaxsel.streaming.methods`).
    Rows are in the order of the files, and ties go to the first.

    Args:
      pool: a Pool, or what `jaxsel.pools.opening.open_pool` takes: a `.npy` or
        `.parquet` file, a glob, a list of files, a stored folder.
      budget: how many rows, from 0 to the number of unlabelled ones.
      method: a name of `jaxsel.streaming.methods.STREAMED`; without one the rule of
        `jaxsel.select`, and `info["reason"]` says why.
      labelled: row indices or a bool mask `[n]`.
      seed: whole number; the same seed gives the same picks.
      memory: a bound on the whole process, in bytes or as "2GiB". It decides how many
        rows are read at a time, which changes no pick but by rounding. (An
        accelerator's driver takes memory of its own on top.)
      checkpoint: a folder for the state. A selection that was killed goes on from
        there; a larger budget adds to the picks where the method can. It begins with a
        pass that compares the pool with the one of the checkpoint.
      progress: called with a `Reading` after every block.
      columns, features, ids: of parquet, the columns that are the features, or the one
        of vectors, and the one that names the rows; without them the rule of
        `jaxsel.columns` chooses, and a warning says what was left out.
      drop_bad: whether rows with NaN or infinity are left out, found by one more
        reading; a warning says how many and which, and `info["dropped"]` has all of
        them. Row numbers stay those of the pool. Otherwise such rows are an error.
      **options: the method's own, as for `jaxsel.select`.

    Returns:
      Selection. Its info has, beside that of `jaxsel.select`: ids, the names of the
      picks where the files have names of their rows; passes over the pool, bytes_read,
      bytes_per_second, block_rows and planned_bytes, of this call alone; and contents,
      a hash of all rows in their order.

    Raises:
      UserError: what was expected, found, and what to do: also for rows that change
        while they are read or have changed since the checkpoint, memory that is too
        small, and a disk that is full.

    Example:
      >>> import tempfile
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "rows.npy"
      >>> np.save(file, np.array([[3.0, 0.0], [2.0, 0.1], [0.0, 1.0]], np.float32))
      >>> found = select_from_disk(file, 2, "gram_schmidt", deterministic=True)
      >>> found.indices.tolist(), found.info["passes"]
      ([0, 2], 1.0)
    """
    if method is not None:
        if not isinstance(method, str) or method not in STREAMED:
            _refuse(method)
        check_streamed(method, options)
    rows = open_pool(pool, columns=columns, features=features, ids=ids)
    if rows is not pool:
        warn_of(rows.roles)
    mask = validate.as_labelled(labelled, rows.n)
    dropped = None
    if drop_bad:
        options = _of_the_pool(options, rows.n)
        rows, dropped = without_bad_rows(rows, _SMALL_BLOCK)
        if len(dropped):
            told = dropping.sentence(dropped, len(mask))
            warnings.warn(told, dropping.DroppedRowsWarning, stacklevel=2)
            fine = np.delete(np.arange(len(mask)), dropped)
            mask = mask[fine]
            for name in ROW_OPTIONS:
                if options.get(name) is not None:
                    options[name] = options[name][fine]
    budget = validate.as_budget(budget, rows.n, int(mask.sum()))
    named = method
    method, reason = chosen(named, budget + int(mask.sum()), rows.n)
    with said_if_unnamed(named, method):
        options = check_streamed(method, options)
    seed = validate.as_seed(seed)
    options = _of_the_pool(options, rows.n)
    procedure = procedure_of(method, options)
    # Of two stages the first sees unit rows.
    unit = METHODS[method.partition("+")[0]].rows == "unit"
    task = Task(key_of(seed, int(mask.sum())), mask, budget, options)
    need = procedure.need(rows.d, task)
    sized = plan(as_bytes(memory), rows, **need._asdict())
    entry = METHODS[method]
    stream = Stream(
        rows,
        sized,
        unit=unit,
        entry=entry,
        options=options,
        budget=budget,
        progress=progress,
    )
    began = time.perf_counter()
    info: dict[str, Any] = {"method": method, "reason": reason, "budget": budget}
    info |= {} if rows.roles is None else {"columns": rows.roles.record()}
    if budget == 0:
        return Selection(np.zeros(0, np.int64), np.zeros(0, np.float32), info)
    kept = None if checkpoint is None else _folder(checkpoint)
    with nullcontext() if kept is None else alone_in(kept, "another selection"):
        saved = None
        if kept is not None:
            saved = Checkpoint(kept, _identity(rows, method, procedure, task, seed))
        picks, state = _picked(stream, procedure, task, saved, as_bytes(memory))
    picks, scale = _in_gains_unit(stream, picks)
    barred = mask
    checking.check_picks(
        method,
        np.asarray(picks.indices),
        np.asarray(picks.gains),
        barred,
        wanted=budget,
    )
    info |= {"rounds": int(picks.rounds), "rows": METHODS[method].rows}
    info |= {"zero_rows": int(state["zero_rows"]), "scale": rows.scale * scale}
    info |= {name: plain(value) for name, value in picks.info.items()}
    picked = np.asarray(picks.indices, np.int64)
    if METHODS[method].coverage:
        info |= _judged(stream, method, picked, mask, seed, info.get("delta"))
    if (names := rows.names(picked)) is not None:
        info["ids"] = names
    info |= {**stream.info(), "contents": stream.contents.digest()}
    info["seconds"] = time.perf_counter() - began
    if dropped is not None:
        info["dropped"] = dropped
        picked = rows.rows[picked] if isinstance(rows, KeptPool) else picked
    return Selection(picked, np.asarray(picks.gains), info)


def _judged(
    stream: Stream,
    method: str,
    picked: np.ndarray,
    mask: np.ndarray,
    seed: int,
    delta: float | None,
) -> dict[str, Any]:
    """How the picks cover the pool beside random draws, with a warning if no better."""
    rows = _Rows(stream)
    figures = coverage.report(rows, picked, mask, seed, delta)  # type: ignore[arg-type]
    coverage.warn(method, figures)
    return figures


def _picked(
    stream: Stream,
    procedure: Procedure,
    task: Task,
    saved: Checkpoint | None,
    memory: int,
) -> tuple[Picks, State]:
    """From the last state, or the first pass, to the end."""
    found = None if saved is None else saved.load()
    if found is None:
        state = _started(stream, procedure, task, memory)
        if saved is not None:
            saved.save(state, stream.contents.hashes)
    else:
        state = found.state
        if "form_entries" in state:
            form = magnitudes.Form(float(state["form_scale"]), bool(state["form_wide"]))
            _take_form(stream, procedure, task, form, state["form_entries"], memory)
        # Before any step: one from changed rows would be saved with the rest.
        stream.resume(found.hashes)
    picks, state = _finished(stream, procedure, task, state, saved)
    compares = None if stream.entry is None else stream.entry.compares
    if compares != "distances" or stream.form.wide:
        return picks, state
    scale = stream.form.scale * stream.pool.scale
    if magnitudes.lost_distances(picks.gains, scale, lambda: _least_entry(stream)):
        entries = stream.entries()
        form = stream.form._replace(wide=True)
        _take_form(stream, procedure, task, form, entries, memory)
        state = _started(stream, procedure, task, memory)
        picks, state = _finished(stream, procedure, task, state, saved)
    return picks, state


def _started(stream: Stream, procedure: Procedure, task: Task, memory: int) -> State:
    """The state after the first pass, in the form that the rows need."""
    try:
        with stream.precision():
            state = procedure.start(stream, task)
    except OtherForm as other:
        _take_form(stream, procedure, task, other.form, other.entries, memory)
        with stream.precision():
            state = procedure.start(stream, task)
    return state | stream.form_state()


def _take_form(
    stream: Stream,
    procedure: Procedure,
    task: Task,
    form: magnitudes.Form,
    entries: np.ndarray,
    memory: int,
) -> None:
    """Rows in another form, and blocks whose size is planned for it."""
    stream.take_form(form, entries)
    need = procedure.need(stream.pool.d, task)._asdict()
    itemsize = 8 if form.wide else 4
    stream.plan = plan(memory, stream.pool, **need, itemsize=itemsize)


def _finished(
    stream: Stream,
    procedure: Procedure,
    task: Task,
    state: State,
    saved: Checkpoint | None,
) -> tuple[Picks, State]:
    with stream.precision():
        while not procedure.done(task, state):
            state = procedure.step(stream, task, state)
            if saved is not None:
                saved.save(state, stream.contents.hashes)
        picks = procedure.finish(stream, task, state)
        return jax.tree.map(np.asarray, picks), state


def _in_gains_unit(stream: Stream, picks: Picks) -> tuple[Picks, float]:
    """Picks with float32 gains, and the power of two that they are multiplied by."""
    if stream.wide is None:
        return picks, stream.form.scale
    scale = stream.form.scale
    return seeing.in_gains_unit(picks, stream.wide.powers, scale)


def _least_entry(stream: Stream) -> float:
    """The smallest absolute number of the pool that is not 0, as it is on disk."""
    parts = blocks(stream.pool, stream.plan.block)
    return min(magnitudes.least_entry(block.rows[: block.valid]) for block in parts)


def _refuse(method: Any) -> None:
    if not isinstance(method, str) or method not in METHODS:
        check_options(method, {})
    raise UserError(
        f"method {method!r} needs its pool in memory; methods that read it from disk: "
        f"{', '.join(STREAMED)}"
    )


def _folder(checkpoint: Any) -> pathlib.Path:
    try:
        return pathlib.Path(checkpoint)
    except TypeError:
        raise UserError(
            f"expected a folder for the checkpoint, found {checkpoint!r}"
        ) from None


def _of_the_pool(options: dict[str, Any], n: int) -> dict[str, Any]:
    found = dict(options)
    for name in ROW_OPTIONS:
        if found.get(name) is not None:
            values = validate.as_row_values(name, found[name], n, ROW_OPTIONS[name])
            found[name] = values
    return found


def _identity(
    pool: Pool, method: str, procedure: Procedure, task: Task, seed: int
) -> dict[str, Any]:
    """What determines the picks; the budget only where it does."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return hashlib.sha256(value.tobytes()).hexdigest()
        return "inf" if isinstance(value, float) and math.isinf(value) else value

    found = {
        "pool": pool.fingerprint(),
        "method": method,
        "options": {name: plain(value) for name, value in task.options.items()},
        "labelled": plain(task.labelled),
        "seed": seed,
    }
    return found if procedure.prefix else {**found, "budget": task.budget}


class _Rows:
    """A stream's rows by index, for a report that looks at few of them."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.shape = stream.n, stream.d

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        found = self._stream.gather(np.ravel(rows))
        return np.asarray(found).reshape(*np.shape(rows), self.shape[1])

"""The training of an encoder, from images to a folder with its weights.

The folder's name holds a hash of all that determines the weights, and in it are:

    metrics.jsonl   a line every few steps, written as training goes on
    checkpoints/    the two latest states, to go on from
    encoder.npz     the finished encoder
    manifest.json   what it is, and the SHA-256 of encoder.npz; written last

A folder with a manifest is finished and is read instead of trained. Any other is gone
on with, from its latest checkpoint.
"""

import math
import pathlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from absl import logging

from jaxsel.errors import UserError
from jaxsel.files import alone_in, hash_of
from jaxsel.models.resnet import STEMS
from jaxsel.pretraining.checkpoint import Checkpoints
from jaxsel.pretraining.metrics import append_metrics, drop_after
from jaxsel.pretraining.simclr import (
    DTYPES,
    SimCLR,
    State,
    epoch_order,
    learning_rate,
    make_runner,
    resolved_dtype,
    start,
)
from jaxsel.pretraining.watch import Monitor, Watch
from jaxsel.pretraining.weights import Weights, is_finished, save_encoder

VERSION = 1  # Raised when the same settings give other weights.


class Progress(Protocol):
    """What tells a person how far the training is."""

    def advance(self, amount: int, note: str = "") -> None: ...


# Given all steps and those done before, a context with the progress in it.
BeginProgress = Callable[[int, int], AbstractContextManager[Progress]]


def identity_of(settings: SimCLR, dataset: str, fingerprint: str) -> dict[str, Any]:
    """Everything that determines an encoder, JSON-able; its hash names the folder."""
    return {
        "encoder": "simclr",
        "version": VERSION,
        "dataset": dataset,
        "fingerprint": fingerprint,
        "settings": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in settings._asdict().items()
        },
    }


def folder_of(root: pathlib.Path, identity: dict[str, Any]) -> pathlib.Path:
    """Where an encoder lives: `simclr-cifar10-0f3a…`."""
    words = [identity["encoder"], identity["dataset"], hash_of(identity)]
    return root / "-".join(words)


def check(settings: SimCLR) -> None:
    """Refuses settings that nothing can be trained with.

    Raises:
      UserError: names the first such field.
    """
    for name in ("width", "epochs", "projection"):
        _expect(name, "from 1", getattr(settings, name), getattr(settings, name) >= 1)
    _expect("batch_size", "from 2", settings.batch_size, settings.batch_size >= 2)
    for name in ("learning_rate", "temperature"):
        value = getattr(settings, name)
        _expect(name, "above 0", value, value > 0 and math.isfinite(value))
    for name in ("jitter_probability", "grayscale_probability", "final_share"):
        value = getattr(settings, name)
        _expect(name, "in 0 … 1", value, 0 <= value <= 1)
    _expect("momentum", "in [0, 1)", settings.momentum, 0 <= settings.momentum < 1)
    _expect("weight_decay", "from 0", settings.weight_decay, settings.weight_decay >= 0)
    low, high = settings.scale
    _expect("scale", "0 < low ≤ high ≤ 1", settings.scale, 0 < low <= high <= 1)
    strengths = settings.jitter
    fits = len(strengths) == 4 and min(strengths) >= 0 and strengths[3] <= 0.5
    _expect("jitter", "four numbers from 0, hue's to 0.5", strengths, fits)
    _expect("stem", f"one of {', '.join(STEMS)}", settings.stem, settings.stem in STEMS)
    known = ", ".join(DTYPES)
    _expect("dtype", f"one of {known}", settings.dtype, settings.dtype in DTYPES)


def _expect(name: str, what: str, found: Any, holds: bool) -> None:
    if not holds:
        raise UserError(f"expected config.simclr.{name} {what}, found {found!r}")


def pretrain(
    images: np.ndarray,
    settings: SimCLR,
    *,
    dataset: str,
    fingerprint: str,
    root: pathlib.Path,
    watch: Watch,
    monitor: Monitor | None,
    begin: BeginProgress,
) -> pathlib.Path:
    """Trains an encoder, goes on with one, or finds it finished.

    Killed at any moment and started again, it ends with the same weights bit for bit
    on the same hardware, and with one line of metrics for every few steps.

    Args:
      images: uint8 `[n, h, w, 3]`; all of them lie on the device in training.
      settings: of the training.
      dataset: its name, for the folder.
      fingerprint: of the images.
      root: the folder of all encoders.
      watch: how often to measure and to save; no part of the encoder's identity.
      monitor: measures features now and then, if any.
      begin: makes the progress line.

    Returns:
      The folder with `encoder.npz` and `manifest.json`.

    Raises:
      UserError: settings that cannot be trained with, another process that trains the
        same encoder, or a loss that is not finite.
    """
    check(settings)
    n = images.shape[0]
    if images.ndim != 4 or images.shape[3] != 3 or n < settings.batch_size:
        raise UserError(
            f"expected at least config.simclr.batch_size = {settings.batch_size} "
            f"images of 3 channels to train on, found shape {images.shape}"
        )
    identity = identity_of(settings, dataset, fingerprint)
    folder = folder_of(root, identity)
    if is_finished(folder):
        return folder
    with alone_in(folder, "another process that trains this encoder: wait for it"):
        if not is_finished(folder):
            state = _train(images, settings, folder, watch, monitor, begin)
            weights = Weights(state.params["encoder"], state.statistics)
            about = {
                "identity": identity,
                "steps": int(state.step),
                "dtype": resolved_dtype(settings),
                "device": jax.devices()[0].device_kind,
            }
            save_encoder(folder, weights, about)
            logging.info("encoder in %s", folder)
    return folder


class _Timing(NamedTuple):
    steps: int
    seconds: float


def _train(
    images: np.ndarray,
    settings: SimCLR,
    folder: pathlib.Path,
    watch: Watch,
    monitor: Monitor | None,
    begin: BeginProgress,
) -> State:
    per_epoch = images.shape[0] // settings.batch_size
    total = per_epoch * settings.epochs
    log = folder / "metrics.jsonl"
    longest = min(watch.log_steps, per_epoch)
    run = make_runner(settings, longest)
    state = start(settings)
    with Checkpoints(folder / "checkpoints") as checkpoints:
        if checkpoints.latest is not None:
            state = checkpoints.restore(state)
            logging.info("training goes on from step %d", int(state.step))
        step = int(state.step)
        drop_after(log, step)
        on_device = jax.device_put(images, jax.local_devices()[0])
        saved = time.monotonic()
        order_of, order = -1, on_device
        with begin(total, step) as progress:
            while step < total:
                began = time.monotonic()
                epoch, place = divmod(step, per_epoch)
                if epoch != order_of:
                    order_of, order = epoch, epoch_order(settings, epoch, len(images))
                count = min(longest, per_epoch - place)
                state, losses = run(state, on_device, order, count)
                mean = _finite_mean(np.asarray(losses)[:count], step, per_epoch)
                step += count
                timing = _Timing(count, time.monotonic() - began)
                row = _row(settings, step, per_epoch, mean, timing)
                if monitor is not None and watch.is_due(step, per_epoch, total):
                    weights = Weights(state.params["encoder"], state.statistics)
                    row["knn_accuracy"] = round(monitor.accuracy(weights), 5)
                # The line first: a checkpoint never has steps that no line tells of.
                append_metrics(log, row)
                if step == total or time.monotonic() - saved >= watch.save_seconds:
                    checkpoints.save(step, state)
                    saved = time.monotonic()
                progress.advance(count, f"loss {mean:.3f}")
    _expect_finite(state)
    return state


def _row(
    settings: SimCLR, step: int, per_epoch: int, loss: float, timing: _Timing
) -> dict[str, Any]:
    """A line of `metrics.jsonl`: loss and speed are means since the line before."""
    epoch = (step - 1) // per_epoch
    speed = timing.steps * settings.batch_size / timing.seconds
    return {
        "step": step,
        "epoch": round(step / per_epoch, 4),
        "loss": loss,
        "learning_rate": float(learning_rate(settings, epoch)),
        "images_per_second": round(speed, 1),
    }


def _finite_mean(losses: np.ndarray, before: int, per_epoch: int) -> float:
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size:
        step = before + int(bad[0])
        raise UserError(
            f"expected a finite loss, found {losses[bad[0]]} at step {step} (epoch "
            f"{step // per_epoch}): lower config.simclr.learning_rate, or set "
            "config.simclr.dtype to float32"
        )
    return float(losses.mean())


def _expect_finite(state: State) -> None:
    for path, leaf in jax.tree_util.tree_flatten_with_path(state)[0]:
        if not np.isfinite(np.asarray(leaf)).all():
            raise UserError(
                f"expected finite weights, found NaN or inf in "
                f"{jax.tree_util.keystr(path)} after step {int(state.step)}: lower "
                "config.simclr.learning_rate"
            )

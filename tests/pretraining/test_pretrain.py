"""Training: interrupted is uninterrupted, bit for bit; finished is finished."""

import json
import pathlib
import shutil

import jax
import numpy as np
import pytest
from tiny_training import EVERY_STEP, IMAGES, LABELS, SETTINGS, Count, train

from jaxsel.errors import UserError
from jaxsel.pretraining import pretrain as job
from jaxsel.pretraining.checkpoint import Checkpoints
from jaxsel.pretraining.metrics import append_metrics, read_metrics
from jaxsel.pretraining.simclr import SimCLR, epoch_order, make_runner, start
from jaxsel.pretraining.watch import Monitor
from jaxsel.pretraining.weights import load_encoder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The folder of a training that nothing interrupted."""
    return train(tmp_path_factory.mktemp("whole"))


class Killed(BaseException):
    """What no handler in the program catches."""


class KillsAt(Count):
    """Progress that ends the process, as far as a test can, after some steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._last = steps

    def advance(self, amount: int, note: str = "") -> None:
        super().advance(amount, note)
        if self.done >= self._last:
            raise Killed


def test_killed_and_resumed_ends_with_the_same_bits(
    finished: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    for steps in (2, 10):
        with pytest.raises(Killed):
            train(tmp_path, begin=KillsAt(steps).begin)
    (folder,) = tmp_path.iterdir()
    assert not (folder / "encoder.npz").exists()
    # A line whose checkpoint was never finished is measured again, not kept.
    append_metrics(folder / "metrics.jsonl", {"step": 999, "loss": 0.0})
    count = Count()
    assert train(tmp_path, begin=count.begin) == folder
    assert count.begun == [(18, 10)]
    assert count.done == 18
    ours, theirs = load_encoder(folder)[0], load_encoder(finished)[0]
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)
    rows, expected = (read_metrics(f / "metrics.jsonl") for f in (folder, finished))
    assert [row["step"] for row in rows] == list(range(2, 19, 2))
    assert [row["loss"] for row in rows] == [row["loss"] for row in expected]


def test_the_lines_say_what_they_promise(finished: pathlib.Path) -> None:
    rows = read_metrics(finished / "metrics.jsonl")
    keys = {"step", "epoch", "loss", "learning_rate", "images_per_second"}
    assert all(row.keys() == keys for row in rows)
    assert [row["epoch"] for row in rows[2::3]] == [1, 2, 3]
    final = 0.1 * 1e-3
    by_hand = [final + (0.1 - final) * (1 + np.cos(np.pi * e / 3)) / 2 for e in (0, 1)]
    np.testing.assert_allclose(
        [rows[0]["learning_rate"], rows[3]["learning_rate"]], by_hand, rtol=1e-6
    )


def test_two_checkpoints_are_kept(finished: pathlib.Path) -> None:
    kept = {path.name for path in (finished / "checkpoints").iterdir()}
    assert kept == {"16", "18"}


def test_a_finished_encoder_is_reused(
    finished: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a finished encoder was trained again")

    monkeypatch.setattr(job, "_train", refuse)
    assert train(finished.parent) == finished
    with pytest.raises(AssertionError):
        train(finished.parent, SETTINGS._replace(temperature=0.2))


def test_a_damaged_encoder_is_refused(
    finished: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    copy = pathlib.Path(shutil.copytree(finished, tmp_path / "copy"))
    file = copy / "encoder.npz"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match=r"encoder\.npz with SHA-256"):
        load_encoder(copy)
    (copy / "manifest.json").unlink()
    with pytest.raises(UserError, match="no finished encoder"):
        load_encoder(copy)
    stated = json.loads((finished / "manifest.json").read_text())
    assert stated["steps"] == 18
    assert stated["identity"]["settings"]["batch_size"] == 4


def test_a_loss_that_is_not_finite_stops_and_says_where(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = job.make_runner

    def breaks_at_step_9(settings: SimCLR, longest: int):
        run = made(settings, longest)

        def broken(state, images, order, count):
            before = int(state.step)
            state, losses = run(state, images, order, count)
            steps = before + np.arange(count)
            return state, np.where(steps == 9, np.nan, np.asarray(losses)[:count])

        return broken

    monkeypatch.setattr(job, "make_runner", breaks_at_step_9)
    with pytest.raises(UserError, match=r"finite loss, found nan at step 9 "):
        train(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert not (folder / "encoder.npz").exists()
    with Checkpoints(folder / "checkpoints") as checkpoints:
        assert checkpoints.latest == 8
    assert [row["step"] for row in read_metrics(folder / "metrics.jsonl")][-1] == 8


def test_weights_that_blow_up_are_refused() -> None:
    state = start(SETTINGS)
    state.params["head"]["out"]["bias"] = np.full(8, np.nan, np.float32)
    with pytest.raises(UserError, match=r"found NaN or inf in .*bias"):
        job._expect_finite(state)


@pytest.mark.slow  # Half a minute of compilation.
def test_one_loop_and_single_steps_agree_and_neither_compiles_twice(caplog) -> None:
    images = jax.device_put(IMAGES, jax.devices()[0])
    ends = []
    for looped in (False, True):
        run, state = make_runner(SETTINGS, 4, looped=looped), start(SETTINGS)
        orders = [epoch_order(SETTINGS, epoch, len(IMAGES)) for epoch in (0, 1)]
        losses, compiled = [], []
        # An epoch has six steps: four, then two, and one of the next.
        for epoch, count in ((0, 4), (0, 2), (1, 1)):
            caplog.clear()
            with jax.log_compiles():
                state, found = run(state, images, orders[epoch], count)
            losses += np.asarray(found)[:count].tolist()
            compiled.append(
                sum("Compiling jit(train" in r.getMessage() for r in caplog.records)
            )
        assert compiled[1:] == [0, 0]
        assert len(set(losses)) == 7
        ends.append((losses, state))
    assert compiled[0] == 1, "of the loop, which no other test has compiled"
    # Two lowerings round differently, and steps at this rate amplify that.
    (one_by_one, _), (in_a_loop, _) = ends
    np.testing.assert_allclose(one_by_one[:4], in_a_loop[:4], rtol=1e-3)


def test_the_start_is_the_random_encoders() -> None:
    network = SETTINGS.network("conv")
    params, statistics = network.start(
        jax.random.key(SETTINGS.seed), np.zeros((1, 8, 8, 3), np.float32)
    )
    state = start(SETTINGS)
    del params["fc"]
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=0),
        (params, statistics),
        (state.params["encoder"], state.statistics),
    )


def test_features_are_measured_when_due(tmp_path: pathlib.Path) -> None:
    watch = EVERY_STEP._replace(knn_epochs=2, log_steps=6)
    monitor = Monitor(
        SETTINGS, (IMAGES, LABELS), (IMAGES[:7], LABELS[:7]), 3, k=1, batch_size=5
    )
    folder = train(tmp_path, watch=watch, monitor=monitor)
    rows = read_metrics(folder / "metrics.jsonl")
    assert [row.get("knn_accuracy") for row in rows] == [None, 1.0, 1.0], "itself"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 1}, "batch_size from 2, found 1"),
        ({"batch_size": 25}, "at least .* = 25 images"),
        ({"jitter": (0.4, 0.4, 0.4, 0.6)}, "jitter four numbers"),
        ({"scale": (0.0, 1.0)}, "scale 0 < low"),
        ({"learning_rate": float("nan")}, "learning_rate above 0, found nan"),
        ({"dtype": "float8"}, "dtype one of auto"),
    ],
)
def test_mistakes_are_refused(
    tmp_path: pathlib.Path, change: dict, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        train(tmp_path, SETTINGS._replace(**change))
    assert list(tmp_path.iterdir()) == []

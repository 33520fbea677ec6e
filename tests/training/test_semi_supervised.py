"""FlexMatch and SimMatch in miniature: what the unlabelled images are worth."""

import functools

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits

from jaxsel.errors import UserError
from jaxsel.training import FRAMEWORKS, FlexMatch, SimMatch, Task

SMALL = dict(
    depth=10, widen=1, iterations=240, eval_every=80, labelled_batch=10,
    unlabelled_ratio=3, average_decay=0.97, pad=1, flip=False, operations=1,
    mean=(0.3,), std=(0.35,), eval_batch=300,
)  # fmt: skip
SETTINGS = {
    "flexmatch": FlexMatch(**SMALL),
    "simmatch": SimMatch(**{**SMALL, "iterations": 720}, first_steps=40, projection=32),
}
LABELS = 20


@pytest.fixture(scope="module")
def task():
    digits = load_digits()
    x = (digits.images * (255 / 16)).astype(np.uint8)[..., None]
    y = digits.target.astype(np.int32)
    return Task(*map(jnp.asarray, (x[:1000], y[:1000], x[1000:1600], y[1000:1600])))


@pytest.fixture(scope="module")
def labelled(task):
    """Two of each class."""
    y = np.asarray(task.train_y)
    rows = [np.flatnonzero(y == c)[:2] for c in range(10)]
    return jnp.asarray(np.concatenate(rows), jnp.int32)


@functools.cache
def trainer(name):
    return jax.jit(FRAMEWORKS[name].make_train(SETTINGS[name], 10))


def trained(name, task, labelled):
    """A run, and beside it one whose list of labels claims to be padded."""
    sizes = jnp.array([LABELS, LABELS - 1])
    keys = jnp.stack([jax.random.key(0)] * 2)
    metrics = trainer(name)(keys, labelled[None].repeat(2, 0), sizes, task)
    assert np.isnan(metrics.accuracy[1]) and np.isnan(metrics.best_accuracy[1])
    return jax.tree.map(lambda field: field[0], metrics)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["flexmatch", "simmatch"])
def test_the_unlabelled_images_help(name, task, labelled):
    """The same program on a pool that holds copies of the labelled images alone."""
    alone = task._replace(
        train_x=jnp.tile(task.train_x[labelled], (50, 1, 1, 1)),
        train_y=jnp.tile(task.train_y[labelled], 50),
    )
    # No label beyond the picked ones is read, so a wrong one does no harm.
    hidden = jnp.full(1000, 9, jnp.int32).at[labelled].set(task.train_y[labelled])
    with_pool = trained(name, task._replace(train_y=hidden), labelled)
    without = trained(name, alone, jnp.arange(LABELS))
    assert trainer(name)._cache_size() == 1
    assert with_pool.diverged_step == without.diverged_step == -1
    assert with_pool.accuracy > without.accuracy + 0.1
    assert with_pool.accuracy > 0.7
    assert with_pool.best_accuracy >= with_pool.accuracy
    assert with_pool.per_class_accuracy.shape == (10,)


def exported(name, task, labelled, mode="map", **changes):
    settings = SETTINGS[name]._replace(**changes)
    train = FRAMEWORKS[name].make_train(settings, 10, mode)
    run = (jax.random.split(jax.random.key(0), 2), labelled[None].repeat(2, 0))
    lowered = jax.export.export(jax.jit(train), platforms=["cuda"])
    return lowered(*run, jnp.full(2, LABELS), task)


@pytest.mark.parametrize(("name", "mode"), [("flexmatch", "vmap"), ("simmatch", "map")])
def test_lowers_for_cuda(name, mode, task, labelled):
    found = exported(name, task, labelled, mode, lowering="conv", dtype="bfloat16")
    assert found.platforms == ("cuda",)
    assert [a.shape for a in found.out_avals[:3]] == [(2,), (2,), (2, 10)]
    assert "xbf16>" in found.mlir_module()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("flexmatch", {"depth": 12}, "flexmatch.depth: expected 10, 16, 22, 28"),
        ("flexmatch", {"widen": 0}, "flexmatch.widen: expected at least 1, found 0"),
        ("flexmatch", {"eval_every": 7}, "iterations: expected a multiple of eval_ev"),
        ("flexmatch", {"iterations": 80 * 10**6}, r"expected fewer than 2\^31"),
        ("flexmatch", {"cutoff": 1.0}, "cutoff: expected 0 ≤ value < 1, found 1.0"),
        ("flexmatch", {"dtype": "int8"}, "dtype: expected float32 or bfloat16"),
        ("flexmatch", {"lowering": "fft"}, "lowering: expected one of auto"),
        ("flexmatch", {"std": (0.0,)}, "std: expected one positive number"),
        ("flexmatch", {"pad": 8}, "pad: expected less than the images' side of 8"),
        ("simmatch", {"mean": (0.5,) * 3, "std": (0.5,) * 3}, "images of 3 channels"),
        ("simmatch", {"bank_norm": "l2"}, "bank_norm: expected one of vector, batch"),
        ("simmatch", {"queue": 0}, "simmatch.queue: expected at least 1, found 0"),
        ("simmatch", {"temperature": 0.0}, "temperature: expected a positive number"),
        ("simmatch", {"smoothing": 1.5}, "smoothing: expected 0 … 1, found 1.5"),
    ],
)
def test_bad_settings_are_refused(name, change, message, task, labelled):
    with pytest.raises(UserError, match=message):
        exported(name, task, labelled, **change)


def test_the_papers_settings_are_the_defaults():
    for settings in (FlexMatch(), SimMatch()):
        assert (settings.depth, settings.widen) == (28, 10)
        assert settings.iterations == 1_000_000
        assert settings.labelled_batch * settings.unlabelled_ratio == 448
        assert (settings.learning_rate, settings.weight_decay) == (0.03, 5e-4)

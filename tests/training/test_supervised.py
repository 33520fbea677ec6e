"""ResNet-18 from scratch in miniature: it learns, and replicates do not interfere."""

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits

from jaxsel.errors import UserError
from jaxsel.training import FRAMEWORKS, Metrics, Supervised, Task

FRAMEWORK = FRAMEWORKS["supervised"]
SETTINGS = Supervised(
    width=8, stem="cifar", epochs=40, min_batch=40, pad=1, flip=False,
    mean=(0.3,), std=(0.35,), learning_rate=0.05, dropout=0.2, eval_batch=200,
)  # fmt: skip


@pytest.fixture(scope="module")
def task():
    digits = load_digits()
    x = (digits.images * (255 / 16)).astype(np.uint8)[..., None]
    y = digits.target.astype(np.int32)
    return Task(*map(jnp.asarray, (x[:1000], y[:1000], x[1000:], y[1000:])))


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    indices = np.zeros((2, 40), np.int32)
    sizes = np.array([40, 30], np.int32)
    for row, size in zip(indices, sizes, strict=True):
        row[:size] = rng.choice(1000, size, replace=False)
    return (
        jax.random.split(jax.random.key(0), 2),
        jnp.asarray(indices),
        jnp.asarray(sizes),
    )


@pytest.fixture(scope="module")
def train():
    return jax.jit(FRAMEWORK.make_train(SETTINGS, 10))


@pytest.fixture(scope="module")
def together(train, runs, task):
    return train(*runs, task)


def test_learns_digits_from_forty_labels(together):
    """Chance is .1; a wrong loss, shuffled labels or a dead network stay there."""
    assert (np.asarray(together.accuracy) > 0.45).all()
    assert (np.asarray(together.final_train_loss) < 0.7).all()
    assert together.diverged_step.tolist() == [-1, -1]
    assert np.isfinite(together.loss).all()


def test_a_run_does_not_depend_on_its_neighbour(train, together, runs, task):
    keys, indices, sizes = runs
    beside_another = train(keys[jnp.array([1, 1])], indices[::-1], sizes[::-1], task)
    for name, x, y in zip(Metrics._fields, beside_another, together, strict=True):
        np.testing.assert_allclose(x[0], y[1], rtol=1e-4, atol=1e-4, err_msg=name)
    assert train._cache_size() == 1


def traced(settings, runs, task, mode="auto"):
    train = FRAMEWORK.make_train(settings, 10, mode)
    return jax.eval_shape(train, *runs, task)


@pytest.mark.parametrize(
    "crop",
    ["resized", *(pytest.param(c, marks=pytest.mark.slow) for c in ("pad", "none"))],
)
def test_crops_and_reference_evaluation_trace(crop, runs, task):
    settings = SETTINGS._replace(crop=crop, reference_eval=True, flip=True)
    metrics = traced(settings, runs, task, "vmap")
    assert metrics.accuracy.shape == (2,)
    assert metrics.per_class_accuracy.shape == (2, 10)
    assert metrics.diverged_step.dtype == jnp.int32


@pytest.mark.parametrize(("lowering", "mode"), [("conv", "vmap"), ("matmul", "map")])
def test_lowers_for_cuda(lowering, mode, runs, task):
    train = FRAMEWORK.make_train(SETTINGS._replace(lowering=lowering), 10, mode)
    exported = jax.export.export(jax.jit(train), platforms=["cuda"])(
        *(jax.random.wrap_key_data(jax.random.key_data(runs[0])), *runs[1:]), task
    )
    assert exported.platforms == ("cuda",)
    assert ("stablehlo.convolution" in exported.mlir_module()) == (lowering == "conv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop": "center"}, "crop: expected one of pad, resized, none"),
        ({"stem": "big"}, "stem: expected one of reference, cifar, tiny"),
        ({"lowering": "fft"}, "lowering: expected one of auto, matmul, conv"),
        ({"epochs": 0}, "epochs: expected at least 1, found 0"),
        ({"dropout": 1.0}, "dropout: expected a probability"),
        ({"scale": (0.5, 1.5)}, "scale: expected 0 < smallest"),
        ({"std": (0.0,)}, "std: expected one positive number for each"),
        ({"mean": (0.5,) * 3, "std": (0.5,) * 3}, "expected images with 3 channels"),
    ],
)
def test_bad_settings_are_refused(change, message, runs, task):
    with pytest.raises(UserError, match=message):
        traced(SETTINGS._replace(**change), runs, task)

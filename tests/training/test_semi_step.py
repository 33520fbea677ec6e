"""One semi-supervised step by hand: which views the loss sees, and what it moves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.training import FlexMatch, semi_step
from jaxsel.training.evaluate import Score
from jaxsel.training.semi_step import Batch, Carry, SemiLearner, optimiser_of, take_step

SETTINGS = FlexMatch(
    learning_rate=0.5, iterations=10, momentum=0.9, weight_decay=0.1,
    average_decay=0.75, pad=2, flip=True, operations=3, mean=(0.0,), std=(1.0,),
)  # fmt: skip
KEYS = jax.random.split(jax.random.key(5), 2)
SCORE = Score(jnp.float32(0.25), jnp.float32(1.5), jnp.full(2, 0.5))
RNG = np.random.default_rng(0)
LABELLED = RNG.integers(0, 256, (6, 5, 7, 1), np.uint8)
UNLABELLED = RNG.integers(0, 256, (18, 5, 7, 1), np.uint8)


def learner_of(loss_of):
    """A method with a loss of its weights alone, which remembers what it was shown."""

    def forward(params, state, x):
        return (x, loss_of(params) * jnp.ones(len(x))), state + 1

    def loss(memory, labelled, weak, strong, batch):
        seen = (labelled[0], weak[0], strong[0])
        return labelled[1].mean(), jax.lax.stop_gradient((*seen, batch.step))

    return SemiLearner(None, forward, None, None, loss)  # type: ignore[arg-type]


def carry_of(params, average, step=0):
    return Carry(
        jnp.int32(step), params, average, jnp.int32(0),
        optimiser_of(SETTINGS).init(params), None, jnp.float32(jnp.nan),
        jnp.int32(-1), jnp.float32(0.5), SCORE,
    )  # fmt: skip


def stepped(carry, loss_of, settings=SETTINGS, images=(LABELLED, UNLABELLED)):
    batch = Batch(carry.step, *(jnp.arange(2, dtype=jnp.int32),) * 3)
    images = tuple(map(jnp.asarray, images))
    return take_step(carry, KEYS, batch, images, learner_of(loss_of), settings)


@pytest.fixture
def negative(monkeypatch):
    """Distortions that can be undone: the image's negative. Returns what they got."""
    calls = []

    def fake(key, images, *, count):
        calls.append((key, count))
        return 255 - images

    monkeypatch.setattr(semi_step, "rand_augment", fake)
    return calls


def shift_of(image, view, pad=2):
    """The shift and mirror by which a view comes of an image; None if it does not."""
    height, width = image.shape[:2]
    canvas = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    for top in range(2 * pad + 1):
        for left in range(2 * pad + 1):
            window = canvas[top : top + height, left : left + width]
            for mirrored in (False, True):
                if np.array_equal(window[:, ::-1] if mirrored else window, view):
                    return top - pad, left - pad, mirrored
    return None


def test_weak_views_are_shifted_and_strong_ones_are_those_distorted(negative):
    ones = {"kernel": jnp.ones((1, 1))}
    end = stepped(carry_of(ones, ones), lambda p: p["kernel"].sum())
    *views, step = end.memory
    labelled, weak, strong = (np.rint(255 * np.asarray(view)) for view in views)
    shifts = [
        [shift_of(image, view) for image, view in zip(images, found, strict=True)]
        for images, found in (
            (LABELLED, labelled),
            (UNLABELLED, weak),
            (UNLABELLED, 255 - strong),
        )
    ]
    for found in shifts:
        assert None not in found
        # Not the raw images: one in 50 is by chance, and views differ.
        assert len(set(found)) > len(found) / 2
        assert {mirrored for _, _, mirrored in found} == {False, True}
    # Drawn for themselves: what is distorted is not the weak view beside it.
    same = [a == b for a, b in zip(shifts[1], shifts[2], strict=True)]
    assert np.mean(same) < 0.5
    ((key, count),) = negative
    assert jnp.all(key == KEYS[1]) and count == SETTINGS.operations
    assert step == 0


def test_an_update_by_hand(negative):
    """Nesterov's step with a penalty on kernels alone, then the moving average."""
    params = {"kernel": jnp.full((1, 1), 2.0), "bias": jnp.full(1, 2.0)}
    average = jax.tree.map(lambda leaf: 10 * leaf, params)
    end = carry_of(params, average)
    rate = lambda t: 0.5 * np.cos(7 * np.pi * t / 160)  # noqa: E731
    by_hand = {name: [2.0, 0.0, 20.0] for name in params}  # weight, velocity, average
    for t in range(3):
        end = stepped(end, lambda p: 3 * p["kernel"].sum() + 3 * p["bias"].sum())
        for name, (weight, velocity, kept) in by_hand.items():
            gradient = 3.0 + 0.1 * weight * (name == "kernel")
            velocity = 0.9 * velocity + gradient
            weight -= rate(t) * (gradient + 0.9 * velocity)
            by_hand[name] = [weight, velocity, 0.75 * kept + 0.25 * weight]
    for name, (weight, _, kept) in by_hand.items():
        assert end.params[name].item() == pytest.approx(weight, rel=1e-5)
        assert end.average[name].item() == pytest.approx(kept, rel=1e-5)
    assert (end.step, end.state) == (3, 3)
    assert end.score is SCORE and end.best == 0.5


def test_the_first_step_that_is_not_finite_is_kept(negative):
    one = {"kernel": jnp.ones((1, 1))}
    losses = [1.0, jnp.inf, 1.0, jnp.nan]
    end = carry_of(one, one)
    diverged = []
    for factor in losses:
        end = stepped(end, lambda p, factor=factor: factor + 0 * p["kernel"].sum())
        diverged.append(int(end.diverged_step))
    assert diverged == [-1, 1, 1, 1]
    assert np.isnan(end.loss)  # of the last step

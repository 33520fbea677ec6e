"""SimCLR: the settings, the state, and one step of training."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxsel.augment.views import ViewSettings, simclr_views
from jaxsel.models.conv import default_lowering
from jaxsel.models.initialise import deal_parameters, identity_statistics
from jaxsel.models.projection import ProjectionHead
from jaxsel.models.resnet import ResNet18
from jaxsel.pretraining.simclr_loss import simclr_loss

DTYPES = ("auto", "float32", "bfloat16")

# Images are convolved in this type; parameters and statistics are float32 everywhere.
_DTYPE_BY_BACKEND = {"gpu": "bfloat16"}


class SimCLR(NamedTuple):
    """Everything that determines an encoder but the images and the hardware.

    The defaults are the paper's for CIFAR: arXiv 2406.01086, which trains as SCAN does.

    Attributes:
      width: channels of the first stage; the features have `8·width` numbers.
      stem: of the network; see `ResNet18`.
      mean: of the pixels in 0 … 1, a number a channel, subtracted first.
      std: of the pixels in 0 … 1, a number a channel, divided by.
      seed: of the start, the order of images and the views.
      epochs: passes over the images.
      batch_size: images a step, two views each; the rest of an epoch is dropped.
      learning_rate: of the first epoch.
      final_share: the share of it that the cosine ends at.
      momentum: of the velocity, without Nesterov.
      weight_decay: of every parameter, coupled.
      temperature: of the loss.
      symmetric: whether both views are anchors of the loss.
      projection: numbers that the loss sees.
      scale: smallest and largest share of the area that a view shows.
      flip: whether half of the views are mirrored.
      jitter: strength of brightness, contrast, saturation and hue.
      jitter_probability: of a view to be jittered.
      grayscale_probability: of a view to lose its colours.
      dtype: what images are convolved in; `"auto"` is bfloat16 on a GPU and float32
        elsewhere.
    """

    width: int = 64
    stem: str = "cifar"
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)
    seed: int = 0
    epochs: int = 500
    batch_size: int = 512
    learning_rate: float = 0.4
    final_share: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 1e-4
    temperature: float = 0.1
    symmetric: bool = False
    projection: int = 128
    scale: tuple[float, float] = (0.2, 1.0)
    flip: bool = True
    jitter: tuple[float, float, float, float] = (0.4, 0.4, 0.4, 0.1)
    jitter_probability: float = 0.8
    grayscale_probability: float = 0.2
    dtype: str = "auto"

    @property
    def views(self) -> ViewSettings:
        return ViewSettings(
            scale=self.scale,
            flip=self.flip,
            jitter=self.jitter,
            jitter_probability=self.jitter_probability,
            grayscale_probability=self.grayscale_probability,
            mean=self.mean,
            std=self.std,
        )

    def network(self, lowering: str) -> ResNet18:
        """The encoder; its last, linear layer is not used."""
        return ResNet18(
            num_classes=1,
            width=self.width,
            stem=self.stem,
            dropout=0.0,
            lowering=lowering,
        )


class State(NamedTuple):
    """What a step changes.

    Attributes:
      params: `{"encoder": …, "head": …}`, float32.
      statistics: running means and variances of the encoder, float32.
      velocity: in the tree of `params`.
      step: int32, steps done.
    """

    params: Any
    statistics: Any
    velocity: Any
    step: Array


def resolved_dtype(settings: SimCLR, backend: str | None = None) -> str:
    """The type of the images in the network on a backend.

    Example:
      >>> resolved_dtype(SimCLR(), "gpu"), resolved_dtype(SimCLR(), "cpu")
      ('bfloat16', 'float32')
    """
    if settings.dtype != "auto":
        return settings.dtype
    return _DTYPE_BY_BACKEND.get(backend or jax.default_backend(), "float32")


def start(settings: SimCLR) -> State:
    """The state before the first step.

    The encoder's parameters are those of the random encoder with the same seed.
    """
    network, head = settings.network("conv"), ProjectionHead(settings.projection)

    def shapes() -> tuple[Any, Any]:
        images = jnp.zeros((1, 32, 32, len(settings.mean)))
        encoder = network.init(jax.random.key(0), images)
        embedded = jnp.zeros((1, 8 * settings.width))
        return encoder, head.init(jax.random.key(0), embedded)

    encoder, head_variables = jax.eval_shape(shapes)
    kept = {name: v for name, v in encoder["params"].items() if name != "fc"}
    tree = {"encoder": kept, "head": head_variables["params"]}
    params = deal_parameters(jax.random.key(settings.seed), tree)
    statistics = identity_statistics(encoder["batch_stats"])
    velocity = jax.tree.map(jnp.zeros_like, params)
    state = State(params, statistics, velocity, jnp.int32(0))
    # On a device by name, as restored arrays are: else the step compiles twice.
    return jax.device_put(state, jax.local_devices()[0])


def learning_rate(settings: SimCLR, epoch: Array | int) -> Array:
    """`f + (lr − f) · ½ · (1 + cos(π epoch / epochs))` with `f = lr · final_share`.

    Example:
      >>> settings = SimCLR(epochs=500)
      >>> [round(float(learning_rate(settings, e)), 6) for e in (0, 250, 500)]
      [0.4, 0.2002, 0.0004]

    Source: SCAN's `adjust_learning_rate`, one value an epoch.
    """
    final = settings.learning_rate * settings.final_share
    wave = 0.5 * (1 + jnp.cos(jnp.pi * epoch / settings.epochs))
    return final + (settings.learning_rate - final) * wave


def loss_of(
    params: Any,
    statistics: Any,
    views: tuple[Array, Array],
    settings: SimCLR,
    lowering: str,
) -> tuple[Array, Any]:
    """Loss of two views, normalised jointly, and the moved statistics.

    Args:
      params: as in `State`.
      statistics: as in `State`.
      views: two float `[b, h, w, c]`.
      settings: of the network and the loss.
      lowering: of the convolutions.

    Returns:
      `(float32 scalar, statistics)`.
    """
    images = jnp.concatenate(views).astype(resolved_dtype(settings))
    embedded, updated = settings.network(lowering).apply(
        {"params": params["encoder"], "batch_stats": statistics},
        images,
        train=True,
        mutable=["batch_stats"],
        method="features",
    )
    head = ProjectionHead(settings.projection)
    projected = cast(Array, head.apply({"params": params["head"]}, embedded))
    first, second = jnp.split(projected, 2)
    loss = simclr_loss(
        first,
        second,
        temperature=settings.temperature,
        symmetric=settings.symmetric,
    )
    return loss, updated["batch_stats"]


def train_step(
    state: State, images: Array, order: Array, settings: SimCLR, lowering: str
) -> tuple[State, Array]:
    """One update on the next batch of an epoch.

    With gradient `g` at the weights `w`: `v = momentum·v + g + weight_decay·w`, then
    `w = w − lr·v`. All randomness is a function of `(seed, step)`, so that a step is
    the same in whichever process it is done.

    Args:
      state: before the step.
      images: uint8 `[n, h, w, c]`, the whole training set.
      order: int32 `[n]`, the epoch's permutation.
      settings: of the training.
      lowering: of the convolutions.

    Returns:
      The state after it, and the loss before it.
    """
    steps_per_epoch = images.shape[0] // settings.batch_size
    epoch, place = jnp.divmod(state.step, steps_per_epoch)
    rows = lax.dynamic_slice_in_dim(
        order, place * settings.batch_size, settings.batch_size
    )
    key = jax.random.fold_in(_key(settings, "views"), state.step)
    views = simclr_views(key, images[rows], settings.views)
    (loss, statistics), gradient = jax.value_and_grad(loss_of, has_aux=True)(
        state.params, state.statistics, views, settings, lowering
    )
    velocity = jax.tree.map(
        lambda v, g, w: settings.momentum * v + g + settings.weight_decay * w,
        state.velocity,
        gradient,
        state.params,
    )
    rate = learning_rate(settings, epoch)
    params = jax.tree.map(lambda w, v: w - rate * v, state.params, velocity)
    return State(params, statistics, velocity, state.step + 1), loss


def epoch_order(settings: SimCLR, epoch: int, n: int) -> Array:
    """The permutation of an epoch, int32 `[n]`."""
    key = jax.random.fold_in(_key(settings, "order"), epoch)
    return jax.random.permutation(key, n)


def _key(settings: SimCLR, purpose: str) -> Array:
    # Folded, as the start has the seed's own key: that of the random encoder.
    key_order, key_views = jax.random.split(
        jax.random.fold_in(jax.random.key(settings.seed), 1)
    )
    return {"order": key_order, "views": key_views}[purpose]


Runner = Callable[[State, Array, Array, int], tuple[State, Array]]


@functools.lru_cache(maxsize=8)
def make_runner(
    settings: SimCLR, longest: int, *, looped: bool | None = None
) -> Runner:
    """The program that makes several steps within an epoch.

    On an accelerator the steps are one loop inside one program, so that the host is
    out of the way. On a CPU they are one program each, because XLA's convolutions have
    no threads inside a loop there (`jaxsel.models.conv`).

    Args:
      settings: of the training.
      longest: most steps a call makes.
      looped: whether to loop inside the program; None is by backend.

    Returns:
      `run(state, images, order, count)`: the state after `count` steps, and float32
      `[longest]` losses of which the first `count` are meant. The number is not part
      of the program: other counts do not compile again.
    """
    if looped is None:
        looped = jax.default_backend() != "cpu"
    lowering = default_lowering(looped=looped)

    if not looped:

        @jax.jit
        def train_one(state: State, images: Array, order: Array) -> tuple[State, Array]:
            return train_step(state, images, order, settings, lowering)

        def run_one_by_one(
            state: State, images: Array, order: Array, count: int
        ) -> tuple[State, Array]:
            losses = []
            for _ in range(count):
                state, loss = train_one(state, images, order)
                losses.append(loss)
            return state, jnp.stack(losses)

        return run_one_by_one

    @jax.jit
    def train_many(
        state: State, images: Array, order: Array, count: Array
    ) -> tuple[State, Array]:
        def body(i: Array, carry: tuple[State, Array]) -> tuple[State, Array]:
            state, losses = carry
            state, loss = train_step(state, images, order, settings, lowering)
            return state, losses.at[i].set(loss)

        return lax.fori_loop(0, count, body, (state, jnp.zeros(longest)))

    return lambda state, images, order, count: train_many(
        state, images, order, jnp.int32(count)
    )

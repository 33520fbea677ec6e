"""ResNet-18 against numbers from the PyTorch reference."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsel.models.resnet import ResNet18
from jaxsel.training.optimiser import nesterov_sgd
from jaxsel.training.schedule import cosine_per_epoch
from tests.models import torch_weights as torch

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not torch.GOLDEN.exists(), reason="no ../shared folder"),
]

NAME = "c01_typiclust_resnet18"
EVAL, TRAIN, BUFFERS, GRADIENTS = 5e-6, 2e-5, 2e-6, 5e-5


@pytest.fixture(scope="module")
def golden():
    return np.load(torch.GOLDEN / f"{NAME}.npz")


@pytest.fixture(scope="module")
def network():
    return ResNet18(num_classes=10, dropout=0.0)


@pytest.fixture(scope="module")
def variables():
    return torch.our_variables(torch.stated_parameters(NAME))


@pytest.fixture(scope="module")
def trajectory(network, variables, golden):
    """Loss, features, gradient and state before each of four updates, and the end."""
    x = jnp.asarray(torch.stated_input(101, 11, (8, 3, 32, 32)))
    y = jnp.asarray(golden["train_labels"])
    optimiser = nesterov_sgd(
        cosine_per_epoch(0.025, 200, 1), momentum=0.9, weight_decay=3e-4
    )

    def loss_of(params, state):
        logits, state = network.forward(jax.random.key(0), params, state, x)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
        return losses.mean(), (state, logits)

    @jax.jit
    def step(params, state, momentum):
        (loss, (state, logits)), gradient = jax.value_and_grad(loss_of, has_aux=True)(
            params, state
        )
        update, momentum = optimiser.update(gradient, momentum, params)
        params = optax.apply_updates(params, update)
        return (params, state, momentum), (loss, logits, gradient, state)

    params = jax.tree.map(jnp.asarray, variables["params"])
    state = jax.tree.map(jnp.asarray, variables["batch_stats"])
    carry, seen = (params, state, optimiser.init(params)), []
    for _ in range(4):
        carry, info = step(*carry)
        seen.append(info)
    return carry, seen


def error(found, expected):
    expected = np.asarray(expected)
    return np.abs(np.asarray(found) - expected).max() / np.abs(expected).max()


def test_evaluation(network, variables, golden):
    x = jnp.asarray(torch.stated_input(101, 0, (4, 3, 32, 32)))
    features = jax.jit(network.embed)(*variables.values(), x)
    logits = features @ variables["params"]["fc"]["kernel"]
    assert error(features, golden["eval_features"]) < EVAL
    found = logits + variables["params"]["fc"]["bias"]
    assert error(found, golden["eval_logits"]) < EVAL


def test_first_step(trajectory, golden):
    loss, logits, gradient, state = trajectory[1][0]
    assert error(loss, golden["train_loss"]) < TRAIN
    assert error(logits, golden["train_logits"]) < TRAIN
    for name, norm in zip(golden["param_names"], golden["grad_norms"], strict=True):
        found = torch.look_up(gradient, torch.our_path(str(name))[1])
        assert abs(np.linalg.norm(found) / norm - 1) < GRADIENTS, name
    for key in golden.files:
        kind, _, name = key.partition("/")
        if key.endswith("_f64") or name == "":
            continue
        if kind == "grad":
            found = torch.look_up(gradient, torch.our_path(name)[1])
            assert error(found, torch.to_ours(golden[key])) < GRADIENTS, name
        if kind == "buf":
            found = torch.look_up(state, torch.our_path(name)[1])
            assert error(found, golden[key]) < BUFFERS, name


def test_four_updates(network, trajectory, golden):
    (params, state, _), seen = trajectory
    assert error([info[0] for info in seen], golden["traj_loss"]) < 1e-4
    for name, norm in zip(
        golden["param_names"], golden["traj_param_norms"], strict=True
    ):
        found = torch.look_up(params, torch.our_path(str(name))[1])
        assert abs(np.linalg.norm(found) / norm - 1) < 5e-3, name
    for key in golden.files:
        kind, _, name = key.partition("/")
        if key.endswith("_f64") or kind not in ("traj_param", "traj_buf"):
            continue
        tree = params if kind == "traj_param" else state
        found = torch.look_up(tree, torch.our_path(name)[1])
        assert error(found, torch.to_ours(golden[key])) < 5e-3, name
    x = jnp.asarray(torch.stated_input(101, 0, (4, 3, 32, 32)))
    logits = jax.jit(network.predict)(params, state, x)
    assert error(logits, golden["traj_eval_logits"]) < 5e-3


@pytest.mark.parametrize(
    ("stem", "name", "seed", "shape", "key"),
    [
        ("cifar", "c02_simclr_cifar", 102, (4, 3, 32, 32), "eval_features"),
        ("tiny", "c02_simclr_tiny", 1020, (2, 3, 64, 64), "tiny_eval_features"),
    ],
)
def test_self_supervised_backbones(stem, name, seed, shape, key):
    expected = np.load(torch.GOLDEN / "c02_simclr.npz")[key]
    variables = torch.our_variables(torch.stated_parameters(name))
    network = ResNet18(num_classes=1, stem=stem)
    x = jnp.asarray(torch.stated_input(seed, 0, shape))
    features = jax.jit(network.embed)(*variables.values(), x)
    assert error(features, expected) < EVAL

"""WideResNet: against numbers from the PyTorch reference, shapes, start."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsel.models.wide_resnet import WideResNet
from tests.models import torch_weights as torch

NORMS = {"running_mean": "mean", "running_var": "var", "weight": "scale"}


def our_path(name: str) -> tuple[str, tuple[str, ...]] | None:
    """`("params" | "batch_stats", path)`; None for the normalisation without effect."""
    *modules, leaf = name.split(".")
    kind = "batch_stats" if leaf.startswith("running") else "params"
    if modules[0] == "classifier":
        return kind, ("fc", {"weight": "kernel"}.get(leaf, leaf))
    if modules[0] == "conv1":
        return kind, ("stem_conv", {"weight": "kernel"}.get(leaf, leaf))
    if modules[0] == "bn1":
        return kind, ("last_bn", NORMS.get(leaf, leaf))
    stage, block, layer = modules[0][-1], int(modules[2]), modules[3]
    if stage != "1" and block == 0 and layer == "bn1":
        return None
    names = {"weight": "kernel"} if "conv" in layer else NORMS
    layer = layer.replace("convShortcut", "shortcut_conv")
    return kind, (f"stage{stage}_block{block + 1}", layer, names.get(leaf, leaf))


def our_variables(tensors):
    variables = {"params": {}, "batch_stats": {}}
    for name, tensor in tensors.items():
        place = our_path(name)
        if place is None:
            continue
        tree = variables[place[0]]
        for part in place[1][:-1]:
            tree = tree.setdefault(part, {})
        tree[place[1][-1]] = jnp.asarray(torch.to_ours(tensor))
    return variables["params"], variables["batch_stats"]


def error(found, expected):
    expected = np.asarray(expected)
    return np.abs(np.asarray(found) - expected).max() / np.abs(expected).max()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "depth", "widen", "seed", "number"),
    [("c03_wrn10_1", 10, 1, 1031, 24), ("c03_wrn28_2", 28, 2, 1032, 32)],
)
def test_the_reference(shared, name, depth, widen, seed, number):
    """Evaluation in float32; a training step in float64.

    In float32 a pre-activation of WRN-28-2 can fall on the other side of zero, which
    moves gradients by 3e-4.
    """
    golden = np.load(shared / "golden" / "training" / f"{name}.npz")
    params, state = our_variables(torch.stated_parameters(name))
    network = WideResNet(num_classes=10, depth=depth, widen=widen)

    x = jnp.asarray(torch.stated_input(seed, 0, (4, 3, 32, 32)))
    features = jax.jit(network.embed)(params, state, x)
    assert error(features, golden["eval_features"]) < 5e-6
    logits = features @ params["fc"]["kernel"] + params["fc"]["bias"]
    assert error(logits, golden["eval_logits"]) < 5e-6

    x = torch.stated_input(seed, number, (8, 3, 32, 32))
    with jax.enable_x64(True):
        wide = functools.partial(jnp.asarray, dtype=jnp.float64)
        params, state = jax.tree.map(wide, (params, state))
        check_step(network, params, state, wide(x), golden)


def check_step(network, params, state, x, golden):
    y = jnp.asarray(golden["train_labels"])

    @jax.jit
    def step(params, state):
        def loss_of(params):
            outputs, moved = network.forward(params, state, x)
            losses = optax.softmax_cross_entropy_with_integer_labels(outputs[0], y)
            return losses.mean(), (outputs, moved)

        return jax.value_and_grad(loss_of, has_aux=True)(params)

    (loss, ((logits, features), moved)), gradient = step(params, state)
    assert error(loss, golden["train_loss_f64"]) < 1e-11
    assert error(logits, golden["train_logits_f64"]) < 1e-11
    assert error(features, golden["train_features_f64"]) < 1e-11
    for name, norm, without in zip(
        golden["param_names"],
        golden["grad_norms_f64"],
        golden["param_without_gradient"],
        strict=True,
    ):
        place = our_path(str(name))
        assert (place is None) == bool(without), name
        if place is not None:
            found = np.linalg.norm(torch.look_up(gradient, place[1]))
            assert abs(found - norm) < 1e-10, name
    for key in golden.files:
        kind, _, name = key.removesuffix("_f64").partition("/")
        place = our_path(name) if name and key.endswith("_f64") else None
        if place is not None:
            tree = gradient if kind == "grad" else moved
            found, expected = torch.look_up(tree, place[1]), torch.to_ours(golden[key])
            # In absolute terms: a bias before a normalisation has no gradient.
            assert np.abs(found - expected).max() < 1e-10, key


@pytest.mark.parametrize(
    ("widen", "millions"), [(2, 1.47), (8, 23.4), (10, 36.5)]
)  # Published: 1.5 and 36.5 million for 28-2 and 28-10.
def test_sizes_of_the_published_networks(widen, millions):
    network = WideResNet(num_classes=10, widen=widen)
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))
    assert count / 1e6 == pytest.approx(millions, abs=0.05)


def test_start_has_the_tree_of_linen_init_and_its_distributions():
    network, x = WideResNet(num_classes=90, depth=10, widen=2), jnp.zeros((1, 8, 8, 3))
    params, state = network.start(jax.random.key(0), x)
    shapes = jax.eval_shape(network.init, jax.random.key(0), x)
    found = jax.tree.map(jnp.shape, {"params": params, "batch_stats": state})
    assert found == jax.tree.map(jnp.shape, dict(shapes))
    kernel = np.asarray(params["stage3_block1"]["conv2"]["kernel"])
    assert abs(kernel.std() / (2 / (9 * 128)) ** 0.5 - 1) < 0.05
    fc = params["fc"]
    assert abs(np.asarray(fc["kernel"]).std() / (2 / 218) ** 0.5 - 1) < 0.05
    assert not np.asarray(fc["bias"]).any()
    assert not np.asarray(params["stem_conv"]["bias"]).any()


@pytest.mark.parametrize("wrong", [{"depth": 20}, {"depth": 4}, {"widen": 0}])
def test_a_shape_that_is_none_is_refused(wrong):
    field = next(iter(wrong))
    with pytest.raises(ValueError, match=rf"{field}: expected .*, found"):
        WideResNet(10, **wrong).init(jax.random.key(0), jnp.zeros((1, 8, 8, 3)))

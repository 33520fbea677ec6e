"""The vision transformer against a float64 forward from the definition."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from jaxsel.models.vit import ViT, interpolation_weights

TINY = ViT(patch=2, dim=12, depth=2, heads=3, grid=3)


def error(found, expected) -> float:
    return float(np.abs(np.asarray(found) - expected).max() / np.abs(expected).max())


def layer_norm(x, p):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * p["scale"] + p["bias"]


def dense(x, p):
    return x @ p["kernel"] + p["bias"]


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def cubic_at(table: np.ndarray, y: float, x: float) -> np.ndarray:
    """Keys' interpolation of `[g, g, d]` at a point, tap by tap, edges clamped."""

    def kernel(t: float, a: float = -0.75) -> float:
        t = abs(t)
        if t < 1:
            return (a + 2) * t**3 - (a + 3) * t**2 + 1
        return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0

    last, total = len(table) - 1, np.zeros(table.shape[-1])
    for i in range(int(np.floor(y)) - 1, int(np.floor(y)) + 3):
        for j in range(int(np.floor(x)) - 1, int(np.floor(x)) + 3):
            value = table[np.clip(i, 0, last), np.clip(j, 0, last)]
            total += kernel(y - i) * kernel(x - j) * value
    return total


def forward_in_float64(network: ViT, params, image: np.ndarray) -> np.ndarray:
    """The class token of one image `[h, w, 3]`, head by head, patch by patch."""
    p, g, side = params, network.grid, network.patch
    rows, columns = image.shape[0] // side, image.shape[1] // side
    table = p["pos_embed"][1:].reshape(g, g, -1)
    x = [p["cls_token"] + p["pos_embed"][0]]
    for i in range(rows):
        for j in range(columns):
            patch = image[i * side : (i + 1) * side, j * side : (j + 1) * side]
            y = (i + 0.5) * g / (rows + 0.1) - 0.5
            z = (j + 0.5) * g / (columns + 0.1) - 0.5
            place = table[i, j] if rows == columns == g else cubic_at(table, y, z)
            x.append(dense(patch.reshape(-1), p["patch_embed"]) + place)
    x = np.array(x)
    d = network.dim // network.heads
    for b in range(network.depth):
        q = p[f"block{b + 1}"]
        qkv = dense(layer_norm(x, q["norm1"]), q["qkv"])
        mixed = []
        for h in range(network.heads):
            query, key, value = (
                qkv[:, part * network.dim + h * d :][:, :d] for part in range(3)
            )
            mixed.append(softmax(query @ key.T / np.sqrt(d)) @ value)
        x = x + dense(np.concatenate(mixed, axis=1), q["proj"])
        hidden = dense(layer_norm(x, q["norm2"]), q["fc1"])
        hidden = hidden * 0.5 * (1 + erf(hidden / np.sqrt(2)))
        x = x + dense(hidden, q["fc2"])
    return layer_norm(x, p["norm"])[0]


@pytest.mark.parametrize("shape", [(6, 6), (4, 10), (2, 8)])
def test_a_float64_forward_from_the_definition(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    params = TINY.start(jax.random.key(0))
    params = jax.tree.map(lambda x: rng.normal(0.3, 0.4, x.shape), params)
    images = rng.normal(size=(2, *shape, 3))
    chex.clear_trace_counter()
    embed = jax.jit(chex.assert_max_traces(TINY.embed, n=1))
    found = embed(
        jax.tree.map(jnp.float32, params), jnp.asarray(images, dtype=jnp.float32)
    )
    expected = np.array([forward_in_float64(TINY, params, x) for x in images])
    assert error(found, expected) < 1e-5
    embed(jax.tree.map(jnp.float32, params), jnp.zeros((2, *shape, 3)))


def test_the_start_is_the_references() -> None:
    params = ViT(dim=96, depth=1, grid=2).start(jax.random.key(3))
    kernel = np.asarray(params["block1"]["fc1"]["kernel"])
    assert abs(kernel.std() / 0.02 - 1) < 0.02
    assert abs(np.corrcoef(kernel[:, 0], kernel[:, 1])[0, 1]) < 0.2
    assert len(np.unique(kernel)) > 0.9 * kernel.size
    assert (params["norm"]["scale"] == 1).all()
    assert not np.asarray(params["block1"]["qkv"]["bias"]).any()
    drawn = jax.eval_shape(TINY.init, jax.random.key(0), jnp.zeros((1, 6, 6, 3)))
    started = jax.eval_shape(TINY.start, jax.random.key(0))
    chex.assert_trees_all_equal_shapes_and_dtypes(started, drawn["params"])
    other = ViT(dim=96, depth=1, grid=2).start(jax.random.key(4))
    assert not np.allclose(other["cls_token"], params["cls_token"])


def test_the_size_is_the_published_one() -> None:
    shapes = jax.eval_shape(ViT().start, jax.random.key(0))
    assert sum(x.size for x in jax.tree.leaves(shapes)) == 21_665_664


def test_weights_of_an_interpolation() -> None:
    weights = interpolation_weights(14, 6)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)
    assert (np.count_nonzero(weights, axis=1) <= 4).all()


def test_what_does_not_fit_is_refused() -> None:
    params = TINY.start(jax.random.key(0))
    with pytest.raises(ValueError, match=r"multiples of 2, found 5 x 6"):
        TINY.embed(params, jnp.zeros((1, 5, 6, 3)))
    with pytest.raises(ValueError, match=r"divisor of dim = 12, found 5"):
        ViT(dim=12, heads=5).start(jax.random.key(0))

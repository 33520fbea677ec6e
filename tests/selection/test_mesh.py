"""Picks from rows that 8 devices share: the same, and nothing large is sent."""

import json
import pathlib

import jax
import numpy as np
import pytest
from processes import alone

import jaxsel
from jaxsel.selection.sharded.door import drawn_order

WORKER = pathlib.Path(__file__).with_name("mesh_worker.py")


def on_devices(cases: list[dict]) -> list[dict]:
    """What `mesh_worker.py` says of cases, on 8 virtual devices of this machine."""
    given = {"labelled": 0, "devices": 8, "options": {}}
    said = alone([str(WORKER), json.dumps([{**given, **case} for case in cases])])
    return [json.loads(line) for line in said]


def check(cases: list[dict], found: list[dict]) -> None:
    assert len(found) == len(cases)
    for case, said in zip(cases, found, strict=True):
        assert said["mesh"] == said["one"], case
        assert len(set(said["mesh"])) == case["budget"], case
        assert said["gains_apart"] < 1e-5, case
        assert said["info"], case
        devices = case.get("devices", 8)
        assert said["devices"] == devices
        assert said["shares"] == [-(-case["n"] // devices)]


def a_share_or_a_block(n: int, d: int) -> int:
    """Bytes that a collective may move: a device's share, 4096 rows, or 3 values a row.

    Whole tiles and what goes with a row may make it a tenth more.
    """
    return int(1.1 * max(4 * d * (n // 8), 4 * (d + 1) * 4096, 3 * 4 * n))


QUICK = [
    {"method": method, "n": 20_011, "d": 32, "budget": 6}
    for method in ("random", "norm", "gram_schmidt", "k_center")
]
# The same with labelled rows, few rows to a device, an odd number of devices, an order.
ODD = [
    {"method": "norm", "n": 61, "d": 8, "budget": 6, "labelled": 3, "ids": True},
    {"method": "random", "n": 9, "d": 8, "budget": 6, "devices": 7},
    {"method": "norm", "n": 20, "d": 3, "budget": 3},
    {"method": "norm", "n": 61, "d": 8, "budget": 6, "ids": True, "powers": True},
]


def test_quick_methods_pick_the_same_and_send_little() -> None:
    found = on_devices(QUICK + ODD)
    check(QUICK + ODD, found)
    for case, said in zip(QUICK, found, strict=False):
        n, d = case["n"], case["d"]
        assert 0 < said["largest"] <= a_share_or_a_block(n, d) < n * d * 4 / 4, case


def test_kmeans_adds_up_alike() -> None:
    # Five tiles on eight devices, and a last one that is not whole.
    (apart,) = on_devices([{"method": "kmeans", "n": 20_011, "d": 16, "budget": 7}])
    assert apart["iterations"] == 0
    assert set(apart.values()) == {0}, apart


# Those that meet all rows with all, or cluster them: each is a long compilation.
HEAVY = [
    {"method": "probcover", "n": 20_011, "d": 32, "budget": 6},
    {"method": "typiclust", "n": 20_011, "d": 32, "budget": 6},
    {"method": "max_herding", "n": 20_011, "d": 32, "budget": 6},
    {
        "method": "gram_schmidt",
        "n": 20_011,
        "d": 32,
        "budget": 6,
        "options": {"deterministic": True},
    },
]
SMALL = {"n": 61, "d": 8, "budget": 6, "labelled": 4}
OPTIONS = [
    {"method": "probcover", "options": {"delta": 0.5, "tie": "random"}, **SMALL},
    {"method": "probcover", "options": {"delta": "purity", "n_classes": 4}, **SMALL},
    {"method": "max_herding", "options": {"bandwidth": 0.5, "tie": "random"}, **SMALL},
    {"method": "typiclust", "options": {"n_init": 2}, **SMALL, "devices": 7},
    {"method": "k_center", "options": {"tie": "random"}, "ids": True, **SMALL},
    {"method": "norm", "options": {"deterministic": True, "tie": "random"}, **SMALL},
    {
        "method": "gram_schmidt",
        "options": {"deterministic": True, "tie": "random"},
        **SMALL,
    },
    {"method": "gram_schmidt", "options": {"norm_ord": 1}, **SMALL},
    {"method": "gram_schmidt", "powers": True, **SMALL},
    {"method": "k_center", "powers": True, **SMALL},
    {"method": "probcover+norm", "options": {"delta": 0.5}, **SMALL},
    {"method": "typiclust+gs", **SMALL},
    # Fewer rows than devices, and than neighbours are looked for.
    {"method": "typiclust", **SMALL, "n": 5, "budget": 3, "labelled": 1},
    # More than half of the free rows: fewer proposals than twice the budget.
    {"method": "typiclust+random", **SMALL, "n": 31, "budget": 20},
]


@pytest.mark.slow
def test_heavy_methods_pick_the_same_and_send_little() -> None:
    found = on_devices(HEAVY)
    check(HEAVY, found)
    for case, said in zip(HEAVY, found, strict=True):
        assert 0 < said["largest"] <= a_share_or_a_block(case["n"], case["d"]), case


@pytest.mark.slow
def test_options_and_odd_pools_pick_the_same() -> None:
    check(OPTIONS, on_devices(OPTIONS))


def test_a_mesh_of_one_device_is_no_mesh() -> None:
    rows = np.random.default_rng(0).normal(size=(7, 3))
    mesh = jaxsel.pool_mesh()
    assert mesh.size == 1
    there = jaxsel.select(rows, 3, "random", mesh=mesh)
    assert there.indices.tolist() == jaxsel.select(rows, 3, "random").indices.tolist()
    assert there.info["devices"] == 1


def test_the_order_of_a_random_tie_is_drawn_before_rows_are_placed() -> None:
    ids = np.array([2, 0, 1])
    key = jax.random.key(0)
    order, options = drawn_order("k_center", key, 3, ids, {"tie": "random"})
    assert order is not None and sorted(order) == [0, 1, 2]
    assert options == {"tie": "lowest"}
    for method, options in (("norm", {"tie": "random"}), ("k_center", {})):
        assert drawn_order(method, key, 3, ids, options) == (ids, options)


def test_what_a_mesh_refuses() -> None:
    with pytest.raises(jaxsel.UserError, match=r"from 1 to 1 devices .* found 5"):
        jaxsel.pool_mesh(5)
    rows = np.ones((4, 2))
    with pytest.raises(jaxsel.UserError, match=r'one axis "pool", found str'):
        jaxsel.select(rows, 2, "norm", mesh="all")  # type: ignore[arg-type]
    rows[2, 1] = np.nan
    with pytest.raises(jaxsel.UserError, match=r"1 row\(s\), first in row 2"):
        ids = [3, 2, 1, 0]
        jaxsel.select(rows, 2, "norm", mesh=jaxsel.pool_mesh(), ids=ids)

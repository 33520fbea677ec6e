"""Pools of a few blocks: blocks of 256 rows, whatever memory there is."""

import numpy as np
import pytest

from jaxsel.streaming import plan

D = 12


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(plan, "LARGEST", 1)


@pytest.fixture(scope="session")
def rows() -> np.ndarray:
    """700 rows of decaying spectrum, with copies and a few zero rows: float32."""
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(700, D)) * 10.0 ** (-np.arange(D) / 3)
    found = mixed @ np.linalg.qr(rng.normal(size=(D, D)))[0]
    found = (found * rng.gamma(2, 1, size=(700, 1))).astype(np.float32)
    found[[3, 300, 699]] = 0
    found[500:520] = found[20:40]
    return found


@pytest.fixture(scope="session")
def flat() -> np.ndarray:
    """The same without a decay: whatever was picked, what is left of a row is either
    far above its rounding or far below 1e-4 of it, where a round begins. With a decay
    the last bits of small residuals decide some of many draws."""
    rng = np.random.default_rng(1)
    found = rng.normal(size=(700, D)) * rng.gamma(2, 1, size=(700, 1))
    found[[3, 300, 699]] = 0
    found[500:520] = found[20:40]
    return found.astype(np.float32)


@pytest.fixture
def pool(rows, tmp_path) -> str:
    """The rows in three shards."""
    for i, part in enumerate(np.split(rows, [301, 302])):
        np.save(tmp_path / f"rows{i}.npy", part)
    return str(tmp_path / "rows*.npy")

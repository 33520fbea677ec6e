"""The arrays that are measured on: made from a seed, the same for everyone."""

import numpy as np


def clustered(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Unit rows around 100 unit centres; float32 `[n, d]`.

    The r-th centre has weight r^-1/2; noise has norm 0.5 in expectation.
    """
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(100, d))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    weight = np.arange(1, 101) ** -0.5
    label = rng.choice(100, n, p=weight / weight.sum())
    x = rng.standard_normal((n, d), np.float32)
    x *= np.float32(0.5 / np.sqrt(d))
    x += centres.astype(np.float32)[label]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x


def raw(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Clustered rows of log-normal lengths: features before normalisation."""
    x = clustered(n, d, seed)
    lengths = np.random.default_rng(seed + 1).lognormal(sigma=0.25, size=(n, 1))
    x *= lengths.astype(np.float32)
    return x


def heavy_tailed(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Student's t with 3 degrees of freedom."""
    rng = np.random.default_rng(seed)
    return rng.standard_t(3, size=(n, d)).astype(np.float32)


def digits() -> np.ndarray:
    """scikit-learn's 1797 images of digits, `[1797, 64]`."""
    from sklearn.datasets import load_digits

    return load_digits().data.astype(np.float32)


def blobs(n: int, d: int, seed: int = 0) -> np.ndarray:
    """30 Gaussian blobs of unit width."""
    from sklearn.datasets import make_blobs

    return make_blobs(n, d, centers=30, random_state=seed)[0].astype(np.float32)


def make(name: str, n: int, d: int, seed: int = 0) -> np.ndarray:
    """A pool by name."""
    if name == "digits":
        return digits()
    known = {
        "clustered": clustered,
        "raw": raw,
        "heavy_tailed": heavy_tailed,
        "blobs": blobs,
    }
    return known[name](n, d, seed)

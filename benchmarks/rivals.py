"""Other people's selectors, called as their documentation says.

Each is `(x [n, d] float32, budget, seed, **options) -> Result`; the packages come with
the `bench` extra and are imported inside the calls. The authors' code is not ours to
ship: it is loaded by path from a checkout of github.com/avihu111/TypiClust.
"""

import contextlib
import importlib.util
import io
import pathlib
import sys
import types
from collections.abc import Callable

import numpy as np

from benchmarks.baselines import Result, unit

Rival = Callable[..., Result]


def load(name: str, repository: str | None = None) -> Rival:
    """A rival by name, as `package.Method`.

    Raises:
      ImportError: the package is not installed.
    """
    if name.startswith("authors."):
        if repository is None:
            raise ImportError("give --typiclust-repo DIR")
        return _authors(name.removeprefix("authors."), pathlib.Path(repository))
    package, method = name.split(".")
    return {
        "scikit-activeml": _scikit_activeml,
        "apricot": _apricot,
        "coreax": _coreax,
    }[package](method)


def _scikit_activeml(method: str) -> Rival:
    from skactiveml import pool

    def arguments(options: dict) -> dict:
        if method == "ProbCover":
            return {"n_classes": 100, "deltas": [options["delta"]]}
        if method == "MaxHerding":
            return {"metric_dict": {"gamma": options["gamma"]}}
        return {}

    strategy = getattr(pool, method)

    def select(x: np.ndarray, budget: int, seed: int, **options) -> Result:
        # It measures rows as they come; the methods on directions want unit rows.
        x = x if method == "CoreSet" else unit(x)
        # A fresh object each time: one that is used again answers from its cache.
        made = strategy(random_state=seed, **arguments(options))
        unlabelled = np.full(len(x), np.nan)
        return Result(made.query(X=x, y=unlabelled, batch_size=budget), {})

    return select


def _apricot(method: str) -> Rival:
    import apricot

    strategy = getattr(apricot, method)

    def select(x: np.ndarray, budget: int, seed: int) -> Result:
        made = strategy(budget, metric="cosine", optimizer="lazy", random_state=seed)
        return Result(np.asarray(made.fit(x).ranking), {})

    return select


def _coreax(method: str) -> Rival:
    import jax
    from coreax import Data
    from coreax.kernels import LinearKernel, SquaredExponentialKernel
    from coreax.solvers import KernelHerding, RPCholesky

    def solver(budget: int, seed: int, gamma: float):
        if method == "KernelHerding":
            # exp(-|x - y|^2 / (2 l^2)) with gamma = 1 / (2 l^2).
            kernel = SquaredExponentialKernel(float(np.sqrt(0.5 / gamma)))
            return KernelHerding(budget, kernel)
        # A linear kernel: the residuals are those of Gram-Schmidt, sampled by their
        # squared norms. The nearest relative, not the same law.
        key = jax.random.key(seed)
        return RPCholesky(budget, random_key=key, kernel=LinearKernel())

    def select(x: np.ndarray, budget: int, seed: int, gamma: float = 1.0) -> Result:
        rows = jax.numpy.asarray(unit(x) if method == "KernelHerding" else x)
        coreset, _ = solver(budget, seed, gamma).reduce(Data(rows))
        return Result(np.asarray(coreset.unweighted_indices), {})

    return select


def _authors(name: str, repository: pathlib.Path) -> Rival:
    """The public ProbCover or TypiClust class, on a CPU.

    It reads features through its own package and moves them to a GPU; here the
    loader hands over the array, and `.cuda()` stays where it is.
    """
    import torch

    path = repository / "deep-al" / "pycls" / "al" / f"{name}.py"
    if not path.is_file():
        raise ImportError(f"no {path}; give a checkout of avihu111/TypiClust")
    loader = types.ModuleType("pycls.datasets.utils")
    for package in ("pycls", "pycls.datasets"):
        sys.modules.setdefault(package, types.ModuleType(package))
    sys.modules["pycls.datasets.utils"] = loader
    sys.modules["pycls.datasets"].utils = loader  # type: ignore[attr-defined]
    if not torch.cuda.is_available():
        torch.Tensor.cuda = lambda tensor: tensor  # type: ignore[assignment]
        if name == "typiclust":
            import faiss

            faiss.index_cpu_to_all_gpus = lambda index: index
    spec = importlib.util.spec_from_file_location(f"authors_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def select(x: np.ndarray, budget: int, seed: int, **options) -> Result:
        features = unit(x)
        loader.load_features = lambda *_: features  # type: ignore[attr-defined]
        config = {"DATASET": {"NAME": "given"}, "RNG_SEED": seed}
        np.random.seed(seed)  # noqa: NPY002 - the generator that code draws from
        nobody, everybody = np.array([], int), np.arange(len(x))
        with contextlib.redirect_stdout(io.StringIO()):
            if name == "prob_cover":
                made = module.ProbCover(
                    config, nobody, everybody, budget, options["delta"]
                )
            else:
                made = module.TypiClust(config, nobody, everybody, budget)
            picks, _ = made.select_samples()
        return Result(np.asarray(picks), {})

    return select

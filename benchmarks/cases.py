"""What is measured: pools, budgets, contenders and the bars they are held to."""

import dataclasses
import math
from typing import Any

from benchmarks.bars import (
    Bar,
    faster,
    memory,
    near_floor,
    quality_within,
    same_picks,
)


@dataclasses.dataclass(frozen=True)
class Contender:
    """Who runs, as "jaxsel:method", "baseline:name" or "rival:package.Method".

    A "/word" after a method only tells two settings of it apart. `bytes_per_n2` is the
    memory it needs, in units of n² bytes; it is not started where that much is not
    free. Above `largest` rows it is not started at all.
    """

    name: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    bytes_per_n2: float = 0.0
    largest: int | None = None


@dataclasses.dataclass(frozen=True)
class Case:
    """One pool and budget, everyone who runs on it, and the bars."""

    name: str
    pool: str
    n: int
    d: int
    budget: int
    contenders: tuple[Contender, ...]
    measures: tuple[str, ...]
    bars: tuple[Bar, ...] = ()
    family: str = ""

    def smaller(self, divisor: int) -> "Case":
        """The same case on a pool small enough to try the program on."""
        return dataclasses.replace(
            self, n=max(self.n // divisor, 400), budget=min(self.budget, 20)
        )


def _blocked_flops(n: int, d: int, budget: int) -> float:
    """Every pick is one product of the pool with a vector: 2 n d a pick."""
    return 2.0 * n * d * budget


def _gram_schmidt(budget: int) -> Case:
    n, d = 50_000, 512
    ours, downdate = "jaxsel:gram_schmidt", "baseline:gram_schmidt"
    bars = [
        faster(ours, downdate, 5),
        quality_within(ours, downdate, "mean_residual", 0.01),
        faster("jaxsel:gram_schmidt/device", downdate, 5),
        faster(ours, "baseline:gram_schmidt_as_written", 1),
    ]
    if budget == 300:
        floor = _blocked_flops(n, d, budget)
        bars.append(near_floor(ours, 3, lambda _: floor))
    return Case(
        f"gram_schmidt_{budget}",
        "raw",
        n,
        d,
        budget,
        (
            Contender(ours),
            Contender("jaxsel:gram_schmidt/device"),
            Contender(downdate),
            Contender("baseline:gram_schmidt_as_written"),
            Contender("jaxsel:gram_schmidt/downdate", {"algorithm": "downdate"}),
            Contender("jaxsel:gram_schmidt/sequential", {"algorithm": "sequential"}),
            Contender("rival:coreax.RPCholesky"),
        ),
        ("mean_residual",),
        tuple(bars),
    )


def _probcover_50k() -> Case:
    delta = {"delta": 0.65}
    ours, plain, rival = (
        "jaxsel:probcover",
        "baseline:probcover",
        "rival:scikit-activeml.ProbCover",
    )
    return Case(
        "probcover_50k",
        "clustered",
        50_000,
        128,
        50,
        (
            Contender(ours, delta),
            Contender(plain, delta),
            Contender(rival, delta, bytes_per_n2=6.5),
        ),
        ("coverage",),
        (
            faster(ours, rival, 12),
            faster(ours, plain, 1),
            memory(ours, 300),
            quality_within(ours, plain, "coverage", 0.0005),
        ),
    )


def _probcover_authors() -> Case:
    delta = {"delta": 0.65}
    ours, authors = "jaxsel:probcover", "rival:authors.prob_cover"
    return Case(
        "probcover_authors",
        "clustered",
        20_000,
        512,
        60,
        (
            Contender(ours, delta),
            Contender(authors, delta),
            Contender("baseline:probcover", delta),
        ),
        ("coverage",),
        (faster(ours, authors, 3), same_picks(ours, authors)),
    )


def _typiclust() -> Case:
    ours, rival = "jaxsel:typiclust", "rival:scikit-activeml.TypiClust"
    return Case(
        "typiclust_100k",
        "clustered",
        100_000,
        128,
        50,
        (
            Contender(ours),
            Contender(rival),
            Contender("baseline:typiclust"),
            Contender("rival:authors.typiclust"),
        ),
        ("coverage",),
        (
            faster(ours, rival, 1),
            quality_within(ours, rival, "coverage", 0.02),
        ),
    )


def _max_herding() -> Case:
    ours, rival = "jaxsel:max_herding", "rival:scikit-activeml.MaxHerding"
    gamma = {"gamma": 1.0}
    return Case(
        "max_herding_20k",
        "clustered",
        20_000,
        128,
        50,
        (
            # exp(-gamma |x-y|^2) = exp(-|x-y|^2 / (2 h^2)) for h = (2 gamma)^-1/2.
            Contender(ours, {"bandwidth": math.sqrt(0.5)}),
            Contender("baseline:max_herding", gamma),
            Contender(rival, gamma, bytes_per_n2=20.5),
            Contender("rival:apricot.FacilityLocationSelection", bytes_per_n2=12.5),
            Contender("rival:coreax.KernelHerding", gamma, bytes_per_n2=8.5),
        ),
        ("mean_similarity", "coverage"),
        (
            faster(ours, rival, 10),
            memory(ours, 450),
            quality_within(ours, rival, "mean_similarity", 0.0005),
        ),
    )


def _k_center() -> Case:
    ours, plain = "jaxsel:k_center", "baseline:k_center"
    return Case(
        "k_center_1m",
        "clustered",
        1_000_000,
        128,
        50,
        (Contender(ours), Contender(plain), Contender("rival:scikit-activeml.CoreSet")),
        ("largest_distance",),
        (
            faster(ours, plain, 1 / 1.3),
            quality_within(ours, plain, "largest_distance", 0.001),
        ),
    )


def _curve() -> list[Case]:
    """Time against n for every method, b = 60, d = 512: Gram–Schmidt and ProbCover
    side by side, as the paper compares them."""
    delta = {"delta": 0.65}
    contenders = (
        Contender("jaxsel:norm"),
        Contender("jaxsel:gram_schmidt"),
        Contender("jaxsel:probcover", delta),
        Contender("jaxsel:typiclust"),
        Contender("jaxsel:k_center"),
        Contender("jaxsel:max_herding", {"bandwidth": math.sqrt(0.5)}),
        Contender("baseline:gram_schmidt_as_written"),
        Contender("baseline:probcover", delta, largest=20_000),
        Contender(
            "rival:scikit-activeml.ProbCover", delta, bytes_per_n2=6.5, largest=20_000
        ),
        Contender("rival:scikit-activeml.TypiClust", largest=50_000),
        Contender(
            "rival:scikit-activeml.MaxHerding",
            {"gamma": 1.0},
            bytes_per_n2=20.5,
            largest=10_000,
        ),
        Contender("rival:authors.prob_cover", delta, largest=20_000),
    )
    claim = faster("jaxsel:gram_schmidt", "jaxsel:probcover", 1)
    return [
        Case(
            f"curve_{n}",
            "raw",
            n,
            512,
            60,
            contenders,
            ("coverage", "mean_residual"),
            (claim,),
            family="curve",
        )
        for n in (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
    ]


def _imagenet() -> list[Case]:
    """ImageNet's size, where an accelerator is at hand."""
    n, d = 1_281_167, 384

    def alone(name: str, budget: int, options: dict, measure: str, bar: Bar) -> Case:
        contender = Contender(f"jaxsel:{name}", options)
        title = f"imagenet_{name}"
        return Case(title, "raw", n, d, budget, (contender,), (measure,), (bar,))

    products = _blocked_flops(n, d, 6_000)
    return [
        alone(
            "gram_schmidt",
            6_000,
            {},
            "coverage",
            near_floor("jaxsel:gram_schmidt", 3, lambda _: products),
        ),
        alone(
            "typiclust",
            6_000,
            {},
            "coverage",
            near_floor(
                "jaxsel:typiclust",
                10,
                lambda r: 2.0 * n * 500 * d * (r["info"].get("iterations", 1) + 1),
            ),
        ),
        alone(
            "probcover",
            1_000,
            {"delta": 0.65},
            "coverage",
            near_floor("jaxsel:probcover", 3, lambda _: float(n) * n * d),
        ),
    ]


def all_cases(accelerator: bool) -> list[Case]:
    """Every case, the bars of the table first."""
    cases = [
        _gram_schmidt(60),
        _gram_schmidt(300),
        _probcover_50k(),
        _probcover_authors(),
        _typiclust(),
        _max_herding(),
        _k_center(),
        *_curve(),
    ]
    return cases + (_imagenet() if accelerator else [])

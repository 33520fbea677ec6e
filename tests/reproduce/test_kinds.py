"""Every kind of figure on a tiny study: its numbers against the definitions."""

import math
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import scipy.stats
from small_figures import figure, network, pixels

from jaxsel.errors import UserError
from jaxsel.evaluation.claims import OPEN, Claim, judged
from jaxsel.evaluation.rows import ResultRow, read_results
from jaxsel.experiment import selecting
from jaxsel.experiment.calls import Trainers
from jaxsel.experiment.pools import draw_pool
from jaxsel.features.encoders import make_encoder
from jaxsel.features.pruned import pruned_encoder
from jaxsel.reproduce.figure import Product
from jaxsel.reproduce.kinds import KINDS, accuracy, speed
from jaxsel.reproduce.studies import finish, inputs_of, picks_of, rows_of
from jaxsel.selection.api import Selection

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Of all figures, with the study of the pixels done."""
    folder = tmp_path_factory.mktemp("workdir")
    finish([pixels()], folder / "studies")
    return folder


@pytest.fixture(scope="module")
def curves(workdir: pathlib.Path) -> Product:
    return draw("accuracy", workdir, pixels())


@pytest.fixture
def nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when anything is selected or trained."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("what was there was computed again")

    monkeypatch.setattr(selecting, "select", refuse)
    monkeypatch.setattr(Trainers, "train", refuse)


def draw(kind: str, workdir: pathlib.Path, *parts: Any, **options: Any) -> Product:
    return KINDS[kind](figure(kind, *parts, **options), workdir)


def results(workdir: pathlib.Path, study: str = "digits-rgb") -> list[ResultRow]:
    return read_results(workdir / "studies" / study / "results.csv")


def accuracies(
    rows: Sequence[ResultRow], method: str, budget: int | None = None
) -> np.ndarray:
    """`[budgets, seeds]`, or `[seeds]` at one budget."""
    table = {(r.budget, r.seed): r.accuracy for r in rows if r.method == method}
    if budget is not None:
        return np.array([table[budget, seed] for seed in SEEDS])
    return np.array([[table[b, seed] for seed in SEEDS] for b in (10, 20)])


def pixel_rows() -> np.ndarray:
    """float64 `[n, 64]`, in [0, 1], of the training images."""
    images = inputs_of(pixels())[1].train.take(np.arange(1297))
    return images.reshape(len(images), -1).astype(np.float64) / 255


def interval(values: np.ndarray) -> tuple[float, float, float]:
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values)
    return values.mean(), values.mean() - half, values.mean() + half


def test_curves_are_means_with_standard_errors(
    workdir: pathlib.Path, curves: Product
) -> None:
    rows = results(workdir)
    assert len(curves.tables[""]) == 4 * 2
    for line in curves.tables[""]:
        values = accuracies(rows, line["method"], line["budget"])
        assert line["accuracy"] == pytest.approx(values.mean(), rel=1e-12)
        assert line["standard_error"] == pytest.approx(scipy.stats.sem(values))
        assert line["seeds"] == 3
    (axis,) = curves.drawings[""].axes
    drawn = {line.get_label(): line.get_ydata() for line in axis.lines}
    np.testing.assert_allclose(
        drawn["norm"], 100 * accuracies(rows, "norm").mean(axis=1)
    )
    assert len(curves.tables["runs"]) == 4 * 2 * 3


def test_differences_and_verdicts_are_paired_and_pooled(
    workdir: pathlib.Path, curves: Product
) -> None:
    rows = results(workdir)
    gaps = (accuracies(rows, "norm") - accuracies(rows, "random")).mean(axis=0)
    expected = interval(gaps)
    (verdict,) = curves.verdicts
    np.testing.assert_allclose(verdict[3:6], expected, rtol=1e-9)
    assert verdict.word == judged("better", *expected[1:])
    (pooled,) = (
        line
        for line in curves.tables["differences"]
        if line["method"] == "norm" and line["budgets"] == "10 20"
    )
    found = [pooled[name] for name in ("difference", "low", "high")]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert pooled["resolved"] == (expected[1] > 0 or expected[2] < 0)
    # norm is spoken of whatever came out; every other difference is said or counted.
    first, *said = curves.said
    assert first.startswith("norm ") and " at 20 labels" in first
    silent = [line for line in said if line.endswith("are not resolved.")]
    counted = sum(int(line.split()[0]) for line in silent)
    assert len(said) - len(silent) + counted == 3


def test_the_manifest_says_what_was_run(curves: Product) -> None:
    facts = curves.facts["digits-rgb"]
    assert facts["data"]["train"] == 1297
    assert facts["identity"]["features"]["encoder"] == "rgb"
    assert facts["starts"][0]["machine"]["cores"] >= 1
    assert facts["versions"]["jax"]


@pytest.mark.parametrize("label, delta", [("near", 0.3), ("far", 0.75)])
def test_coverage_is_counted_from_the_definition(
    workdir: pathlib.Path, label: str, delta: float
) -> None:
    product = draw("accuracy", workdir, pixels(), covered=label)
    rows = pixel_rows()
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    (done,) = finish([pixels()], workdir / "studies")
    curves = []
    for seed in SEEDS:
        pool = unit[draw_pool(1297, 0.1, 0, seed).rows]
        picks = unit[picks_of(done, label, 20, seed)]
        near = np.linalg.norm(picks[:, None] - pool[None], axis=2) < delta
        curves.append(np.logical_or.accumulate(near).mean(axis=1))
    shares = np.array(curves)
    (axis,) = product.drawings["covered"].axes
    drawn = axis.lines[0].get_ydata()
    np.testing.assert_allclose(drawn, [0, *(100 * shares.mean(axis=0))], rtol=1e-6)
    for line, share in zip(product.tables["covered"], shares, strict=True):
        assert line["first_pick_covers"] == pytest.approx(share[0])
        assert line["covered"] == pytest.approx(share[-1])
        whole = np.flatnonzero(share == 1)
        assert line["picks_until_all_covered"] == (whole[0] + 1 if whole.size else "")
    (said,) = (line for line in product.said if "ProbCover with delta" in line)
    assert ("everything is covered" in said) == bool((shares[:, -1] == 1).any())
    assert (label == "far") == ("everything is covered" in said)


def test_the_accuracy_of_all_labels_is_a_line_of_its_own(
    workdir: pathlib.Path,
) -> None:
    whole = pixels("digits-rgb-whole", methods=("random",), budgets=(1167,), seeds=(0,))
    product = draw("accuracy", workdir, pixels(), whole, whole=("digits-rgb-whole",))
    (row,) = results(workdir, "digits-rgb-whole")
    percent = f"{100 * row.accuracy:.1f} %"
    (axis,) = product.drawings[""].axes
    assert [text.get_text().removesuffix(" ↑") for text in axis.texts] == [
        f"all labels: {percent}"
    ]
    assert f"With all labels of the pool: {percent} (digits, linear_probe)." in (
        product.said
    )
    assert {line["budget"] for line in product.tables[""]} == {10, 20}


def test_a_second_figure_of_a_study_runs_nothing(
    workdir: pathlib.Path, curves: Product, nothing_is_run: None
) -> None:
    less = pixels(methods=("norm", "random"), budgets=(20,), seeds=(1, 2))
    product = draw("accuracy", workdir, less)
    expected = [
        row
        for row in results(workdir)
        if row.method in less.config.methods and row.budget == 20 and row.seed
    ]
    assert len(expected) == 4
    assert [row._asdict() for row in expected] == list(product.tables["runs"])
    # The same drawing again says the same.
    again = draw("accuracy", workdir, pixels())
    assert (again.tables, again.said) == (curves.tables, curves.said)


def test_a_single_seed_has_neither_errors_nor_an_answer(
    workdir: pathlib.Path, nothing_is_run: None
) -> None:
    one = pixels(methods=("random", "norm"), seeds=(0,))
    product = draw("accuracy", workdir, one)
    assert all(line["standard_error"] is None for line in product.tables[""])
    (verdict,) = product.verdicts
    assert verdict.word == OPEN and verdict.high == math.inf
    first, second = product.said
    assert "in a single seed (n=1), so no interval" in first
    assert second == (
        "1 of 1 differences to random, averaged over the budgets where there are "
        "several, are not resolved."
    )


def test_parts_with_runs_in_common_count_them_once(
    workdir: pathlib.Path, nothing_is_run: None
) -> None:
    parts = [pixels(), pixels(budgets=(20,))]
    done = finish(parts, workdir / "studies")
    assert [len(each.rows) for each in done] == [24, 12]
    assert len(rows_of(done)) == 24
    assert accuracy.chance_of(done) == {"digits": 0.1}


def test_a_table_has_the_papers_numbers_beside_ours(
    workdir: pathlib.Path, nothing_is_run: None
) -> None:
    part = pixels(methods=("random", "norm"), budgets=(10,))
    printed = {("digits", "linear_probe"): {"norm": 80.0}, ("other", "x"): {}}
    product = draw("table", workdir, part, printed=printed)
    random, norm = product.tables[""]
    ours = 100 * accuracies(results(workdir), "norm", 10)
    assert norm["accuracy"] == pytest.approx(ours.mean())
    assert norm["standard_error"] == pytest.approx(scipy.stats.sem(ours))
    assert norm["paper"] == 80.0
    assert norm["ratio"] == pytest.approx(ours.mean() / 80)
    assert random["paper"] is None and random["ratio"] is None
    assert f"{ours.mean():.1f} ± {scipy.stats.sem(ours):.1f}" in product.shown
    assert "80.00" in product.shown
    (axis,) = product.drawings[""].axes
    values = [line.get_xdata()[0] for line in axis.lines]
    assert 80.0 in values and any(np.isclose(v, ours.mean()) for v in values)
    assert len(product.said) == 1 and product.said[0].startswith("linear_probe: norm ")


def test_a_correlation_is_scipys_over_the_subsets(workdir: pathlib.Path) -> None:
    part = pixels(methods=("random",), budgets=(10, 20), seeds=tuple(range(8)))
    part.config.replicates.linear_probe_chunk = 2
    claim = Claim("correlation", "rises", "better", "random")
    product = draw("correlation", workdir, part, claims=(claim,))
    (done,) = finish([part], workdir / "studies")
    norms = np.linalg.norm(pixel_rows(), axis=1)
    for fit, verdict, budget in zip(
        product.tables["fits"], product.verdicts, (10, 20), strict=True
    ):
        x = [norms[picks_of(done, "random", budget, seed)].mean() for seed in range(8)]
        by_seed = {r.seed: r.accuracy for r in done.rows if r.budget == budget}
        y = [by_seed[seed] for seed in range(8)]
        expected = scipy.stats.linregress(x, y)
        found = [fit[name] for name in ("slope", "intercept", "r", "p")]
        np.testing.assert_allclose(
            found,
            [expected.slope, expected.intercept, expected.rvalue, expected.pvalue],
            rtol=1e-6,
        )
        ends = scipy.stats.pearsonr(x, y).confidence_interval()
        np.testing.assert_allclose((verdict.low, verdict.high), ends, rtol=1e-6)
        assert (verdict.unit, verdict.n) == ("r", 8)
        assert verdict.word == judged("better", *ends)
        points = [p for p in product.tables[""] if p["budget"] == budget]
        np.testing.assert_allclose([p["mean_norm"] for p in points], x, rtol=1e-6)
        step = f"{100 * expected.slope * np.std(x):+.2f}".replace("-", "−")
        assert f"goes with {step} points" in product.said[(10, 20).index(budget)]


def test_a_correlation_with_the_norms_of_other_features(
    workdir: pathlib.Path, nothing_is_run: None
) -> None:
    part = pixels(methods=("random",), budgets=(10,), seeds=tuple(range(8)))
    product = draw("correlation", workdir, part, norms=(network(),))
    (done,) = finish([part], workdir / "studies")
    norms = np.linalg.norm(inputs_of(network())[1].train_features.rows, axis=1)
    for point in product.tables[""]:
        assert point["features"] == "random_resnet18"
        picks = picks_of(done, "random", 10, point["seed"])
        assert point["mean_norm"] == pytest.approx(norms[picks].mean(), rel=1e-5)


def frechet_by_definition(sample: np.ndarray, rest: np.ndarray) -> float:
    """|m₁ − m₂|² + tr(S₁ + S₂ − 2 √(√S₁ S₂ √S₁)), the roots by eigenvalues."""
    first, second = np.cov(sample, rowvar=False), np.cov(rest, rowvar=False)
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(0)).sum()
    gap = sample.mean(axis=0) - rest.mean(axis=0)
    return float(gap @ gap + np.trace(first) + np.trace(second) - 2 * cross)


def test_frechet_distances_are_those_of_the_picks_to_the_rest_of_their_pool(
    workdir: pathlib.Path, nothing_is_run: None
) -> None:
    part = pixels(methods=("random", "norm"))
    other = network()
    claim = Claim("", "norm is closer", "worse", "norm")
    product = draw(
        "frechet",
        workdir,
        *(part, other),
        claims=(claim,),
        printed={(20, "random"): 200.0, (20, "norm"): 150.0},
        inception=(other.study,),
    )
    (done,) = finish([part], workdir / "studies")
    features = {
        "rgb": pixel_rows(),
        "Inception-v3": inputs_of(other)[1].train_features.rows.astype(np.float64),
    }
    found = {
        (r["space"], r["set_size"], r["method"], r["seed"]): r["distance"]
        for r in product.tables["runs"]
    }
    assert len(found) == 2 * 2 * 2 * 3
    for (space, size, method, seed), distance in found.items():
        chosen = picks_of(done, method, size, seed)
        rest = np.setdiff1d(draw_pool(1297, 0.1, 0, seed).rows, chosen)
        rows = features[space]
        expected = frechet_by_definition(rows[chosen], rows[rest])
        assert distance == pytest.approx(expected, rel=1e-4)
    for verdict, space in zip(product.verdicts, features, strict=True):
        distances = {
            method: np.array(
                [[found[space, n, method, seed] for seed in SEEDS] for n in (10, 20)]
            )
            for method in ("norm", "random")
        }
        gaps = (distances["norm"] / distances["random"] - 1).mean(axis=0)
        np.testing.assert_allclose(verdict[3:6], interval(gaps), rtol=1e-9)
        assert verdict.where == f"{space} space"
    line = product.tables[""][-1]  # Inception-v3, 20, norm
    mean = {
        m: np.mean([found["Inception-v3", 20, m, seed] for seed in SEEDS])
        for m in ("norm", "random")
    }
    assert line["ratio_to_random"] == pytest.approx(mean["norm"] / mean["random"])
    assert line["paper_ratio_to_random"] == pytest.approx(0.75)
    # The paper's are drawn in Inception's space alone.
    drawn = [
        {float(x) for line in axis.lines for x in line.get_xdata()} & {150.0, 200.0}
        for axis in product.drawings[""].axes
    ]
    assert drawn == [set(), set(), set(), {150.0, 200.0}]


def test_histograms_are_of_every_image_and_say_how_far_from_uniform(
    nothing_is_run: None, tmp_path: pathlib.Path
) -> None:
    product = draw("norms", tmp_path, pixels(), network())
    norms = np.linalg.norm(pixel_rows(), axis=1)
    line, other = product.tables[""]
    assert (line["features"], line["n"]) == ("digits, rgb", 1297)
    assert other["features"] == "digits, random_resnet18"
    assert line["mean"] == pytest.approx(norms.mean(), rel=1e-6)
    assert line["variation"] == pytest.approx(norms.std() / norms.mean(), rel=1e-6)
    law = norms / norms.sum()
    share = np.exp(scipy.stats.entropy(law)) / len(law)
    assert line["effective_share"] == pytest.approx(share, rel=1e-6)
    assert len(product.said) == len(product.drawings[""].axes) == 2
    assert not list(tmp_path.iterdir())


def test_both_ends_of_the_norms_are_shown(
    nothing_is_run: None, tmp_path: pathlib.Path
) -> None:
    product = draw("extremes", tmp_path, pixels())
    train = inputs_of(pixels())[1].train
    norms = np.linalg.norm(pixel_rows(), axis=1)
    shown = product.tables[""]
    for heading, ends in (
        ("highest norms", np.sort(norms)[::-1][:20]),
        ("lowest norms", np.sort(norms)[:20]),
    ):
        lines = [line for line in shown if line["group"] == heading]
        np.testing.assert_allclose([x["norm"] for x in lines], ends, rtol=1e-6)
        for line in lines:
            (row,) = np.flatnonzero(train.ids == line["id"])
            assert norms[row] == pytest.approx(line["norm"], rel=1e-6)
            assert line["class"] == train.class_names[train.labels[row]]
    assert len(product.drawings[""].axes) == 40
    assert "digits, rgb, highest norms: " in product.said[0]


def test_pruning_relates_what_is_left_to_the_norm_before(
    tmp_path: pathlib.Path,
) -> None:
    claims = [Claim("pruning", kind, "better", kind) for kind in ("retained", "kept")]
    options = {"sparsities": (0.0, 0.5), "judged": 0.5}
    product = draw("pruning", tmp_path, network(), claims=claims, **options)
    settings, inputs = inputs_of(network())
    images = inputs.test.take(np.arange(500))
    encoder = pruned_encoder(make_encoder(settings.resolved["features"]), 0.5)
    before = np.linalg.norm(inputs.test_features.rows.astype(np.float64), axis=1)
    left = np.linalg.norm(np.asarray(encoder.encode(images), np.float64), axis=1)
    alive = before > 0
    before, left = before[alive], left[alive]
    expected = scipy.stats.spearmanr(before, left / before).statistic
    retained, *kept = product.verdicts
    assert retained.where == "50 % of the weights pruned"  # at 0 % nothing is lost
    assert retained.value == pytest.approx(expected, abs=1e-3)
    assert retained.n == alive.sum()
    assert all(verdict.claim.method == "kept" for verdict in kept)
    deciles = np.array_split(np.argsort(before, kind="stable"), 10)
    whole, zero, half = (
        product.tables[""][start : start + 10] for start in (0, 10, 20)
    )
    for decile, rows in enumerate(deciles):
        for part in (whole, zero, half):
            assert part[decile]["norm_from"] == pytest.approx(before[rows].min())
            assert part[decile]["norm_to"] == pytest.approx(before[rows].max())
        ratio = (left / before)[rows].mean()
        assert half[decile]["retained"] == pytest.approx(ratio, rel=1e-3)
        assert zero[decile]["retained"] == pytest.approx(1, rel=1e-5)
        assert zero[decile]["prediction_kept"] == 1
        assert zero[decile]["accuracy"] == whole[decile]["accuracy"]
    assert np.mean([line["accuracy"] for line in whole]) > 0.5  # of ten classes
    assert len(product.said) >= 2


def test_features_without_weights_cannot_be_pruned(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match="weights to prune, found rgb"):
        draw("pruning", tmp_path, pixels(), sparsities=(0.5,), judged=0.5)


class Clock:
    """In place of `select`: a selection takes the seconds that are said here."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int, int]] = []

    def select(
        self, rows: np.ndarray, budget: int, method: str, *, seed: int
    ) -> Selection:
        first = not any(call[:3] == (method, len(rows), budget) for call in self.calls)
        self.calls.append((method, len(rows), budget, seed))
        growth = {"gram_schmidt": 1e-6 * len(rows), "probcover": 1e-8 * len(rows) ** 2}
        seconds = 100.0 if first else growth[method] * budget * (1 + 0.1 * seed)
        return Selection(np.arange(budget), np.zeros(budget), {"seconds": seconds})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(speed, "select", clock.select)
    return clock


def timed(workdir: pathlib.Path) -> Product:
    return draw(
        "speed",
        workdir,
        pixels(),
        claims=(Claim("", "faster", "better", "gram_schmidt", "probcover"),),
        methods=("gram_schmidt", "probcover"),
        sizes=(100, 200, 400, 5000),
        budgets=(5, 10, 20),
        size=200,
        budget=5,
    )


def test_times_are_medians_of_warm_calls(tmp_path: pathlib.Path, clock: Clock) -> None:
    product = timed(tmp_path)
    sizes = {(100, 5), (200, 5), (400, 5), (200, 10), (200, 20)}
    found = {(r["method"], r["pool"], r["budget"]) for r in product.tables[""]}
    methods = {"gram_schmidt", "probcover"}
    assert found == {(method, *size) for method in methods for size in sizes}
    assert len(product.tables[""]) == len(found) * speed.REPEATS
    assert max(r["seconds"] for r in product.tables[""]) < 100  # compilation is apart
    for verdict, n in zip(product.verdicts, (100, 200, 400), strict=True):
        ratio = 1e-8 * n**2 / (1e-6 * n)
        assert verdict.value == pytest.approx(ratio)
        # The repeats take 1.1, 1.2 and 1.3 of the first seed's time.
        assert verdict.low == pytest.approx(ratio * 1.1 / 1.3)
        assert verdict.high == pytest.approx(ratio * 1.3 / 1.1)
        assert verdict.word == judged("better", verdict.low - 1, verdict.high - 1)
    exponents = {
        (line["method"], line["against"]): line["exponent"]
        for line in product.tables["exponents"]
    }
    assert exponents == {
        ("gram_schmidt", "pool"): pytest.approx(1),
        ("probcover", "pool"): pytest.approx(2),
        ("gram_schmidt", "budget"): pytest.approx(1),
        ("probcover", "budget"): pytest.approx(1),
    }
    assert "400 rows, 5 picks" in product.said[-1]
    assert "4 times as long" in product.said[-1]


def test_times_are_measured_once_and_kept(tmp_path: pathlib.Path, clock: Clock) -> None:
    product = timed(tmp_path)
    assert len(clock.calls) == len(set(clock.calls)) == 10 * (1 + speed.REPEATS)
    clock.calls.clear()
    assert timed(tmp_path).tables == product.tables
    assert not clock.calls
    # Killed while the last case was written down: it alone is measured again.
    (journal,) = tmp_path.glob("speed-*.jsonl")
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-1]) + lines[-1][:7])
    again = timed(tmp_path)
    assert len({call[:3] for call in clock.calls}) == 1
    assert len(clock.calls) == 1 + speed.REPEATS
    assert len(again.tables[""]) == len(product.tables[""])


def test_a_pool_smaller_than_the_sizes_is_measured_in_parts(
    tmp_path: pathlib.Path, clock: Clock
) -> None:
    product = draw(
        "speed",
        tmp_path,
        pixels(),
        claims=(),
        methods=("gram_schmidt",),
        sizes=(5000, 10_000),
        budgets=(5, 10),
        size=20,
        budget=5,
    )
    sizes = {(r["pool"], r["budget"]) for r in product.tables[""]}
    assert sizes == {(162, 5), (324, 5), (648, 5), (1297, 5), (162, 10)}

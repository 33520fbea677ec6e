"""In which form should selection see an encoder's features?

    python -m benchmarks.representations --config cifar10:pretrained --out DIR

Raw columns, centred unit rows, or 128 principal components of those
(`jaxsel/features/representation.py`), for every method: disjoint sub-pools of the
training split, one per seed; a logistic regression on the same components for all of
them learns from what each method picked in each form and is tested on the whole test
split. Differences are paired by sub-pool. Features are made where they are not in the
cache. Writes `representations.json` and `representations.md`; a run that was stopped
goes on from `picks.jsonl`.
"""

import argparse
import importlib
import json
import pathlib
import time
import warnings
from typing import Any

import numpy as np

import jaxsel
from benchmarks import machine
from jaxsel.data.folders import cache_root
from jaxsel.evaluation.statistics import estimate, interval_half_width
from jaxsel.experiment.inputs import split_features
from jaxsel.experiment.pretraining import with_encoder
from jaxsel.experiment.settings import check
from jaxsel.experiment.splits import read_split
from jaxsel.experiment.warm import keep_compiled
from jaxsel.features.representation import REPRESENTATIONS, apply, fit, represent
from jaxsel.files import write_json, write_text
from jaxsel.report.summary import markdown_table

METHODS = (
    "random",
    "norm",
    "gram_schmidt",
    "k_center",
    "probcover",
    "typiclust",
    "max_herding",
)
BUDGETS = (20, 50, 100)
SEEDS = 20
POOL = 2500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="cifar10:pretrained")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--pool", type=int, default=POOL, help="rows of a sub-pool")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    options = parser.parse_args()
    keep_compiled()
    described = machine.describe_in_subprocess()
    name, _, variant = options.config.partition(":")
    config = importlib.import_module(f"configs.{name}").get_config(variant)
    settings, cache = check(config), cache_root(None)
    data = settings.resolved["data"]
    train, test = read_split(data, "train"), read_split(data, "test")
    encoded = with_encoder(settings, train, test, cache)
    bank = np.asarray(split_features(encoded, train, cache).rows, np.float32)
    asked = np.asarray(split_features(encoded, test, cache).rows, np.float32)
    start = time.monotonic()
    found = measure(options, bank, train.labels, asked, test.labels)
    report = {
        "config": options.config,
        "machine": described,
        "pool": options.pool,
        "seeds": options.seeds,
        "seconds": round(time.monotonic() - start, 1),
        "accuracy": found,
    }
    write_json(options.out / "representations.json", report)
    text = table(found)
    write_text(options.out / "representations.md", text)
    print(text)


def measure(
    options: argparse.Namespace,
    bank: np.ndarray,
    labels: np.ndarray,
    asked: np.ndarray,
    truth: np.ndarray,
) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Accuracy by method, representation and budget, a number per sub-pool."""
    order = np.random.default_rng(0).permutation(len(bank))
    found: dict[str, Any] = {
        method: {form: {str(b): [] for b in BUDGETS} for form in REPRESENTATIONS}
        for method in options.methods
    }
    options.out.mkdir(parents=True, exist_ok=True)
    journal = options.out / "picks.jsonl"
    done = {}
    if journal.exists():
        lines = (json.loads(line) for line in journal.read_text().splitlines())
        done = {(e["seed"], e["method"], e["form"]): e["accuracy"] for e in lines}
    for seed in range(options.seeds):
        rows = order[seed * options.pool : (seed + 1) * options.pool]
        if len(rows) < options.pool:
            raise SystemExit(f"{len(bank)} rows have no {seed + 1} pools of that size")
        axes = fit(bank[rows], "components")
        seen, tested = apply(bank[rows], axes), apply(asked, axes)
        scale = seen.std()
        for form in REPRESENTATIONS:
            pool = np.ascontiguousarray(represent(bank[rows], form), np.float32)
            for method in options.methods:
                key = (seed, method, form)
                if key not in done:
                    done[key] = {}
                    for budget in BUDGETS:
                        with warnings.catch_warnings():
                            # That picks cover little is what is being measured.
                            warnings.simplefilter("ignore")
                            picks = jaxsel.select(
                                pool, budget, method, seed=seed
                            ).indices
                        done[key][str(budget)] = probe(
                            seen[picks] / scale,
                            labels[rows[picks]],
                            tested / scale,
                            truth,
                        )
                    with journal.open("a") as file:
                        entry = {"seed": seed, "method": method, "form": form}
                        file.write(json.dumps(entry | {"accuracy": done[key]}) + "\n")
                for budget in BUDGETS:
                    found[method][form][str(budget)].append(done[key][str(budget)])
        print(f"{seed + 1} of {options.seeds} sub-pools", flush=True)
    return found


def probe(
    seen: np.ndarray, labels: np.ndarray, asked: np.ndarray, truth: np.ndarray
) -> float:
    """Test accuracy of a logistic regression; of the one class where there is one."""
    from sklearn.linear_model import LogisticRegression

    if len(set(labels.tolist())) == 1:
        return float(np.mean(truth == labels[0]))
    model = LogisticRegression(C=1.0, max_iter=500).fit(seen, labels)
    return float(model.score(asked, truth))


def table(found: dict[str, Any]) -> str:
    """Points over random at each budget, and the three forms against each other."""
    random = {b: np.array(found["random"]["raw"][str(b)]) for b in BUDGETS}
    head = ["method", "form", *(f"{b} labels" for b in BUDGETS), "mean of the three"]
    body = []
    for method, by_form in found.items():
        for form, by_budget in by_form.items():
            if method == "random" and form != "raw":
                continue  # random picks do not look at the features
            accuracy = [np.array(by_budget[str(b)]) for b in BUDGETS]
            if method == "random":
                cells = [f"{100 * a.mean():.1f} %" for a in accuracy]
                cells.append(f"{100 * np.mean(accuracy):.1f} %")
            else:
                gaps = [a - random[b] for a, b in zip(accuracy, BUDGETS, strict=True)]
                cells = [said(gap) for gap in [*gaps, np.mean(gaps, axis=0)]]
            body.append([method, form if method != "random" else "any", *cells])
    against = []
    for method, by_form in found.items():
        if method == "random":
            continue
        pooled = {
            form: np.mean([by_budget[str(b)] for b in BUDGETS], axis=0)
            for form, by_budget in by_form.items()
        }
        against.append(
            [
                method,
                said(pooled["centred"] - pooled["raw"]),
                said(pooled["components"] - pooled["raw"]),
                said(pooled["components"] - pooled["centred"]),
            ]
        )
    return "\n\n".join(
        [
            "Points of test accuracy over random picks, 95 % intervals, paired by "
            "sub-pool (random: its accuracy).",
            markdown_table(head, body),
            "The forms against each other, mean of the three budgets.",
            markdown_table(
                [
                    "method",
                    "centred − raw",
                    "components − raw",
                    "components − centred",
                ],
                against,
            ),
            "",
        ]
    )


def said(gaps: np.ndarray) -> str:
    """`+1.2 ± 0.4` points."""
    result = estimate(gaps.tolist())
    half = interval_half_width(result)
    width = "" if half is None else f" ± {100 * half:.1f}"
    return f"{100 * result.mean:+.1f}".replace("-", "−") + width


if __name__ == "__main__":
    main()

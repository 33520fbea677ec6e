"""What features know of the classes: `python -m benchmarks.encoders --config NAME`.

For each encoder on a config's data set, on the test split with the whole training
split's labels: the weighted 100-NN accuracy, and that of a logistic regression on
standardised features. Features and a trained encoder are taken from the cache where
they are there, and made where they are not. Writes `encoders.json`, and of an encoder
that was trained here `metrics.jsonl` and `curve.png`.
"""

import argparse
import importlib
import pathlib
import shutil
import time
from typing import Any

import numpy as np

from benchmarks import machine
from jaxsel.data.folders import cache_root
from jaxsel.experiment.inputs import split_features
from jaxsel.experiment.pretraining import with_encoder
from jaxsel.experiment.settings import check
from jaxsel.experiment.splits import Split, read_split
from jaxsel.files import write_json
from jaxsel.pretraining.knn import knn_accuracy

ENCODERS = ("rgb", "random_resnet18", "simclr")
NEIGHBOURS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="cifar10:cpu_simclr")
    parser.add_argument("--encoders", nargs="+", default=ENCODERS)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    described = machine.describe_in_subprocess()
    name, _, variant = options.config.partition(":")
    config = importlib.import_module(f"configs.{name}").get_config(variant)
    data = check(config).resolved["data"]
    train, test = read_split(data, "train"), read_split(data, "test")
    found = {}
    for encoder in options.encoders:
        config.features.encoder = encoder
        found[encoder] = measure(check(config), train, test, options.out)
        print(f"{encoder:16} {found[encoder]}", flush=True)
    write_json(
        options.out / "encoders.json",
        {"config": options.config, "machine": described, "encoders": found},
    )


def measure(
    settings: Any, train: Split, test: Split, out: pathlib.Path
) -> dict[str, Any]:
    """Both accuracies of one encoder's features, in percent."""
    cache = cache_root(None)
    encoded = with_encoder(settings, train, test, cache)
    chosen = encoded.resolved["features"]
    if chosen["encoder"] == "simclr":
        out.mkdir(parents=True, exist_ok=True)
        for file in ("metrics.jsonl", "curve.png"):
            shutil.copyfile(pathlib.Path(chosen["weights"]) / file, out / file)
    bank = np.asarray(split_features(encoded, train, cache).rows, np.float32)
    asked = np.asarray(split_features(encoded, test, cache).rows, np.float32)
    start = time.monotonic()
    neighbours = knn_accuracy(
        bank,
        train.labels,
        asked,
        test.labels,
        n_classes=len(train.class_names),
        k=NEIGHBOURS,
    )
    middle = time.monotonic()
    probe, iterations = logistic_accuracy(bank, train.labels, asked, test.labels)
    return {
        "knn": round(100 * neighbours, 2),
        "linear": round(100 * probe, 2),
        "linear_iterations": iterations,
        "dimension": bank.shape[1],
        "knn_seconds": round(middle - start, 1),
        "linear_seconds": round(time.monotonic() - middle, 1),
    }


def logistic_accuracy(
    bank: np.ndarray, labels: np.ndarray, asked: np.ndarray, truth: np.ndarray
) -> tuple[float, int]:
    """Accuracy of a logistic regression, and how many iterations it took."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = bank.mean(0), bank.std(0) + 1e-6
    model = LogisticRegression(C=1.0, max_iter=300, tol=1e-3)
    model.fit((bank - mean) / spread, labels)
    accuracy = model.score((asked - mean) / spread, truth)
    return float(accuracy), int(model.n_iter_.max())


if __name__ == "__main__":
    main()

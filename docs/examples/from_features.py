"""From a matrix of embeddings to the rows that are worth a label, and to a queue.

    python docs/examples/from_features.py

The rows here are the pixels of scikit-learn's digits; yours come from an encoder. A
pandas or polars table of numbers, a torch tensor or a memory-mapped file will do too.
"""

import pathlib
import tempfile

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import jaxsel

BUDGET = 20

digits = load_digits()
features = digits.data.astype(np.float32)
ids = np.array([f"digit-{row:04d}" for row in range(len(features))])
print(f"{len(features):,} rows of {features.shape[1]} features, none with a label\n")

# Is anything wrong with them? (jaxsel doctor embeddings.npz -b 20)
for finding in jaxsel.examine(features, budget=BUDGET, ids=ids):
    print(f"{finding.severity}: {finding.sentence}")

# Which rows first? With labelled=picks.indices the next call goes on from these.
picks = jaxsel.select(features, BUDGET, "typiclust", ids=ids)
print(f"\n{BUDGET} picks by typiclust: {', '.join(ids[picks.indices[:5]])}, …")

# The same as files, so that another day goes on from them: a round's folder, and a
# table with a column to fill in. (jaxsel select embeddings.npz -b 20 -o round1;
# jaxsel export round1 --to csv -o queue)
work = pathlib.Path(tempfile.mkdtemp())
np.savez(work / "embeddings.npz", features=features, ids=ids)
done = jaxsel.select_round(work / "embeddings.npz", BUDGET, out=work / "round1")
print(f"\n{done.round.method}: {done.reason}")
(queue,) = jaxsel.export_round(work / "round1", "csv", work / "queue").files
print(f"{queue}:")
print("\n".join(f"  {line}" for line in queue.read_text().splitlines()[:4]))


# What was it worth? The digits have labels after all: those of the picks, against as
# many drawn at random, ten times.
def accuracy(rows: np.ndarray) -> float:
    """Of a classifier that saw these rows' labels, on all the others, in percent."""
    model = LogisticRegression(max_iter=2000).fit(features[rows], digits.target[rows])
    rest = np.setdiff1d(np.arange(len(features)), rows)
    return 100 * model.score(features[rest], digits.target[rest])


draws = [
    accuracy(jaxsel.select(features, BUDGET, "random", seed=seed).indices)
    for seed in range(10)
]
print(
    f"\naccuracy with {BUDGET} labels: {accuracy(picks.indices):.1f} % of typiclust's, "
    f"{np.mean(draws):.1f} % ({min(draws):.1f} to {max(draws):.1f}) of random ones"
)

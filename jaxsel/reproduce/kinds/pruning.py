"""What a pruned encoder leaves of examples of high and of low norm (Appendix F)."""

import pathlib
from typing import Any

import numpy as np

from jaxsel.data.folders import cache_root
from jaxsel.evaluation.claims import Verdict, judged
from jaxsel.evaluation.pruned import After, NormBias, norm_bias
from jaxsel.experiment.inputs import Inputs
from jaxsel.experiment.pretraining import with_encoder
from jaxsel.experiment.progress import Progress
from jaxsel.experiment.settings import Settings
from jaxsel.features.encoder import Encoder, encode_stream
from jaxsel.features.encoders import make_encoder
from jaxsel.features.pruned import pruned_encoder
from jaxsel.report.norms import row_norms
from jaxsel.report.pruned import bias_in_words, pruned_figure
from jaxsel.reproduce.figure import Figure, Product
from jaxsel.reproduce.studies import inputs_of

# A logistic regression learns from so many training rows: enough for its accuracy.
LEARNED_FROM = 10_000


def draw(figure: Figure, workdir: pathlib.Path) -> Product:
    """Norms and predictions of the test images, before pruning and after.

    A logistic regression on the whole network's training features predicts; it is not
    trained again on the pruned network's, so that "the prediction after" is what the
    pruned network would say in the place of the whole one. Options: `sparsities`, and
    `judged`, the one at which the claims are judged: there is one network, and its
    sparsities are no independent measurements.

    Args:
      figure: its first part names data set and encoder.
      workdir: not used.

    Returns:
      What came out.

    Raises:
      UserError: the encoder has no weights.
    """
    part = figure.parts[0]
    settings, inputs = inputs_of(part)
    encoder = make_encoder(
        with_encoder(settings, inputs.train, inputs.test, cache_root(None)).resolved[
            "features"
        ]
    )
    assert inputs.test_features is not None, "the part's framework is the probe"
    whole = np.asarray(inputs.test_features.rows, np.float64)
    alive = np.linalg.norm(whole, axis=1) > 0
    predict = _classifier(inputs)
    after = {}
    sparsities = figure.options["sparsities"]
    with Progress("pruned features", len(sparsities) * len(whole), "image") as progress:
        for sparsity in sparsities:
            rows = _encode(
                pruned_encoder(encoder, sparsity), settings, inputs, progress
            )
            after[sparsity] = After(row_norms(rows)[alive], predict(rows)[alive])
    bias = norm_bias(
        row_norms(whole)[alive], predict(whole)[alive], after, inputs.test.labels[alive]
    )
    said = ["One encoder; the intervals are over the test images."]
    said += bias_in_words(bias).splitlines()
    if not alive.all():
        said.append(f"{int((~alive).sum())} images without any feature are left out.")
    facts = {part.study: {"features": inputs.train_features.identity}}
    return Product(
        {"": pruned_figure(bias)},
        {"": _table(bias)},
        _verdicts(figure, bias),
        said,
        facts,
    )


def _encode(
    encoder: Encoder, settings: Settings, inputs: Inputs, progress: Progress
) -> np.ndarray:
    """float32 `[n, d]`, the test images' features."""
    size = settings.resolved["features"]["batch_size"]
    parts = []
    for rows in encode_stream(encoder, inputs.test.read(None, size), size):
        parts.append(rows)
        progress.advance(len(rows), f"sparsity {encoder.identity['sparsity']:g}")
    return np.concatenate(parts)


def _classifier(inputs: Inputs) -> Any:
    """`rows [m, d] -> classes [m]`, learned from the whole network's features."""
    from sklearn.linear_model import LogisticRegression

    rows = np.linspace(
        0, len(inputs.train.ids) - 1, min(LEARNED_FROM, len(inputs.train.ids))
    ).astype(int)
    features = np.asarray(inputs.train_features.rows[rows], np.float64)
    mean, spread = features.mean(0), features.std(0) + 1e-6
    model = LogisticRegression(C=1.0, max_iter=1000, tol=1e-3)
    model.fit((features - mean) / spread, inputs.train.labels[rows])
    return lambda x: model.predict((np.asarray(x, np.float64) - mean) / spread)


def _table(bias: NormBias) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "sparsity": 0.0,
            "decile": place,
            "norm_from": group.low,
            "norm_to": group.high,
            "retained": 1.0,
            "prediction_kept": 1.0,
            "accuracy": group.accuracy.mean,
        }
        for place, group in enumerate(bias.groups, 1)
    ]
    for pruned in bias.pruned:
        for place, (group, left) in enumerate(
            zip(bias.groups, pruned.groups, strict=True), 1
        ):
            rows.append(
                {
                    "sparsity": pruned.sparsity,
                    "decile": place,
                    "norm_from": group.low,
                    "norm_to": group.high,
                    "retained": left.retained.mean,
                    "prediction_kept": left.kept.mean,
                    "accuracy": left.accuracy.mean,
                }
            )
    return rows


def _verdicts(figure: Figure, bias: NormBias) -> list[Verdict]:
    """Rank correlations with the norm before; a claim's method names the quantity."""
    found = []
    for claim in figure.claims:
        for pruned in bias.pruned:
            if pruned.sparsity != figure.options["judged"]:
                continue
            relation = getattr(pruned, claim.method)
            if relation is None:
                continue
            rank = relation.spearman
            found.append(
                Verdict(
                    claim,
                    f"{100 * pruned.sparsity:g} % of the weights pruned",
                    judged(claim.kind, rank.low, rank.high, claim.margin),
                    rank.rho,
                    rank.low,
                    rank.high,
                    "rank r",
                    rank.n,
                )
            )
    return found

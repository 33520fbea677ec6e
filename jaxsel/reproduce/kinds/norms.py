"""Histograms of feature norms: the law that norm sampling draws from."""

import pathlib

from jaxsel.evaluation.spread import norm_sampling
from jaxsel.report.norm_histograms import norm_histograms, sampling_in_words
from jaxsel.report.norms import row_norms
from jaxsel.reproduce.figure import Figure, Product
from jaxsel.reproduce.studies import inputs_of


def draw(figure: Figure, workdir: pathlib.Path) -> Product:
    """A panel for the features of every part; nothing is selected or trained.

    Args:
      figure: its parts name data sets and features.
      workdir: not used; features are in the cache.

    Returns:
      What came out.
    """
    norms, facts = {}, {}
    for part in figure.parts:
        settings, inputs = inputs_of(part)
        features = settings.resolved["features"]["encoder"]
        name = f"{settings.resolved['data']['name']}, {features}"
        norms[name] = row_norms(inputs.train_features.rows)
        facts[part.study] = {"features": inputs.train_features.identity}
    spreads = {name: norm_sampling(values) for name, values in norms.items()}
    return Product(
        {"": norm_histograms(norms)},
        {"": [{"features": name, **s._asdict()} for name, s in spreads.items()]},
        [],
        [sampling_in_words(name, spread) for name, spread in spreads.items()],
        facts,
    )

"""SimCLR's settings from a config: its network in one section, the rest in another."""

from typing import Any

from jaxsel.errors import UserError
from jaxsel.pretraining.simclr import SimCLR
from jaxsel.pretraining.watch import Watch

# The section of the features has these, so that the same network untrained is one word
# away.
OF_THE_NETWORK = ("width", "stem", "mean", "std", "seed")

_SAMPLES = {"knn_bank": 0, "knn_queries": 0}


def default_section() -> dict[str, Any]:
    """The fields of `config.simclr` at the paper's values.

    Besides those of `SimCLR` and `Watch`: how many training images vote, and how many
    test images are asked for, in the k-NN accuracy; 0 is all.
    """
    training = SimCLR()._asdict()
    kept = {name: v for name, v in training.items() if name not in OF_THE_NETWORK}
    return {**kept, **Watch()._asdict(), **_SAMPLES}


def simclr_settings(features: dict[str, Any], section: dict[str, Any]) -> SimCLR:
    """The training that two sections of a config ask for.

    Args:
      features: with `width`, `stem`, `mean`, `std` and `seed`.
      section: of the form of `default_section`.

    Raises:
      UserError: a field that there is not, or one that is missing.
    """
    expected = default_section().keys()
    if section.keys() != expected:
        odd = sorted(section.keys() ^ expected)
        raise UserError(
            f"expected config.simclr to have the fields {', '.join(expected)}, found "
            f"another set: {', '.join(odd)}"
        )
    values = {name: features[name] for name in OF_THE_NETWORK}
    values |= {name: section[name] for name in section if name in SimCLR._fields}
    return SimCLR(**{name: _hashable(value) for name, value in values.items()})


def watch_settings(section: dict[str, Any]) -> Watch:
    """How often to look, from the same section."""
    return Watch(**{name: section[name] for name in Watch._fields})


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value

"""What a figure is before it is drawn, and what has come out once it is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ml_collections import ConfigDict

from jaxsel.evaluation.claims import Claim, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

SCALES = ("cpu", "gpu", "paper")


class Part(NamedTuple):
    """A grid of a study.

    Attributes:
      study: folder of the study; parts with the same name share it.
      config: of the main job; its methods, budgets, seeds and frameworks are the grid.
    """

    study: str
    config: ConfigDict


class Figure(NamedTuple):
    """A figure or table of the paper.

    Attributes:
      id: "fig2".
      title: one line.
      shows: a paragraph: what is drawn, and what the paper says of it.
      kind: who draws it, a name of `jaxsel.reproduce.kinds.KINDS`.
      parts: what is run for it.
      claims: what the paper says of it, to be checked.
      minutes: rough time on CIFAR-10 by scale, features and shared studies apart.
      needs: what must be at hand besides the data set.
      options: the kind's own.
    """

    id: str
    title: str
    shows: str
    kind: str
    parts: tuple[Part, ...]
    claims: tuple[Claim, ...] = ()
    minutes: Mapping[str, str] = {}
    needs: str = ""
    options: Mapping[str, Any] = {}


class Product(NamedTuple):
    """What came out.

    Attributes:
      drawings: name to Matplotlib figure; the first is the figure proper.
      tables: name to rows of one kind, each a mapping of column to value.
      verdicts: on the figure's claims.
      said: sentences of what came out.
      facts: of the studies, for the manifest.
      shown: a Markdown table for the text, where the figure is one.
    """

    drawings: Mapping[str, "Drawing"]
    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    verdicts: Sequence[Verdict]
    said: Sequence[str]
    facts: Mapping[str, Any] = {}
    shown: str = ""

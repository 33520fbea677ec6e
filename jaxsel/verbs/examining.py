"""The doctor at work on features, with a line that says how far it has come."""

import numpy as np

from jaxsel.doctor.examine import examine
from jaxsel.doctor.finding import Finding
from jaxsel.doctor.passes import PASSES
from jaxsel.experiment.progress import Progress


def examined(rows: np.ndarray, budget: int | None, ids: np.ndarray) -> list[Finding]:
    """Findings on features, as `doctor.examine` has them.

    Args:
      rows: real `[n, d]`.
      budget: how many are to be picked, where that is known.
      ids: `[n]`, names of the rows.
    """
    title = f"examining, {PASSES} passes"
    with Progress(title, PASSES * len(rows), "row") as progress:
        return examine(rows, budget=budget, ids=ids, advance=progress.advance)

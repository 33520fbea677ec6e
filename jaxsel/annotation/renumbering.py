"""Earlier labels beside the picks of a pool that has grown: ids stay, rows move."""

from collections.abc import Sequence

from jaxsel.annotation.labels import LabelRow
from jaxsel.annotation.picks import Pick


def renumbered(labels: Sequence[LabelRow], picks: Sequence[Pick]) -> list[LabelRow]:
    """Labels with the row numbers that their picks have now.

    Args:
      labels: what was known.
      picks: of the round that is labelled now, earlier ones among them.

    Returns:
      The labels in their order. Those of no pick keep the row of their time: it may be
      another's by now, which is why a labels.csv is read by its ids.

    Example:
      >>> picks = [Pick(1, "b.png", "b.png", 7, None, 1)]
      >>> renumbered([LabelRow("b.png", 4, "cat"), LabelRow("a.png", 7, "dog")], picks)
      [LabelRow(id='b.png', index=7, label='cat'), LabelRow(id='a.png', index=7, \
label='dog')]
    """
    row_of = {pick.id: pick.index for pick in picks}
    return [row._replace(index=row_of.get(row.id, row.index)) for row in labels]

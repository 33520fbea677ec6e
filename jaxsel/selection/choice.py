"""Which method where none is asked for: a rule, from what was measured.

docs/choosing.md has the measurements and the commands behind them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from jaxsel.errors import UserError

FEW = 100
MANY_ROWS = 200_000


class Choice(NamedTuple):
    """A method and why."""

    method: str
    reason: str


def chosen(
    method: str | None, labels: int, rows: int, *, learned: bool = True
) -> Choice:
    """The method that was asked for, or the rule's where none was.

    Every door asks here, so that the same call picks by the same method from Python,
    from the command line, and from disk.

    Args:
      method: the name that was given, or `None`.
      labels: how many labels in all, those that are known among them.
      rows: of the pool.
      learned: whether the features have learned something; those that people bring
        count as such.

    Returns:
      The name of the method and the reason, a sentence for people.

    Example:
      >>> chosen("norm", 50, 10_000)
      Choice(method='norm', reason='it was asked for')
      >>> chosen(None, 50, 10_000).method
      'typiclust'
    """
    if method is not None:
        return Choice(method, "it was asked for")
    return default_method(labels, rows, learned)


@contextmanager
def said_if_unnamed(named: str | None, method: str) -> Iterator[None]:
    """Adds to a refusal that the rule chose the method it speaks of.

    Raises:
      UserError: the one of the body.
    """
    try:
        yield
    except UserError as error:
        if named is not None:
            raise
        raise UserError(
            f"{error}. (No method was named, and the rule chose {method}: name the "
            "one that the options are for.)"
        ) from error


def default_method(budget: int, rows: int, learned: bool) -> Choice:
    """The method for a budget and a kind of features; all of them have a disk form.

    - Up to 100 labels: `typiclust`, ahead of the others on photographs.
    - More labels, up to 200,000 rows: `probcover`. TypiClust makes a cluster a label,
      and falls behind random picks from 200 labels on; ProbCover never did.
    - More labels and rows: `k_center`, ahead of random picks at 200 and 400 labels, as
      ProbCover compares all pairs of rows.

    Features that have learned nothing change the reason, not the method: gains are
    smaller there, but neither method was found behind random picks.

    Args:
      budget: how many labels in all.
      rows: of the pool.
      learned: whether the features have learned something.

    Returns:
      The name of the method and the reason, a sentence for people.

    Example:
      >>> default_method(50, 10_000, True).method, default_method(500, 9, True).method
      ('typiclust', 'probcover')
    """
    choice = _by_size(budget, rows)
    if learned:
        return choice
    return choice._replace(
        reason=f"{choice.reason}. On features that have learned nothing expect less: "
        "there a gain was seen on CIFAR-10 with 10 labels only"
    )


def _by_size(budget: int, rows: int) -> Choice:
    if budget <= FEW:
        return Choice(
            "typiclust",
            "with few labels it was ahead of random picks by 4.5 to 12.3 points on "
            "CIFAR-10 (20 to 100 labels) and by 3.9 to 18.1 on digits (10 to 100)",
        )
    if rows <= MANY_ROWS:
        return Choice(
            "probcover",
            "with more than 100 labels it was ahead of random picks by 1.4 ± 0.7 "
            "points on digits (200 labels), where TypiClust fell behind them",
        )
    return Choice(
        "k_center",
        "with more than 100 labels it was ahead of random picks by 2.1 ± 0.6 points on "
        f"digits (200 labels), and ProbCover would compare all pairs of {rows:,} rows",
    )

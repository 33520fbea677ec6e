"""What picked labels are worth in random ones, in words and as tables."""

import math
from collections.abc import Callable, Sequence
from html import escape

from jaxsel.evaluation.labels_worth import Worth
from jaxsel.report.words import labels

NOTE = (
    "How many random labels reach the same mean accuracy, with the interval in "
    "brackets: random's means over the seeds, made monotone in the number of labels "
    "and interpolated between those measured. Seeds are resampled together. “>” is "
    "beyond the largest number of random labels measured, “≤” is within the smallest."
)


def amount(number: float, worth: Worth) -> str:
    """A number of random labels, as far as it was measured.

    Example:
      >>> from jaxsel.evaluation.statistics import Setting
      >>> where = Setting("digits", "raw", "probe")
      >>> w = Worth(where, "norm", 20, 31.6, 25, math.inf, 10, 80, 20, .95)
      >>> amount(w.labels, w), amount(w.high, w), amount(10, w)
      ('32', '> 80', '≤ 10')
    """
    if math.isinf(number):
        return f"> {worth.most:,}"
    if number <= worth.least:
        return f"≤ {worth.least:,}"
    return f"{number:,.0f}"


def worth_cell(worth: Worth) -> str:
    """`32 [25, > 80]`."""
    ends = (amount(end, worth) for end in (worth.low, worth.high))
    return "{} [{}, {}]".format(amount(worth.labels, worth), *ends)


def worth_sentence(worth: Worth) -> str:
    """The sentence that a person repeats.

    Example:
      >>> from jaxsel.evaluation.statistics import Setting
      >>> where = Setting("digits", "raw", "probe")
      >>> worth_sentence(Worth(where, "norm", 20, 31.6, 25, 38, 10, 80, 20, .95))
      '20 labels picked by norm are worth 32 random ones (95 % interval 25 to 38).'
    """
    number = amount(worth.labels, worth)
    number = number.replace("> ", "more than ").replace("≤ ", "at most ")
    ends = [amount(end, worth) for end in (worth.low, worth.high)]
    verb = "is" if worth.budget == 1 else "are"
    ones = "one" if number.endswith(" 1") or number == "1" else "ones"
    return (
        f"{labels((worth.budget,))} picked by {worth.method} {verb} worth {number} "
        f"random {ones} ({100 * worth.level:g} % interval {ends[0]} to {ends[1]})."
    )


def headline(
    found: Sequence[Worth], recommended: Callable[[int], str] | None
) -> Worth | None:
    """The comparison to repeat, chosen before its outcome is known.

    It is that of the method that the default rule gives, at the largest number of
    labels of which four times as many random ones were measured.

    Args:
      found: of one setting.
      recommended: the rule's method by number of labels.

    Returns:
      The comparison, or None where it was not measured.
    """
    wide = [w.budget for w in found if 4 * w.budget <= w.most]
    if recommended is None or not wide:
        return None
    budget = max(wide)
    method = recommended(budget)
    return next((w for w in found if (w.method, w.budget) == (method, budget)), None)


def worth_rows(found: Sequence[Worth]) -> tuple[list[str], list[list[str]]]:
    """A table's header and body: methods by numbers of labels."""
    budgets = sorted({w.budget for w in found})
    cells = {(w.method, w.budget): worth_cell(w) for w in found}
    methods = dict.fromkeys(w.method for w in found)
    body = [[m, *(cells.get((m, b), "–") for b in budgets)] for m in methods]
    return ["labels picked", *(f"{b:,}" for b in budgets)], body


def worth_html(found: Sequence[Worth]) -> str:
    """The table as HTML."""
    header, body = worth_rows(found)
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    lines = "".join(
        f'<tr><th scope="row">{escape(method)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for method, *cells in body
    )
    return (
        f'<div class="wide"><table><caption>{escape(NOTE)}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>{lines}</tbody></table></div>"
    )

"""Verdicts on claims, in words and as a Markdown table."""

import math
from collections.abc import Iterable, Sequence

from jaxsel.evaluation.claims import KINDS, OPEN, REFUTED, SUPPORTED, Claim, Verdict

# Of a unit: the factor to what is shown, digits after the point, and its name.
_SHOWN = {
    "points": (100.0, 1, "points"),
    "% of distance": (100.0, 1, "% of the distance"),
    "times": (1.0, 3, "times"),
}
HEADING = "| the paper says | where | verdict | measured |"


def numbers(verdict: Verdict) -> str:
    """The quantity with its 95 % interval and what it is of.

    >>> claim = Claim("", "norm beats random", "better", "norm")
    >>> numbers(Verdict(claim, "", SUPPORTED, .012, .004, .02, "points", 10))
    '+1.2 [+0.4, +2.0] points, n = 10'
    """
    factor, digits, name = _SHOWN.get(verdict.unit, (1.0, 2, verdict.unit))

    def one(value: float) -> str:
        if not math.isfinite(value):
            return "?"
        if verdict.unit == "times":
            return f"{value:.{digits}g}"
        return f"{factor * value:+.{digits}f}".replace("-", "−")

    return (
        f"{one(verdict.value)} [{one(verdict.low)}, {one(verdict.high)}] {name}, "
        f"n = {verdict.n:,}"
    )


def claim_text(claim: Claim) -> str:
    """The claim, with the margin where it has one.

    >>> claim_text(Claim("", "norm is as good as random", "not worse", "norm"))
    'norm is as good as random (to within 2 points)'
    """
    if not any(end and math.isfinite(end) for end in KINDS[claim.kind]):
        return claim.text
    return f"{claim.text} (to within {100 * claim.margin:g} points)"


def counted(verdicts: Sequence[Verdict]) -> str:
    """How many of them came out how.

    >>> counted([])
    'nothing measured'
    """
    if not verdicts:
        return "nothing measured"
    words = [verdict.word for verdict in verdicts]
    short = {SUPPORTED: "supported", REFUTED: "not supported", OPEN: "not resolved"}
    return ", ".join(
        f"{words.count(word)} {name}" for word, name in short.items() if word in words
    )


def overall(verdicts: Sequence[Verdict]) -> str:
    """One verdict for several measurements of a claim.

    >>> overall([])
    'not measured'
    """
    words = {verdict.word for verdict in verdicts}
    if not words:
        return "not measured"
    if words == {OPEN}:
        return OPEN
    decided = words - {OPEN}
    if len(decided) > 1:
        return "mixed"
    return decided.pop() + (" where resolved" if OPEN in words else "")


def verdict_table(verdicts: Iterable[Verdict]) -> str:
    """A row a verdict: claim, where, verdict, numbers."""
    lines = [HEADING, "| --- | --- | --- | --- |"]
    for verdict in verdicts:
        cells = [claim_text(verdict.claim), verdict.where, f"**{verdict.word}**"]
        lines.append(f"| {' | '.join([*map(_plain, cells), numbers(verdict)])} |")
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.replace("|", "\\|")

"""A finding: what was seen, how bad it is, in numbers and in a sentence."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


class Finding(NamedTuple):
    """One thing that is wrong or good to know.

    Attributes:
      code: its name for programs; those of `examine` are listed there.
      severity: "error": selection will refuse or cannot mean anything; "warning": the
        picks may be worse than they could be; "note": good to know.
      sentence: for people, one line.
      numbers: plain JSON values, what was measured.
      rows: the first few rows concerned, ascending.
      names: the ids of `rows`, or their numbers as text.
      total: of all rows concerned; 0 for what is not about rows.
    """

    code: str
    severity: Severity
    sentence: str
    numbers: dict[str, Any]
    rows: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    total: int = 0


def words(findings: Sequence[Finding]) -> str:
    """Findings as text for a terminal, the gravest first.

    Args:
      findings: of `examine`.

    Returns:
      A line a finding, and under it the first rows concerned.

    Example:
      >>> print(words([Finding("zero-rows", "warning", "2 rows are zero.", {},
      ...                      (3, 4), ("c.png", "d.png"), 9)]))
      warning: 2 rows are zero.
        c.png, d.png and 7 more
    """
    lines = []
    for finding in sorted(findings, key=lambda f: SEVERITIES.index(f.severity)):
        lines.append(f"{finding.severity}: {finding.sentence}")
        if finding.names:
            # A name with a newline in it cannot pass for a line of ours.
            shown = ", ".join(
                name if name.isprintable() else repr(name) for name in finding.names
            )
            more = finding.total - len(finding.names)
            lines.append(f"  {shown}{f' and {more:,} more' if more > 0 else ''}")
    return "\n".join(lines)


def as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as plain values that `json.dumps(..., allow_nan=False)` takes.

    Example:
      >>> as_json([Finding("norms", "note", "Norms vary.", {"mean": 2.0})])[0]["code"]
      'norms'
    """
    return [
        {**finding._asdict(), "rows": list(finding.rows), "names": list(finding.names)}
        for finding in findings
    ]


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    Example:
      >>> counted(1, "row"), counted(2000, "row")
      ('1 row', '2,000 rows')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"

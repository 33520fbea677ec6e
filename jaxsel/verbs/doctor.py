"""`jaxsel doctor SOURCE`: what is wrong or odd with images or features."""

import click

from jaxsel.doctor.checks import budget_fits
from jaxsel.doctor.finding import Finding, as_json, counted, words
from jaxsel.sources.opening import open_source
from jaxsel.sources.source import Source
from jaxsel.verbs.column_options import (
    asked_by,
    column_options,
    columns_found,
    say_columns,
)
from jaxsel.verbs.command import as_json_option, say, shown
from jaxsel.verbs.examining import examined
from jaxsel.verbs.reading import (
    reading_json,
    reading_sentences,
    skipped_sentence,
)

_LISTED = 20
_FEW = 5


@click.command("doctor")
@click.argument("source")
@click.option(
    "-b", "--budget", type=click.IntRange(1), help="How many are to be picked."
)
@column_options
@click.option("--strict", is_flag=True, help="An unreadable image is a mistake.")
@as_json_option
def doctor(
    source: str,
    budget: int | None,
    columns: str | None,
    features: str | None,
    ids: str | None,
    strict: bool,
    as_json: bool,
) -> int:
    """Says what is wrong or odd with SOURCE before anything is selected from it.

    SOURCE is a folder of images, or a file of features (.npy, .npz, .parquet, .csv)
    with one row an example. Of images, every file is decoded once; what is passed over,
    what has several pages or more than 8 bits, and which files are the same is listed.
    Of features, repeats, zeros, NaN, norms and the effective rank are looked at.

    The exit code is 1 where a finding is an error, 2 after a mistake, else 0.

    \b
    Example:
      jaxsel doctor features.npy -b 100
    """
    asked = asked_by(columns, features, ids)
    opened = open_source(source, **asked.given, strict=strict)
    say_columns(opened.roles, as_json)
    findings: list[Finding] = []
    if opened.features is not None:
        findings = examined(opened.features, budget, opened.ids)
    elif budget is not None:
        fits = budget_fits(len(opened.ids), len(opened.ids), budget)
        findings = [] if fits is None else [fits]
    say(as_json, _found(opened, findings), _text(opened, findings))
    return int(any(finding.severity == "error" for finding in findings))


def _found(source: Source, findings: list[Finding]) -> dict:
    shape = None if source.features is None else list(source.features.shape)
    return {
        "source": str(source.path),
        "rows": len(source.ids),
        "features": shape,
        "columns": columns_found(source.roles),
        "fingerprint": source.fingerprint,
        "unreadable": [entry._asdict() for entry in source.unreadable],
        "skipped": source.skipped._asdict(),
        "reading": reading_json(source.reading),
        "copies": [list(names) for names in source.copies],
        "findings": as_json(findings),
    }


def _text(source: Source, findings: list[Finding]) -> str:
    if source.features is not None:
        n, d = source.features.shape
        return "\n".join([f"{n:,} rows of {d:,} features", words(findings)])
    lines = [
        f"{counted(len(source.ids), 'image')} decoded, "
        f"{len(source.unreadable):,} unreadable"
    ]
    for entry in source.unreadable[:_LISTED]:
        lines.append(f"  {shown(entry.id)}: {entry.reason}")
    if len(source.unreadable) > _LISTED:
        lines.append(f"  and {len(source.unreadable) - _LISTED:,} more")
    lines += filter(None, [skipped_sentence(source.skipped)])
    lines += reading_sentences(source.reading)
    if source.copies:
        lines.append(_copies(source.copies))
    if findings:
        lines.append(words(findings))
    lines.append(
        "Only the files were checked: features are examined when jaxsel select has "
        "made them."
    )
    return "\n".join(lines)


def _copies(groups: tuple[tuple[str, ...], ...]) -> str:
    """Files that are the same, in one line a group."""
    more = sum(len(names) - 1 for names in groups)
    lines = [
        f"{counted(more, 'image')} {'is a copy' if more == 1 else 'are copies'} of "
        "another file: a label for one is a label for all"
    ]
    for names in groups[:_FEW]:
        listed = " = ".join(map(shown, names[:_FEW]))
        lines.append(f"  {listed}{' = …' if len(names) > _FEW else ''}")
    if len(groups) > _FEW:
        lines.append(f"  and {counted(len(groups) - _FEW, 'more such file')}")
    return "\n".join(lines)

"""One round of selection, the first or a later one: the work of select and backfill."""

import pathlib
from typing import Any, NamedTuple

import click

from jaxsel.annotation.labels import UNUSABLE, Label
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.rounds import Round, continued, name_of
from jaxsel.doctor.examine import examine
from jaxsel.doctor.finding import Finding, as_json, words
from jaxsel.errors import UserError
from jaxsel.experiment.provenance import provenance
from jaxsel.sources.source import Source
from jaxsel.verbs.choice import default_method
from jaxsel.verbs.command import printable
from jaxsel.verbs.encoding import Pool
from jaxsel.verbs.memory import check_memory
from jaxsel.verbs.picking import check_room, joined, pick_rows, with_represents
from jaxsel.verbs.round_folder import Earlier, write_folder


class Wish(NamedTuple):
    """What is asked of a round.

    Attributes:
      budget: labels in all, those of earlier rounds among them.
      method: of `jaxsel.METHODS`; `None` for the earlier round's, or the default.
      seed: `None` for the earlier round's, or 0.
      labels: what is known of rows, by row.
      quiet: whether the doctor's findings are not printed.
      ignore_memory: whether a forecast that memory does not suffice stops nothing.
    """

    budget: int
    method: str | None
    seed: int | None
    labels: dict[int, Label]
    quiet: bool = False
    ignore_memory: bool = False


class Done(NamedTuple):
    """A round that was written.

    Attributes:
      round: what it was.
      picks: all of them, by rank.
      added: how many of them are new.
      reason: why this method.
      findings: of the doctor.
    """

    round: Round
    picks: list[Pick]
    added: int
    reason: str
    findings: list[Finding]


class _Start(NamedTuple):
    """Where picking starts from: picks that stay and rows of each kind."""

    stay: tuple[Pick, ...]
    excluded: tuple[Pick, ...]
    more: int
    labelled: frozenset[int]
    unusable: frozenset[int]


def make_round(
    source: Source,
    pool: Pool,
    wish: Wish,
    folder: pathlib.Path,
    earlier: Earlier | None,
) -> Done:
    """Examines the features, picks, and writes the round into its folder.

    Args:
      source: the pool's names.
      pool: its features.
      wish: what is asked for.
      folder: as `round_folder.check_new` left it.
      earlier: the round before.

    Returns:
      The round as it was written.

    Raises:
      UserError: errors in the features, another pool than the earlier round's, a budget
        that cannot be met, too little memory; nothing was written.
    """
    start = _start(source, pool, wish, earlier)
    staying = {pick.index for pick in start.stay}
    known = start.labelled | staying
    check_room(len(source.ids), known, start.unusable, start.more)
    method, reason = _method(wish, pool, earlier)
    if not wish.ignore_memory:
        check_memory(
            method,
            pool.rows,
            source.ids,
            start.more,
            labelled=known,
            excluded=start.unusable,
        )
    findings = _examined(source, pool, start.more, wish.quiet)
    seed = wish.seed
    if seed is None:
        seed = earlier.round.seed if earlier else 0
    new = pick_rows(
        source,
        pool.rows,
        start.more,
        method,
        seed,
        labelled=known,
        excluded=start.unusable,
    )
    before = earlier.picks if earlier else ()
    kept = {pick.id for pick in (*start.stay, *start.excluded)}
    picks = with_represents(joined(before, kept, new), pool.rows, start.unusable)
    told = provenance()
    options: dict[str, Any] = {
        "encoder": pool.encoder,
        "labelled": sorted(start.labelled),
        "unusable": sorted(start.unusable),
    }
    one = Round(
        source=str(source.path.resolve()),
        fingerprint=pool.fingerprint,
        rows=len(source.ids),
        method=method,
        options=options,
        seed=seed,
        budget=wish.budget,
        versions={name: v for name, v in told.pop("versions").items() if v},
        parents=(*earlier.round.parents, name_of(earlier.round)) if earlier else (),
    )
    manifest = {
        "provenance": told,
        "findings": as_json(findings),
        "reason": reason,
        "features": list(pool.rows.shape),
        "unreadable": [entry._asdict() for entry in source.unreadable],
        "added": len(new),
    }
    write_folder(folder, picks, one, manifest)
    return Done(one, picks, len(new), reason, findings)


def _start(source: Source, pool: Pool, wish: Wish, earlier: Earlier | None) -> _Start:
    labels = {str(source.ids[row]): label for row, label in wish.labels.items()}
    bad = {row for row, label in wish.labels.items() if label is UNUSABLE}
    good = frozenset(wish.labels) - bad
    if earlier is None:
        return _Start((), (), wish.budget, good, frozenset(bad))
    picked = {pick.id: pick.index for pick in earlier.picks}
    # What was unusable stays so, unless a label says otherwise now.
    known: dict[str, Label] = {
        name: UNUSABLE for name, row in picked.items() if row in earlier.unusable
    }
    known |= {name: label for name, label in labels.items() if name in picked}
    after = continued(
        earlier.round,
        earlier.picks,
        known,
        fingerprint=pool.fingerprint,
        budget=wish.budget,
    )
    unusable = (earlier.unusable | bad) - good
    labelled = (earlier.labelled | good) - set(picked.values()) - unusable
    return _Start(after.keep, after.exclude, after.more, labelled, unusable)


def _examined(source: Source, pool: Pool, more: int, quiet: bool) -> list[Finding]:
    findings = examine(pool.rows, budget=more or None, ids=source.ids)
    if not quiet:
        click.echo(printable(words(findings)), err=True)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise UserError(
            f"expected features without errors, found {len(errors)}, which jaxsel "
            f"doctor shows too: {' '.join(finding.sentence for finding in errors)}"
        )
    return findings


def _method(wish: Wish, pool: Pool, earlier: Earlier | None) -> tuple[str, str]:
    if wish.method is not None:
        return wish.method, "it was asked for"
    if earlier is not None:
        return earlier.round.method, "it is the earlier round's"
    return default_method(wish.budget, len(pool.rows), pool.learned)

"""One round of selection, the first or a later one: the work of select and backfill."""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click
import numpy as np

from jaxsel.annotation.labels import UNUSABLE, Label
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.rounds import Round, continued
from jaxsel.doctor.finding import Finding, as_json, words
from jaxsel.errors import UserError
from jaxsel.evaluation.coverage import Coverage
from jaxsel.experiment.provenance import provenance
from jaxsel.roles import NOTHING, Asked
from jaxsel.selection.choice import chosen
from jaxsel.selection.constraints import Constraints
from jaxsel.sources.source import Source
from jaxsel.verbs.column_options import columns_found
from jaxsel.verbs.command import printable
from jaxsel.verbs.constraining import (
    Before,
    Limits,
    columns_hash,
    constraints_after,
    in_words,
    limits_of,
)
from jaxsel.verbs.dropping import Fine, fine_part, in_source, told
from jaxsel.verbs.encoding import Pool
from jaxsel.verbs.examining import examined
from jaxsel.verbs.explaining import coverage_json, explain
from jaxsel.verbs.first_checks import check_limits
from jaxsel.verbs.growing import row_hashes
from jaxsel.verbs.memory import check_memory
from jaxsel.verbs.picking import Picked, check_room, joined, pick_rows
from jaxsel.verbs.place import BESIDE, way_to
from jaxsel.verbs.reading import reading_json
from jaxsel.verbs.round_folder import Earlier, write_folder
from jaxsel.verbs.round_report import report_of


class Wish(NamedTuple):
    """What is asked of a round.

    Attributes:
      budget: labels in all, those of earlier rounds among them.
      method: of `jaxsel.METHODS`; `None` for the earlier round's, or the default.
      seed: `None` for the earlier round's, or 0.
      labels: what is known of rows, by row.
      quiet: whether the doctor's findings are not printed.
      options: of the method; `None` for the earlier round's where its method stays.
      limits: constraints; `None` for the earlier round's, or none.
      ignore_memory: whether a forecast that memory does not suffice stops nothing.
      reading: what was said of the columns of a table, for the next round.
      drop_bad: whether rows that are not finite are left out; else they are an error.
    """

    budget: int
    method: str | None
    seed: int | None
    labels: dict[int, Label]
    quiet: bool = False
    options: Mapping[str, Any] | None = None
    limits: Limits | None = None
    ignore_memory: bool = False
    reading: Asked = NOTHING
    drop_bad: bool = False


class Done(NamedTuple):
    """A round that was written.

    Attributes:
      round: what it was.
      picks: all of them, by rank.
      added: how many of them are new.
      reason: why this method.
      findings: of the doctor.
      coverage: of the pool by the picks.
      heeded: what came of the constraints; empty without.
      dropped: rows that are not finite and were left out.
    """

    round: Round
    picks: list[Pick]
    added: int
    reason: str
    findings: list[Finding]
    coverage: Coverage
    heeded: Mapping[str, Any] = {}
    dropped: tuple[int, ...] = ()


class _Start(NamedTuple):
    """Where picking starts from: picks that stay and rows of each kind."""

    stay: tuple[Pick, ...]
    excluded: tuple[Pick, ...]
    more: int
    labelled: frozenset[int]
    unusable: frozenset[int]

    @property
    def rows(self) -> Before:
        """What is known of rows, for the constraints."""
        stay = frozenset(pick.index for pick in self.stay)
        return Before(stay, self.labelled | stay, self.unusable, self.more)


class _How(NamedTuple):
    """Who picks, why, and under which limits."""

    method: str
    reason: str
    options: dict[str, Any]
    seed: int
    limits: Limits


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
      earlier: the round before, as `growing.carried_over` gives it.

    Returns:
      The round as it was written.

    Raises:
      UserError: errors in the features, another pool than the earlier round's, a budget
        that cannot be met, too little memory; nothing was written.
    """
    start = _start(source, pool, wish, earlier)
    if not start.more and not start.stay:
        raise UserError("expected a budget of at least 1 label, found 0: ask for more")
    fine = fine_part(pool.rows, wish.drop_bad, start.unusable)
    gone = frozenset(fine.dropped.tolist())
    start = start._replace(
        labelled=start.labelled - gone, unusable=start.unusable | gone
    )
    known = start.rows.known
    check_room(len(source.ids), known, start.unusable, start.more)
    how = _how(wish, pool, start, earlier)
    if not wish.ignore_memory:
        check_memory(
            how.method,
            pool.rows,
            source.ids,
            start.more,
            labelled=known,
            excluded=start.unusable,
            options=how.options,
        )
    heeded = constraints_after(how.limits, source, start.rows)
    findings = _examined(source, fine, start.more, wish.quiet)
    picked = _picked(source, pool, start, how, heeded)
    new = picked.picks
    before = earlier.picks if earlier else ()
    kept = {pick.id for pick in (*start.stay, *start.excluded)}
    all_picks = joined(before, kept, new)
    places = fine.among([pick.index for pick in all_picks])
    if len(places) < len(all_picks):
        raise UserError(
            "expected picks of earlier rounds with finite features, found "
            f"{len(all_picks) - len(places)} without: start a first round again"
        )
    place_of = dict(zip(fine.places[places].tolist(), places.tolist(), strict=True))
    barred: Any = () if heeded is None else heeded.exclude
    story = explain(
        [pick._replace(index=place_of[pick.index]) for pick in all_picks],
        fine.rows,
        labelled=fine.among(start.labelled).tolist(),
        unusable=fine.among(start.unusable).tolist(),
        method=how.method,
        radius=picked.radius,
        seed=how.seed,
        barred=barred if barred is None else fine.among(np.asarray(barred, int)),
    )
    where_from, growth = provenance(), earlier.growth if earlier else None
    story = in_source(story, fine, len(source.ids))
    versions = {name: v for name, v in where_from.pop("versions").items() if v}
    # What money did not reach for is not asked for again by a backfill.
    paid = len(start.stay) + len(new)
    budget = wish.budget if picked.ended == "budget" else paid
    one = _round(
        source, pool, start, how, earlier, budget, versions, folder, wish.reading
    )
    manifest = {
        "provenance": where_from,
        "findings": as_json(findings),
        "reason": how.reason,
        "features": list(pool.rows.shape),
        "table": columns_found(source.roles),
        "encoder": dict(pool.made_by) or None,
        "unreadable": [entry._asdict() for entry in source.unreadable],
        "reading": reading_json(source.reading),
        "since": growth.as_json() if growth is not None else None,
        "added": len(new),
        "asked": start.more,
        "columns": columns_hash(heeded),
        "dropped": sorted(gone),
        "coverage": coverage_json(story.coverage),
        "constraints": in_words(how.limits, picked.heeded),
    }
    report = report_of(source, pool, story, one, manifest, findings, kept)
    content = row_hashes(source)
    assert content is not None  # its images were opened
    write_folder(folder, story, one, manifest, source.ids, report, content)
    return Done(
        one,
        story.picks,
        len(new),
        how.reason,
        findings,
        story.coverage,
        picked.heeded,
        tuple(sorted(gone)),
    )


def check_before_encoding(source: Source, wish: Wish, earlier: Earlier | None) -> None:
    """Refuses what can be refused without features, which may take long to make.

    Args:
      source: the pool's names.
      wish: what is asked for.
      earlier: the round before, as `growing.carried_over` gives it.

    Raises:
      UserError: too few rows, or constraints that cannot hold.
    """
    start = _start(source, None, wish, earlier)
    check_room(len(source.ids), start.rows.known, start.unusable, start.more)
    check_limits(_limits(wish, earlier), source, start.rows)


def _picked(
    source: Source,
    pool: Pool,
    start: _Start,
    how: _How,
    heeded: Constraints | None,
) -> Picked:
    """The new picks; there are some where some are asked for."""
    found = pick_rows(
        source,
        pool.rows,
        start.more,
        how.method,
        how.seed,
        labelled=start.rows.known,
        excluded=start.unusable,
        constraints=heeded,
        options=how.options,
    )
    if start.more and not found.picks:
        raise UserError(
            f"expected funds that pay for another label, found {how.limits.funds:g}: "
            "give more --funds, to jaxsel select --continue"
        )
    return found


def _round(
    source: Source,
    pool: Pool,
    start: _Start,
    how: _How,
    earlier: Earlier | None,
    budget: int,
    versions: Mapping[str, str],
    folder: pathlib.Path,
    reading: Asked,
) -> Round:
    limits = {**how.limits._asdict(), "quotas": dict(how.limits.quotas)}
    options: dict[str, Any] = {
        "encoder": pool.encoder,
        "labelled": sorted(start.labelled),
        "unusable": sorted(start.unusable),
        "method": dict(how.options),
        "limits": limits,
        BESIDE: way_to(source.path, folder),
    }
    if earlier and (gone := earlier.round.options.get("gone")):
        options["gone"] = gone
    if reading != NOTHING:
        options["reading"] = reading.record()
    return Round(
        source=str(source.path.resolve()),
        fingerprint=pool.fingerprint,
        rows=len(source.ids),
        method=how.method,
        options=options,
        seed=how.seed,
        budget=budget,
        versions=versions,
        parents=(*earlier.round.parents, earlier.name) if earlier else (),
    )


def _start(
    source: Source, pool: Pool | None, wish: Wish, earlier: Earlier | None
) -> _Start:
    """Where picking starts; that the pool is the earlier round's is known with it."""
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
    one = earlier.round if pool is None else _of_the_pool_now(earlier, pool)
    after = continued(
        one,
        earlier.picks,
        known,
        fingerprint=one.fingerprint if pool is None else pool.fingerprint,
        budget=wish.budget,
    )
    unusable = (earlier.unusable | bad) - good
    labelled = (earlier.labelled | good) - set(picked.values()) - unusable
    return _Start(after.keep, after.exclude, after.more, labelled, unusable)


def _of_the_pool_now(earlier: Earlier, pool: Pool) -> Round:
    """The earlier round; of a pool that has grown, as a round of the pool as it is."""
    before = earlier.round
    if earlier.growth is None:
        return before
    if dict(before.options["encoder"]) != dict(pool.encoder):
        raise UserError(
            "expected the encoder of the earlier round "
            f"({before.options['encoder'].get('encoder', 'none')}), found another or "
            "other settings of it: leave --encoder, --weights and --side out"
        )
    return before._replace(fingerprint=pool.fingerprint)


def _examined(source: Source, fine: Fine, more: int, quiet: bool) -> list[Finding]:
    findings = examined(fine.rows, more or None, source.ids[fine.places])
    findings = told(findings, fine, source.ids)
    if not quiet:
        click.echo(printable(words(findings)), err=True)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise UserError(
            f"expected features without errors, found {len(errors)}, which jaxsel "
            f"doctor shows too: {' '.join(finding.sentence for finding in errors)}"
            + (
                " --drop-bad (drop_bad=True) leaves them out."
                if any(finding.code == "not-finite" for finding in errors)
                else ""
            )
        )
    return findings


def _limits(wish: Wish, earlier: Earlier | None) -> Limits | None:
    if wish.limits is None and earlier is not None:
        return limits_of(earlier.round.options.get("limits", {}))
    return wish.limits


def _how(wish: Wish, pool: Pool, start: _Start, earlier: Earlier | None) -> _How:
    """What was asked for; else what the earlier round did; else the defaults."""
    seed, limits = wish.seed, _limits(wish, earlier)
    if earlier is not None and seed is None:
        seed = earlier.round.seed
    given = dict(wish.options or {})
    if earlier is not None and wish.method in (None, earlier.round.method):
        method, reason = earlier.round.method, "it is the earlier round's"
        given = {**earlier.round.options.get("method", {}), **given}
    else:
        labels = len(start.rows.known) + start.more
        method, reason = chosen(
            wish.method, labels, len(pool.rows), learned=pool.learned
        )
    return _How(method, reason, given, seed or 0, limits or Limits())

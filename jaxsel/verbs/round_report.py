"""From a round to its `report.html`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from jaxsel.annotation.picks import Pick
from jaxsel.annotation.rounds import Round, name_of
from jaxsel.doctor.finding import Finding, counted
from jaxsel.evaluation.directions import evenly
from jaxsel.evaluation.plane import plane_of
from jaxsel.experiment.progress import Progress
from jaxsel.features.efficientnet_weights import PROVENANCE
from jaxsel.report.pick_sheet import MOST_TILES, SIDE, ShownPick, shown
from jaxsel.report.pool_map import PoolMap
from jaxsel.report.round_page import Remark, RoundPage, round_html
from jaxsel.sources.images import thumbnails
from jaxsel.sources.source import Source
from jaxsel.verbs.command import printable
from jaxsel.verbs.encoding import UNTRAINED, Pool
from jaxsel.verbs.explaining import Story
from jaxsel.verbs.reading import reading_sentences

DRAWN = 20_000  # rows of the pool on the map
_LABELLED_DRAWN = 2_000
_AT_ONCE = 32
_ENCODER = ("encoder", "weights", "side", "width", "stem")  # settings shown


def report_of(
    source: Source,
    pool: Pool,
    story: Story,
    one: Round,
    manifest: Mapping[str, Any],
    findings: Sequence[Finding],
    kept: Collection[str],
) -> str:
    """The page of a round.

    Args:
      source: where names and images come from.
      pool: its features.
      story: of the picks.
      one: the round.
      manifest: as it is written: `reason`, `provenance`, perhaps `constraints`.
      findings: of the doctor.
      kept: ids of picks of earlier rounds.

    Returns:
      HTML that UTF-8 can write.

    Raises:
      UserError: an image that can no longer be read.
    """
    unusable = set(one.options["unusable"])
    picks = [
        ShownPick(
            pick.rank,
            pick.id,
            pick.index,
            pick.gain,
            pick.represents,
            _state(pick, kept, unusable),
        )
        for pick in story.picks
    ]
    name = shown(source.path.resolve().name or str(source.path))
    page = RoundPage(
        title=f"{name}: {counted(one.budget, 'label')}",
        lede=_lede(source, pool, picks, one, str(manifest["reason"])),
        noun="row" if source.paths is None else "image",
        method=one.method,
        picks=picks,
        coverage=story.coverage,
        plane=_plane(pool.rows, picks, story, one.options["labelled"]),
        norms=story.seen.norms,
        images=None if source.paths is None else _images(source, picks),
        remarks=_remarks(source, pool, findings),
        constraints=manifest.get("constraints") or {},
        provenance=_provenance(one, manifest, pool),
    )
    return printable(round_html(page))


def _state(pick: Pick, kept: Collection[str], unusable: Collection[int]) -> str:
    if pick.index in unusable:
        return "unusable"
    return "kept" if pick.id in kept else "new"


def _lede(
    source: Source, pool: Pool, picks: Sequence[ShownPick], one: Round, reason: str
) -> str:
    new = sum(pick.state == "new" for pick in picks)
    stay = sum(pick.state == "kept" for pick in picks)
    noun = "row" if source.paths is None else "image"
    said = f"{one.method} picked {new:,} of {counted(one.rows, noun)}"
    said += ", in the order to label them"
    said += f", beside {stay:,} kept from before" if stay else ""
    said += f". Why {one.method}: {reason}."
    if pool.encoder:
        said += f" It saw features of {pool.encoder['encoder']}"
        said += f", images read at {pool.encoder['side']} pixels."
    return said


def _plane(
    rows: np.ndarray,
    picks: Sequence[ShownPick],
    story: Story,
    labelled: Sequence[int],
) -> PoolMap:
    fine = np.flatnonzero(np.isfinite(story.seen.norms))
    plane = plane_of(rows if len(fine) == len(rows) else rows[fine])
    drawn = fine[evenly(len(fine), DRAWN)]
    known = np.array(labelled, np.int64)
    known = known[evenly(len(known), _LABELLED_DRAWN)]
    return PoolMap(
        pool=plane.points(rows[drawn]),
        covered=story.seen.first[drawn] <= len(story.usable),
        picks=plane.points(rows[[pick.index for pick in picks]]),
        ranks=np.array([pick.rank for pick in picks]),
        states=tuple(pick.state for pick in picks),
        labelled=plane.points(rows[known]),
        share=plane.share,
    )


def _images(source: Source, picks: Sequence[ShownPick]) -> dict[int, np.ndarray]:
    rows = np.array([pick.index for pick in picks[:MOST_TILES]])
    images: dict[int, np.ndarray] = {}
    with Progress("pictures", len(rows), "image") as progress:
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            images |= thumbnails(source, part, SIDE)
            progress.advance(len(part))
    return images


def _remarks(source: Source, pool: Pool, findings: Sequence[Finding]) -> list[Remark]:
    remarks = [] if pool.learned else [Remark("warning", UNTRAINED)]
    if source.unreadable:
        first = source.unreadable[:5]
        remarks.append(
            Remark(
                "warning",
                f"{counted(len(source.unreadable), 'image')} could not be read and "
                "can not be picked.",
                [f"{entry.id} ({entry.reason})" for entry in first],
                len(source.unreadable),
            )
        )
    for sentence in reading_sentences(source.reading):
        remarks.append(Remark("note", f"{sentence}."))
    return remarks + [
        Remark(one.severity, one.sentence, one.names, one.total) for one in findings
    ]


def _provenance(one: Round, manifest: Mapping[str, Any], pool: Pool) -> dict[str, Any]:
    """What a person may ask for; the manifest has all of it."""
    told = manifest["provenance"]
    return {
        "source": one.source,
        "command": " ".join(told["command"]),
        "started": told["started"],
        "commit": told["commit"] or "unknown",
        "round": {
            "name": name_of(one),
            "earlier rounds": list(one.parents),
            "method": one.method,
            "seed": one.seed,
            "budget": one.budget,
            "fingerprint of the pool": one.fingerprint,
        },
        "features": {
            "shape": list(pool.rows.shape),
            **{name: pool.encoder[name] for name in _ENCODER if pool.encoder.get(name)},
            **{name: pool.made_by[name] for name in PROVENANCE if name in pool.made_by},
        },
        "machine": {**told["machine"], "devices": told["devices"]},
        "versions": dict(one.versions),
    }

"""`jaxsel verify DIR`: does the same pool still give the same picks?"""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from jaxsel.annotation.picks import Pick, read_picks
from jaxsel.errors import UserError
from jaxsel.experiment.provenance import provenance
from jaxsel.experiment.warm import keep_compiled
from jaxsel.files import read_json
from jaxsel.roles import NOTHING
from jaxsel.verbs import select as selecting
from jaxsel.verbs import stream as streaming
from jaxsel.verbs.column_options import remembered
from jaxsel.verbs.command import as_json_option, say, shown
from jaxsel.verbs.constraining import (
    Before,
    columns_hash,
    constraints_after,
    limits_of,
)
from jaxsel.verbs.encoding import open_with_features
from jaxsel.verbs.picking import pick_rows
from jaxsel.verbs.place import pool_place
from jaxsel.verbs.round_folder import MANIFEST, PICKS, ROUND, Earlier, read_folder

# Gains are sums in float32, whose order another machine may choose otherwise.
CLOSE = 1e-4


class Compared(NamedTuple):
    """A round beside the same one made anew.

    Attributes:
      picks: how many new picks the round had.
      same: how many of them, from the first on, come out again in the same order.
      largest: the largest relative difference of the gains of those.
    """

    picks: int
    same: int
    largest: float


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=pathlib.Path))
@click.option("--source", help="The pool, where it has moved since.")
@as_json_option
def verify(folder: pathlib.Path, source: str | None, as_json: bool) -> int:
    """Picks again what the round in FOLDER picked, and compares.

    The pool has to be the same, by its fingerprint: every image or number of it. Then
    the round's method, options, seed, labels and constraints pick once more. Nothing is
    written. The exit code is 1 where the picks differ, 2 after a mistake, else 0.

    \b
    Example:
      jaxsel verify round1
    """
    keep_compiled()
    if not (folder / ROUND).exists() and (folder / MANIFEST).exists():
        return _streamed(folder, as_json)
    earlier = read_folder(folder)
    if not (folder / MANIFEST).is_file():
        raise UserError(f"expected {MANIFEST} in {folder}, found none: restore it")
    told = read_json(folder / MANIFEST)
    reading = remembered(NOTHING, earlier.round.options)
    opened, pool = open_with_features(
        pool_place(earlier.round, folder, source),
        selecting.settings_of(earlier),
        reading=reading,
    )
    if pool.fingerprint != earlier.round.fingerprint:
        raise UserError(
            f"expected the pool of the round, fingerprint {earlier.round.fingerprint}, "
            f"found {pool.fingerprint} in {opened.path}: files, features or the "
            "encoder's weights have changed; give the pool with --source"
        )
    before, new = _parts(earlier, told, folder)
    stay = frozenset(p.index for p in before) - earlier.unusable
    known = earlier.labelled | stay
    asked = told.get("asked", len(new))
    limits = limits_of(earlier.round.options.get("limits", {}))
    rows = Before(stay, known, earlier.unusable, asked)
    heeded = constraints_after(limits, opened, rows)
    if columns_hash(heeded) != told.get("columns", columns_hash(heeded)):
        raise UserError(
            f"expected the columns of {limits.table or 'the folders'} as they were, "
            "found others: the constraints are not those of the round any more"
        )
    again = pick_rows(
        opened,
        pool.rows,
        asked,
        earlier.round.method,
        earlier.round.seed,
        labelled=known,
        excluded=earlier.unusable,
        constraints=heeded,
        options=earlier.round.options.get("method", {}),
    ).picks
    return _judged(new, again, earlier.round.versions, as_json)


def _streamed(folder: pathlib.Path, as_json: bool) -> int:
    """The same of what `jaxsel stream` wrote."""
    told = read_json(folder / MANIFEST)
    now = streaming.again(folder, told)
    versions = {k: v for k, v in told["provenance"]["versions"].items() if v}
    was = read_picks(folder / PICKS)
    return _judged(was, now, versions, as_json)


def _judged(
    was: list[Pick], again: list[Pick], versions: Mapping[str, str], as_json: bool
) -> int:
    """Says how far two lists of picks agree; 0 if they are the same."""
    found = compared(was, again)
    now = provenance()["versions"]
    other = {k: [v, now.get(k)] for k, v in versions.items() if now.get(k) != v}
    told = {**found._asdict(), "versions": other}
    say(as_json, told, _text(found, was, again, other))
    return int(found.same < found.picks or found.largest > CLOSE)


def _parts(
    earlier: Earlier, told: dict[str, Any], folder: pathlib.Path
) -> tuple[list[Pick], list[Pick]]:
    """Picks of earlier rounds, and those that this round added."""
    added = told.get("added") if isinstance(told, dict) else None
    if not isinstance(added, int) or not 0 <= added <= len(earlier.picks):
        raise UserError(
            f"{folder / MANIFEST}: expected how many picks the round added, found "
            f"{added!r}; restore the file"
        )
    cut = len(earlier.picks) - added
    return list(earlier.picks[:cut]), list(earlier.picks[cut:])


def compared(was: list[Pick], now: list[Pick]) -> Compared:
    """How far two lists of picks agree.

    Example:
      >>> a, b = Pick(1, "a", "", 3, 2.0, 9), Pick(2, "b", "", 5, 1.0, 4)
      >>> c = Pick(2, "c", "", 6, 1.0, 4)
      >>> compared([a, b], [a, c])
      Compared(picks=2, same=1, largest=0.0)
    """
    same = 0
    while same < min(len(was), len(now)) and was[same].id == now[same].id:
        same += 1
    apart = [
        abs(a.gain - b.gain) / max(abs(a.gain), 1e-30)
        for a, b in zip(was[:same], now[:same], strict=True)
        if a.gain is not None and b.gain is not None
    ]
    return Compared(len(was), same, max(apart, default=0.0))


def _text(
    found: Compared, was: list[Pick], now: list[Pick], other: dict[str, list]
) -> str:
    lines = []
    if found.same == found.picks:
        lines.append(f"the same {found.picks:,} picks in the same order")
        if found.largest > CLOSE:
            lines.append(f"but gains differ by up to {found.largest:.2g} of themselves")
    else:
        first = was[found.same]
        instead = shown(now[found.same].id) if found.same < len(now) else "nothing"
        lines.append(
            f"{found.same:,} of {found.picks:,} picks are the same; then, for rank "
            f"{first.rank}, {shown(first.id)} was picked and {instead} comes out now"
        )
    lines += [f"{name}: {was} then, {is_} now" for name, (was, is_) in other.items()]
    return "\n".join(lines)

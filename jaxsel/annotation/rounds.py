"""`round.json`: what a round of selection was, so that the next one goes on from it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxsel.annotation.backfill import standing
from jaxsel.annotation.labels import Label
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.tables import text_of
from jaxsel.errors import UserError, listed, quoted, shortened
from jaxsel.files import hash_of, write_json

FORMAT = 1
_KINDS = {
    "source": str,
    "fingerprint": str,
    "rows": int,
    "method": str,
    "options": dict,
    "seed": int,
    "budget": int,
    "versions": dict,
    "parents": list,
}


class Round(NamedTuple):
    """One selection.

    Attributes:
      source: where the pool lay; for people, since folders move.
      fingerprint: a hash of the pool's ids and rows; what makes it the same pool.
      rows: how many rows the pool has.
      method: who chose.
      options: the method's settings, as JSON holds them.
      seed: of the choice.
      budget: how many usable labels were asked for, those of earlier rounds among them.
      versions: of the programs that made it, by name.
      parents: `name_of` the rounds before it, the first one first.
    """

    source: str
    fingerprint: str
    rows: int
    method: str
    options: Mapping[str, Any]
    seed: int
    budget: int
    versions: Mapping[str, str]
    parents: tuple[str, ...] = ()


class Next(NamedTuple):
    """What a round takes over from the one before it.

    Attributes:
      keep: earlier picks that count towards the budget, by rank.
      exclude: earlier picks that can not be used: never to be picked again.
      more: how many to pick besides those kept.
    """

    keep: tuple[Pick, ...]
    exclude: tuple[Pick, ...]
    more: int


def name_of(one: Round) -> str:
    """A short hash of everything about a round but its versions and where it lay."""
    told = one._asdict()
    del told["versions"], told["source"]
    told["options"] = {k: v for k, v in one.options.items() if k != "beside"}
    return hash_of(told)


def continued(
    earlier: Round,
    picks: Sequence[Pick],
    labels: Mapping[str, Label],
    *,
    fingerprint: str,
    budget: int,
) -> Next:
    """What a round with this budget keeps of an earlier one, and what it adds.

    Budgets are nested: 200 after 100 keeps the 100 that can be used and picks the rest;
    60 after 100 keeps the labelled ones and the first open ones, and picks nothing.

    Args:
      earlier: the round before.
      picks: its picks, backfilled ones among them.
      labels: what came back so far, by id; may be empty.
      fingerprint: of the pool that is to be picked from now.
      budget: how many usable labels are wanted in all.

    Returns:
      What to keep, to exclude and to add. Ranks of what is added go on after the last
      rank of `picks` (`picks.extended`).

    Raises:
      UserError: another pool, a budget below 1 or above what the pool can give, or
        labels that are no picks.

    Example:
      >>> first = Round("a.npy", "f0", 9, "norm", {}, 0, 2, {})
      >>> picks = [Pick(1, "a", "", 4, None, 5), Pick(2, "b", "", 7, None, 4)]
      >>> continued(first, picks, {}, fingerprint="f0", budget=5).more
      3
    """
    if fingerprint != earlier.fingerprint:
        raise UserError(
            f"expected the pool of the earlier round ({earlier.source}, "
            f"{earlier.rows} rows, fingerprint {earlier.fingerprint}), found another "
            f"({fingerprint}); give that pool, or start a first round on this one, "
            "with --labelled for what has labels"
        )
    beyond = [pick.id for pick in picks if pick.index >= earlier.rows]
    if beyond:
        raise UserError(
            f"expected picks of a pool of {earlier.rows} rows, found {len(beyond)} "
            f"beyond it ({listed(beyond)}); give the picks of that "
            "round"
        )
    now = standing(picks, labels, budget=max(budget, 0))
    usable = earlier.rows - len(now.excluded)
    if not 1 <= budget <= usable:
        raise UserError(
            f"expected a budget from 1 to {usable} (a pool of {earlier.rows} rows, "
            f"{len(now.excluded)} unusable), found {budget}"
        )
    kept = (*now.labelled, *now.open[: max(0, budget - len(now.labelled))])
    ordered = tuple(sorted(kept, key=lambda pick: pick.rank))
    return Next(ordered, now.excluded, now.replacements)


def write_round(path: Path, one: Round) -> None:
    """Replaces `round.json`, whole or not at all."""
    write_json(path, {"format": FORMAT, **one._asdict()})


def read_round(path: Path) -> Round:
    """Reads `round.json`.

    Raises:
      UserError: the file cannot be read, is of another format, or has a field missing,
        unknown or of another kind.
    """
    try:
        found = json.loads(text_of(path, "a round"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{path}: expected a round as JSON, found text that does not parse "
            f"({error}); restore the file"
        ) from error
    written = found.pop("format", None) if isinstance(found, dict) else None
    if written != FORMAT:
        raise UserError(
            f"{path}: expected a round of format {FORMAT}, found {quoted(written)}; "
            "read it with the version of jaxsel that wrote it"
        )
    if set(found) != set(_KINDS):
        odd = ", ".join(sorted(set(found) ^ set(_KINDS)))
        raise UserError(
            f"{path}: expected the fields of a round, found missing or unknown ones "
            f"({shortened(odd)}); restore the file"
        )
    for name, kind in _KINDS.items():
        if not isinstance(found[name], kind) or isinstance(found[name], bool):
            raise UserError(
                f"{path}: expected {name} to be {kind.__name__}, found "
                f"{quoted(found[name])}; restore the file"
            )
    return Round(**{**found, "parents": tuple(found["parents"])})

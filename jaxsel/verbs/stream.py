"""`jaxsel stream POOL -b N`: picks from a pool that is larger than memory."""

import json
import pathlib
from typing import Any
from warnings import catch_warnings, simplefilter

import click
import numpy as np

from jaxsel.annotation.picks import Pick, write_placed
from jaxsel.errors import UserError
from jaxsel.experiment.progress import Standing
from jaxsel.experiment.provenance import provenance
from jaxsel.experiment.warm import keep_compiled
from jaxsel.files import replacing, write_json
from jaxsel.pools.opening import open_pool
from jaxsel.pools.pool import Pool
from jaxsel.roles import NOTHING
from jaxsel.selection.api import Selection
from jaxsel.selection.choice import chosen, said_if_unnamed
from jaxsel.selection.dropping import DroppedRowsWarning, sentence
from jaxsel.streaming.api import select_from_disk
from jaxsel.streaming.methods import STREAMED, check_streamed
from jaxsel.verbs.column_options import (
    asked_by,
    column_options,
    columns_found,
    remembered,
    say_columns,
)
from jaxsel.verbs.command import as_json_option, say, shown
from jaxsel.verbs.labelled import indices_in
from jaxsel.verbs.method_options import option_option, options_of
from jaxsel.verbs.round_folder import INDICES, MANIFEST, PICKS, ROUND, check_new

_FIRST = 5


@click.command("stream")
@click.argument("where", metavar="POOL")
@click.option(
    "-b", "--budget", type=click.IntRange(1), required=True, help="How many labels."
)
@click.option(
    "-m",
    "--method",
    type=click.Choice(list(STREAMED)),
    metavar="METHOD",
    help=f"One of {', '.join(STREAMED)}; by default a rule by budget and rows, as for "
    "jaxsel select, which says why.",
)
@option_option
@click.option(
    "--memory", default="2GiB", show_default=True, help="The most that is resident."
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=pathlib.Path),
    help="A folder for the state: what was killed goes on, and a larger budget adds, "
    "once a pass has found the pool unchanged.",
)
@click.option(
    "--labelled",
    type=click.Path(path_type=pathlib.Path),
    help="An .npy of row indices that need no label.",
)
@column_options
@click.option("--scale", type=float, default=1.0, help="Multiplies integer rows.")
@click.option(
    "--drop-bad",
    is_flag=True,
    help="Leave out rows with NaN or infinity, which are a mistake otherwise.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=pathlib.Path),
    default="picks",
    show_default=True,
    help="The folder to write.",
)
@click.option("--force", is_flag=True, help="Replace the files of an earlier one.")
@as_json_option
def stream(
    where: str,
    budget: int,
    method: str | None,
    words: tuple[str, ...],
    memory: str,
    checkpoint: pathlib.Path | None,
    labelled: pathlib.Path | None,
    columns: str | None,
    features: str | None,
    ids: str | None,
    scale: float,
    drop_bad: bool,
    seed: int,
    out: pathlib.Path,
    force: bool,
    as_json: bool,
) -> None:
    """Picks rows of POOL, which stays on disk: .npy, .parquet, or a glob of shards.

    The numbers may be float32, float16, bfloat16 or int8. The files of a glob are taken
    in natural order, part-2 before part-10. The pool is read in blocks
    that fit into --memory; how often depends on the method, and is said. The picks are
    those of jaxsel select, but for TypiClust beyond 65,536 rows, whose clusters start
    from a sample of them. Written are picks.csv, with the file and the row of each
    pick, picks.npy and manifest.json. Which columns of parquet are features, and which
    names the rows, is found as by jaxsel select, and printed.

    \b
    Examples:
      jaxsel stream 'shards/*.npy' -b 1000 -m norm
      jaxsel stream rows.npy -b 1000 --memory 1GiB --checkpoint state
      jaxsel stream rows.npy -b 100 -m probcover -O reference=20000
    """
    keep_compiled()
    check_new(out, force)
    if (out / ROUND).exists():
        raise UserError(
            f"expected another folder than that of a round of jaxsel select, found "
            f"{out}: give another with -o"
        )
    if method is not None:
        check_streamed_words(method, words)
    reading = asked_by(columns, features, ids)
    pool = open_pool(where, scale=scale, **reading.given)
    say_columns(pool.roles, as_json)
    known = indices_in(labelled, pool.n) if labelled else []
    named = method
    method, reason = chosen(named, budget + len(set(known)), pool.n)
    with said_if_unnamed(named, method):
        options = check_streamed_words(method, words)
    asked = {
        "source": where if "*" in where else str(pathlib.Path(where).resolve()),
        "scale": scale,
        "budget": budget,
        "method": method,
        "options": options,
        "seed": seed,
        "memory": memory,
        "labelled": known,
        "reading": reading.record(),
        "drop_bad": drop_bad,
    }
    selection = run(pool, asked, checkpoint)
    selection.info["reason"] = reason
    picks = picks_of(selection, pool)
    if (ids_found := selection.info.get("ids")) is not None and not as_json:
        _say_repeats(ids_found)
    told = {
        "streamed": asked,
        "pool": {**pool.fingerprint(), "contents": selection.info["contents"]},
        "table": columns_found(pool.roles),
        "info": {name: plain(value) for name, value in selection.info.items()},
        "dropped": [int(row) for row in selection.info.get("dropped", ())],
        "provenance": provenance(),
    }
    out.mkdir(parents=True, exist_ok=True)
    places = [pool.file_of(pick.index) for pick in picks]
    write_placed(out / PICKS, picks, [(path.as_posix(), row) for path, row in places])
    with replacing(out / INDICES) as part, part.open("wb") as file:
        np.save(file, selection.indices)
    write_json(out / MANIFEST, told)
    found = {"folder": str(out), "picks": [pick._asdict() for pick in picks]}
    say(as_json, {**found, "info": told["info"]}, _text(selection, pool, out))


def check_streamed_words(method: str, words: tuple[str, ...]) -> dict[str, Any]:
    """The method's options out of words like delta=0.4."""
    given = options_of(words)
    check_streamed(method, given)
    return given


def run(
    pool: Pool, asked: dict[str, Any], checkpoint: pathlib.Path | None
) -> Selection:
    """The selection that a manifest describes, with a line that says how it stands."""
    with Standing(f"{asked['method']} from disk") as standing, catch_warnings():
        simplefilter("ignore", DroppedRowsWarning)  # printed with the picks
        return select_from_disk(
            pool,
            asked["budget"],
            asked["method"],
            labelled=np.array(asked["labelled"], np.int64),
            seed=asked["seed"],
            memory=asked["memory"],
            checkpoint=checkpoint,
            drop_bad=asked.get("drop_bad", False),
            progress=lambda reading: standing.say(reading.line()),
            **asked["options"],
        )


def picks_of(selection: Selection, pool: Pool) -> list[Pick]:
    """Picks by name; how many rows each stands for is not counted.

    The name is the row's id where the files have ids, else its number. Where two picks
    have one id, all are named by file and row.
    """
    gains = [float(g) if np.isfinite(g) else None for g in selection.gains]
    rows = selection.indices.tolist()
    named = selection.info.get("ids")
    ids = list(map(str, rows if named is None else named))
    if len(set(ids)) < len(ids):
        ids = [pool.place_of(row) for row in rows]
    return [
        Pick(rank, name, "", row, gain, 0)
        for rank, (name, row, gain) in enumerate(
            zip(ids, rows, gains, strict=True), start=1
        )
    ]


def _say_repeats(ids: np.ndarray) -> None:
    names, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        click.echo(
            f"Two picks have the id {shown(str(names[counts > 1][0]))}: picks are "
            "named by file and row; --ids chooses another column",
            err=True,
        )


def plain(value: Any) -> Any:
    """A figure as JSON holds it; a long array by its shape."""
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= 64 else f"array {list(value.shape)}"
    if isinstance(value, np.generic):
        value = value.item()
    return value if json.dumps(value, default=str) != "NaN" else None


def _text(selection: Selection, pool: Pool, out: pathlib.Path) -> str:
    info = selection.info
    lines = [
        f"{info['method']}: {info['reason']}.",
        f"{len(selection):,} of {pool.n:,} rows picked",
        f"{info['passes']:g} passes over the pool, {info['bytes_read'] / 1e9:.2f} GB "
        f"read, {info['bytes_per_second'] / 1e6:.0f} MB/s, blocks of "
        f"{info['block_rows']:,} rows",
    ]
    if "coverage_se" in info:
        half = 1.96 * info["coverage_se"]
        lines.append(
            f"coverage {info['coverage']:.3f} ± {half:.3f} (95 %), by a sample of rows"
        )
    if len(dropped := info.get("dropped", ())):
        lines.append(sentence(dropped, pool.n))
    for pick in picks_of(selection, pool)[:_FIRST]:
        lines.append(f"  {pick.rank}. row {pick.index:,}{_named(pick)}")
    if len(selection) > _FIRST:
        lines.append(f"  and {len(selection) - _FIRST:,} more")
    lines.append(f"{out}/: {PICKS}, {INDICES}, {MANIFEST}")
    return "\n".join(lines)


def _named(pick: Pick) -> str:
    return "" if pick.id == str(pick.index) else f", {shown(pick.id)}"


def again(folder: pathlib.Path, told: Any) -> list[Pick]:
    """Picks once more what a manifest of this verb describes.

    Raises:
      UserError: the manifest is another's, or the pool has changed since.
    """
    asked = told.get("streamed") if isinstance(told, dict) else None
    if not isinstance(asked, dict):
        raise UserError(
            f"{folder / MANIFEST}: expected that of jaxsel select or stream, found "
            "neither; give their folder"
        )
    reading = remembered(NOTHING, asked)
    pool = open_pool(asked["source"], scale=asked["scale"], **reading.given)
    now = pool.fingerprint()
    changed = [name for name in now if now[name] != told["pool"].get(name)]
    if changed:
        raise UserError(
            f"expected the pool of {folder}, found another in {asked['source']}: "
            f"{', '.join(changed)} changed"
        )
    found = run(pool, asked, None)
    before = told["pool"].get("contents")
    if before is None:
        click.echo(
            f"{folder / MANIFEST} is of an earlier jaxsel: of the pool, names, sizes "
            "and some rows were compared, not every row",
            err=True,
        )
    elif before != found.info["contents"]:
        raise UserError(
            f"expected the pool of {folder}, found another in {asked['source']}: rows "
            "changed"
        )
    return picks_of(found, pool)

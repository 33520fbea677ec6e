"""`jaxsel stream POOL -b N`: picks from a pool that is larger than memory."""

import json
import pathlib
from typing import Any
from warnings import catch_warnings, simplefilter

import click
import numpy as np

from jaxsel.annotation.picks import Pick, write_picks
from jaxsel.errors import UserError
from jaxsel.experiment.progress import Standing
from jaxsel.experiment.provenance import provenance
from jaxsel.experiment.warm import keep_compiled
from jaxsel.files import replacing, write_json
from jaxsel.pools.opening import open_pool
from jaxsel.pools.pool import Pool
from jaxsel.selection.api import Selection
from jaxsel.selection.dropping import DroppedRowsWarning, sentence
from jaxsel.streaming.api import select_from_disk
from jaxsel.streaming.methods import STREAMED, check_streamed
from jaxsel.verbs.command import as_json_option, say
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
    default="gram_schmidt",
    show_default=True,
    metavar="METHOD",
    help=f"One of {', '.join(STREAMED)}.",
)
@option_option
@click.option(
    "--memory", default="2GiB", show_default=True, help="The most that is resident."
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=pathlib.Path),
    help="A folder for the state: what was killed goes on, and a larger budget adds.",
)
@click.option(
    "--labelled",
    type=click.Path(path_type=pathlib.Path),
    help="An .npy of row indices that need no label.",
)
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
    method: str,
    words: tuple[str, ...],
    memory: str,
    checkpoint: pathlib.Path | None,
    labelled: pathlib.Path | None,
    scale: float,
    drop_bad: bool,
    seed: int,
    out: pathlib.Path,
    force: bool,
    as_json: bool,
) -> None:
    """Picks rows of POOL, which stays on disk: .npy, .parquet, or a glob of shards.

    The numbers may be float32, float16, bfloat16 or int8. The pool is read in blocks
    that fit into --memory; how often depends on the method, and is said. The picks are
    those of jaxsel select, but for TypiClust beyond 65,536 rows, whose clusters start
    from a sample of them. Written are picks.csv, picks.npy and manifest.json.

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
    options = check_streamed_words(method, words)
    pool = open_pool(where, scale=scale)
    known = indices_in(labelled, pool.n) if labelled else []
    asked = {
        "source": where if "*" in where else str(pathlib.Path(where).resolve()),
        "scale": scale,
        "budget": budget,
        "method": method,
        "options": options,
        "seed": seed,
        "memory": memory,
        "labelled": known,
        "drop_bad": drop_bad,
    }
    selection = run(pool, asked, checkpoint)
    picks = picks_of(selection)
    told = {
        "streamed": asked,
        "pool": pool.fingerprint(),
        "info": {name: plain(value) for name, value in selection.info.items()},
        "dropped": [int(row) for row in selection.info.get("dropped", ())],
        "provenance": provenance(),
    }
    out.mkdir(parents=True, exist_ok=True)
    write_picks(out / PICKS, picks)
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


def picks_of(selection: Selection) -> list[Pick]:
    """Picks whose ids are their rows; how many rows each stands for is not counted."""
    gains = [float(g) if np.isfinite(g) else None for g in selection.gains]
    rows = selection.indices.tolist()
    return [
        Pick(rank, str(row), "", row, gain, 0)
        for rank, (row, gain) in enumerate(zip(rows, gains, strict=True), start=1)
    ]


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
        f"{len(selection):,} of {pool.n:,} rows picked by {info['method']}",
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
    for rank, row in enumerate(selection.indices[:_FIRST].tolist(), start=1):
        lines.append(f"  {rank}. row {row:,}")
    if len(selection) > _FIRST:
        lines.append(f"  and {len(selection) - _FIRST:,} more")
    lines.append(f"{out}/: {PICKS}, {INDICES}, {MANIFEST}")
    return "\n".join(lines)


def again(folder: pathlib.Path, told: Any) -> Selection:
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
    pool = open_pool(asked["source"], scale=asked["scale"])
    now = pool.fingerprint()
    if now != told["pool"]:
        changed = [name for name in now if now[name] != told["pool"].get(name)]
        raise UserError(
            f"expected the pool of {folder}, found another in {asked['source']}: "
            f"{', '.join(changed)} changed"
        )
    return run(pool, asked, None)

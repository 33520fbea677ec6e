"""`jaxsel plan`: what a selection would take here, by method, before it is begun."""

import pathlib
from typing import Any, NamedTuple

import click

from jaxsel.data.folders import cache_root
from jaxsel.errors import UserError
from jaxsel.planning.forecast import (
    Forecast,
    forecast,
    most_rows,
    words_of_bytes,
    words_of_seconds,
)
from jaxsel.planning.machine import Machine, machine
from jaxsel.planning.shape import Call, Shape
from jaxsel.roles import NOTHING, Asked, Roles
from jaxsel.selection.methods import METHODS
from jaxsel.sources.images import images_below
from jaxsel.sources.size import size_of
from jaxsel.verbs.column_options import (
    asked_by,
    column_options,
    columns_found,
    say_columns,
)
from jaxsel.verbs.command import as_json_option, say, shown
from jaxsel.verbs.encoding import SIDES, encoder_settings, frame_of, width_of
from jaxsel.verbs.encoding_time import Outlook, as_found, outlook, sentence

_DTYPES = ("float32", "float64", "float16", "uint8", "int8")


class _Asked(NamedTuple):
    """A pool, and for images the settings of their encoder."""

    shape: Shape
    roles: Roles | None = None
    settings: dict[str, Any] | None = None


@click.command("plan")
@click.argument("source", required=False)
@click.option(
    "-b", "--budget", type=click.IntRange(1), required=True, help="Labels in all."
)
@click.option(
    "-m",
    "--method",
    "methods",
    type=click.Choice(list(METHODS)),
    multiple=True,
    help="Only this method; may be repeated.",
)
@click.option("--rows", type=click.IntRange(1), help="Rows of a pool that is no file.")
@click.option("--dim", type=click.IntRange(1), help="Features of its rows.")
@click.option(
    "--dtype",
    type=click.Choice(_DTYPES),
    help="What they are stored in; float32 by default.",
)
@click.option(
    "--encoder", type=click.Choice(list(SIDES)), help="What makes features of images."
)
@click.option("--weights", help="DINO's file, or the folder of a SimCLR encoder.")
@click.option(
    "--side",
    type=click.IntRange(4, 1024),
    help="Pixels that images are read at; by their own size without it.",
)
@column_options
@as_json_option
def plan(
    source: str | None,
    budget: int,
    methods: tuple[str, ...],
    rows: int | None,
    dim: int | None,
    dtype: str | None,
    encoder: str | None,
    weights: str | None,
    side: int | None,
    columns: str | None,
    features: str | None,
    ids: str | None,
    as_json: bool,
) -> int:
    """Says how much memory and time each method would take on this machine.

    Of SOURCE only the size is read: a file's header, the names in a folder. Instead of
    a source, --rows and --dim speak of an .npy file that need not exist.

    Of a folder of images, up to 16 are read as well, to say what encoding them would
    take: decoding is timed on them, and the network's time follows from its operations.
    Images that are encoded already, and have not changed, take no time. The figures of
    the methods come on top.

    Memory is the most at one time, beside what the process takes when idle (some 0.3
    GB). On a CPU it was within 25 % of the measured one: three sizes of every method,
    one of those in two stages. A mapped .npy counts, as most methods read it again and
    again; where one does not, "from disk" means that the file does not fit and the rest
    does. Seconds are rough, by a factor of 3 or so where nothing else runs, and those
    of a first call: compiling is counted in.

    jaxsel select refuses what cannot fit by the same figures. The exit code is 1 where
    no method that was asked for fits.

    \b
    Examples:
      jaxsel plan features.npy -b 100
      jaxsel plan --rows 1000000 --dim 384 -b 500 -m probcover -m typiclust
    """
    reading = asked_by(columns, features, ids)
    asked = _asked(source, rows, dim, dtype, encoder, weights, side, reading)
    say_columns(asked.roles, as_json)
    if budget > asked.shape.n:
        raise UserError(
            f"expected at most {asked.shape.n:,} picks of {asked.shape.n:,} rows, "
            f"found {budget:,}: ask for fewer"
        )
    here = machine()
    # Once each, in the order of the registry.
    names = [name for name in METHODS if not methods or name in methods]
    found = [forecast(name, Call(asked.shape, budget), here) for name in names]
    encoding = _encoding(source, asked, here)
    say(
        as_json,
        _found(asked, budget, here, found, encoding),
        _text(asked, budget, here, found, encoding),
    )
    return int(not any(one.needed_bytes <= here.free_bytes for one in found))


def _asked(
    source: str | None,
    rows: int | None,
    dim: int | None,
    dtype: str | None,
    encoder: str | None,
    weights: str | None,
    side: int | None,
    reading: Asked,
) -> _Asked:
    if source is None:
        if rows is None or dim is None:
            raise UserError(
                "expected a SOURCE, or --rows and --dim, found neither: give one"
            )
        if encoder or weights or side:
            raise UserError(
                "expected --encoder, --weights and --side with a folder of images, "
                "found --rows and --dim: leave them out"
            )
        if reading != NOTHING:
            raise UserError(
                "expected --columns, --features and --ids with a table, found --rows "
                "and --dim: leave them out"
            )
        return _Asked(Shape(rows, dim, dtype or "float32"))
    if rows is not None or dim is not None or dtype is not None:
        raise UserError(
            "expected a SOURCE, or --rows, --dim and --dtype, found both: leave one out"
        )
    size = size_of(source, reading)
    if size.features is not None:
        if encoder or weights or side:
            raise UserError(
                "expected --encoder with a folder of images, found it with features "
                f"in {source!r}: leave --encoder, --weights and --side out"
            )
        shape = Shape(size.rows, size.features, size.dtype, size.mapped)
        return _Asked(shape, size.roles)
    settings = encoder_settings(encoder, weights, side)
    shape = Shape(size.rows, width_of(settings), mapped=True)
    return _Asked(shape, settings=settings)


def _encoding(source: str | None, asked: _Asked, here: Machine) -> Outlook | None:
    """What making the features would take, of images."""
    if source is None or asked.settings is None:
        return None
    folder, settings = pathlib.Path(source).expanduser(), asked.settings
    return outlook(
        folder,
        images_below(folder),
        settings,
        frame_of(settings),
        asked.shape.d,
        here,
        cache_root(None) / "images",
    )


def _found(
    asked: _Asked,
    budget: int,
    here: Machine,
    found: list[Forecast],
    encoding: Outlook | None,
) -> dict[str, Any]:
    return {
        "rows": asked.shape.n,
        "features": asked.shape.d,
        "dtype": asked.shape.dtype,
        "mapped": asked.shape.mapped,
        "columns": columns_found(asked.roles),
        "budget": budget,
        "machine": here._asdict(),
        "methods": [
            {
                "method": one.method,
                "peak_bytes": one.peak_bytes,
                "needed_bytes": one.needed_bytes,
                "seconds": round(one.seconds, 2),
                "fits": one.needed_bytes <= here.free_bytes,
                "parts": dict(one.parts),
            }
            for one in found
        ],
        "encoding": None if encoding is None else as_found(encoding),
        "note": None if encoding is None else sentence(encoding),
    }


def _text(
    asked: _Asked,
    budget: int,
    here: Machine,
    found: list[Forecast],
    encoding: Outlook | None,
) -> str:
    shape = asked.shape
    lines = [
        f"{budget:,} of {shape.n:,} rows of {shape.d:,} features ({shape.dtype}), on "
        f"{here.cores} cores ({shown(here.device)}): {words_of_bytes(here.free_bytes)} "
        f"free, {here.flops / 1e9:,.0f} GFLOP/s, "
        f"{here.bytes_per_second / 1e9:,.0f} GB/s"
    ]
    if encoding is not None:
        lines.append(sentence(encoding))
    width = max(len("method"), *(len(one.method) for one in found))
    lines.append(f"{'method':<{width}}  {'memory':>8}  {'time':>8}  fits?")
    for one in found:
        lines.append(
            f"{one.method:<{width}}  {words_of_bytes(one.peak_bytes):>8}  "
            f"{words_of_seconds(one.seconds):>8}  {_verdict(one, shape, budget, here)}"
        )
    after = "" if encoding is None else " Encoding comes before it, and is not in it."
    lines.append(
        "Memory at its peak, beside the idle process; time by a factor of 3 or so."
        f"{after}"
    )
    return "\n".join(lines)


def _verdict(one: Forecast, shape: Shape, budget: int, here: Machine) -> str:
    if one.peak_bytes <= here.free_bytes:
        return "yes"
    if one.needed_bytes <= here.free_bytes:
        return "yes, from disk"
    most = most_rows(
        one.method, Call(shape, budget), free=here.free_bytes, device=here.device
    )
    return f"no: {most:,} rows would" if most else "no"

"""`jaxsel embed SOURCE -o features.parquet`: a file of features, for any program."""

import json
import os
import pathlib
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import click
import numpy as np

from jaxsel.doctor.finding import counted
from jaxsel.errors import UserError
from jaxsel.experiment.warm import keep_compiled
from jaxsel.files import replacing
from jaxsel.sources.source import Source
from jaxsel.verbs.command import as_json_option, printable, say, shown
from jaxsel.verbs.encoding import (
    SIDES,
    UNTRAINED,
    Pool,
    encoder_settings,
    features_line,
    holds_images,
    open_with_features,
)

DTYPES = ("float32", "float16")
_ROWS = 1024  # of a row group: 5 MB of 1,280 features
_LISTED = 5


class Embedding(NamedTuple):
    """Images as rows of numbers.

    Attributes:
      ids: str `[n]`, paths below the folder with "/", ascending.
      features: float32 or float16 `[n, d]`; float32 stays on disk until it is read.
      encoder: what made them: its name, the weights' checksum, and of published ones
        the revision and the licence; and `side`, the pixels that images were read at.
    """

    ids: np.ndarray
    features: np.ndarray
    encoder: Mapping[str, Any]


def embed(
    source: str | os.PathLike[str],
    encoder: str | None = None,
    *,
    weights: str | None = None,
    side: int | None = None,
    dtype: str = "float32",
    strict: bool = False,
) -> Embedding:
    """Features of a folder of images: `jaxsel embed`.

    They are kept, so that a second call reads them from disk, and of a folder that has
    changed only what is new is encoded.

    Args:
      source: the folder, of any nesting.
      encoder: its name; EfficientNet-Lite0, which has learned ImageNet's classes,
        without it.
      weights: of the encoders that need some.
      side: pixels that images are read at; by their own size without it.
      dtype: "float32" or "float16".
      strict: whether an image that cannot be read is an error; a warning of Python's
        counts them otherwise.

    Returns:
      Ids, features and what made them. Images that cannot be read are left out.

    Raises:
      UserError: no folder of images, no such encoder, weights that cannot be had.

    Example:
      >>> import tempfile
      >>> from PIL import Image
      >>> folder = pathlib.Path(tempfile.mkdtemp())
      >>> for name in ("b.png", "a.png"):
      ...     Image.new("RGB", (6, 4), "red").save(folder / name)
      >>> found = embed(folder)
      >>> found.ids.tolist(), found.features.shape, found.encoder["encoder"]
      (['a.png', 'b.png'], (2, 1280), 'efficientnet_lite0')
    """
    if dtype not in DTYPES:
        raise UserError(f"expected dtype to be one of {', '.join(DTYPES)}: {dtype!r}")
    opened, pool = _opened(source, encoder, weights, side, strict)
    if opened.unreadable:
        first = opened.unreadable[0]
        warnings.warn(
            f"{counted(len(opened.unreadable), 'unreadable image')} left out, the "
            f"first {first.id!r}: {first.reason}",
            stacklevel=2,
        )
    if not pool.learned:
        warnings.warn(UNTRAINED, stacklevel=2)
    rows = pool.rows if dtype == "float32" else _rounded(pool.rows, dtype, opened.ids)
    return Embedding(opened.ids, rows, _made_by(pool))


@click.command("embed")
@click.argument("source")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=pathlib.Path),
    default="features.parquet",
    show_default=True,
    help="The file to write.",
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
@click.option(
    "--dtype", type=click.Choice(DTYPES), default="float32", show_default=True
)
@click.option("--strict", is_flag=True, help="An unreadable image is a mistake.")
@click.option("--force", is_flag=True, help="Replace the file where there is one.")
@as_json_option
def embed_verb(
    source: str,
    out: pathlib.Path,
    encoder: str | None,
    weights: str | None,
    side: int | None,
    dtype: str,
    strict: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Makes features of the images in SOURCE, and a parquet file of them.

    The file has a row an image: id (its path below SOURCE), path (the whole one), and
    features, a list of numbers of one length. jaxsel select and stream, pandas, polars,
    DuckDB and Hugging Face's datasets read it.

    Without --encoder it is efficientnet_lite0, which comes with jaxsel and has learned
    ImageNet's 1,000 classes: 1,280 numbers. Images of at most 64 pixels are read at 96,
    others at 224; --side overrides that. Images that cannot be read are left out.

    What was stopped goes on where it was when it is called again, and of a folder that
    has changed only new and changed images are encoded. A file counts as unchanged by
    its path, size and times; else its content is compared.

    \b
    Examples:
      jaxsel embed photos/ -o features.parquet
      jaxsel select features.parquet -b 100
    """
    keep_compiled()
    _check_out(out, force)
    opened, pool = _opened(source, encoder, weights, side, strict)
    write_features(out, opened, pool, dtype)
    told = {
        "file": str(out),
        "rows": len(opened.ids),
        "features": pool.rows.shape[1],
        "dtype": dtype,
        "encoder": _made_by(pool),
        "unreadable": [entry._asdict() for entry in opened.unreadable],
    }
    say(as_json, told, _text(opened, pool, out, dtype))


def write_features(
    file: pathlib.Path, source: Source, pool: Pool, dtype: str = "float32"
) -> None:
    """Writes ids, paths and features, a block of rows at a time.

    Args:
      file: a parquet file, whole at the end or not there.
      source: of images.
      pool: their features.
      dtype: of `DTYPES`.

    Raises:
      UserError: a number is too large for float16.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert source.paths is not None
    width = pool.rows.shape[1]
    kind = pa.list_(pa.from_numpy_dtype(np.dtype(dtype)), width)
    about = json.dumps(_made_by(pool))
    schema = pa.schema(
        [("id", pa.string()), ("path", pa.string()), ("features", kind)],
        metadata={"jaxsel": about},
    )
    with replacing(file) as part, pq.ParquetWriter(part, schema) as writer:
        for start in range(0, len(source.ids), _ROWS):
            names = source.ids[start : start + _ROWS]
            rows = _rounded(pool.rows[start : start + _ROWS], dtype, names)
            paths = [
                printable(os.path.abspath(path))
                for path in source.paths[start : start + _ROWS]
            ]
            lists = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), width)
            columns = [pa.array(names.tolist()), pa.array(paths), lists]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=_ROWS)


def _opened(
    source: str | os.PathLike[str],
    encoder: str | None,
    weights: str | None,
    side: int | None,
    strict: bool,
) -> tuple[Source, Pool]:
    settings = encoder_settings(encoder, weights, side, "raw")
    if pathlib.Path(source).expanduser().exists() and not holds_images(source):
        raise UserError(
            f"expected a folder of images, found {os.fspath(source)!r}: it has "
            "features already, or is of another kind"
        )
    return open_with_features(source, lambda _: settings, strict=strict)


def _made_by(pool: Pool) -> dict[str, Any]:
    return {**pool.made_by, "side": pool.encoder["side"]}


def _rounded(rows: np.ndarray, dtype: str, ids: np.ndarray) -> np.ndarray:
    """Rows in the type of the file."""
    with np.errstate(over="ignore"):
        found = np.asarray(rows).astype(dtype, copy=False)
    bad = ~np.isfinite(found).all(axis=1)
    if bad.any():
        raise UserError(
            f"expected features that {dtype} can hold, found larger ones of "
            f"{str(ids[int(np.argmax(bad))])!r}: write float32"
        )
    return found


def _check_out(out: pathlib.Path, force: bool) -> None:
    if out.suffix.lower() != ".parquet":
        raise UserError(f"expected a file that ends in .parquet for -o, found {out}")
    if out.is_dir() or (out.exists() and not force):
        raise UserError(
            f"expected no file yet at {out}, found one: give another with -o, or "
            "--force to replace it"
        )
    near = out.absolute().parent
    while not near.exists():
        near = near.parent
    if not (near.is_dir() and os.access(near, os.W_OK | os.X_OK)):
        raise UserError(
            f"expected a file that can be written at {out}, found that {near} cannot "
            "be: give another with -o"
        )


def _text(source: Source, pool: Pool, out: pathlib.Path, dtype: str) -> str:
    lines = [features_line(pool)]
    if source.unreadable:
        lines.append(f"{counted(len(source.unreadable), 'unreadable image')} left out:")
        lines += [f"  {shown(e.id)}: {e.reason}" for e in source.unreadable[:_LISTED]]
        if len(source.unreadable) > _LISTED:
            lines.append(f"  and {len(source.unreadable) - _LISTED:,} more")
    lines.append(
        f"{out}: {counted(len(source.ids), 'row')} of id, path and "
        f"{pool.rows.shape[1]:,} features in {dtype}"
    )
    if not pool.learned:
        lines.append(UNTRAINED)
    return "\n".join(lines)

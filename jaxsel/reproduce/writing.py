"""A figure's folder: pictures, the numbers behind them, the manifest, a paragraph."""

import csv
import io
import math
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.evaluation.claims import Claim, Verdict
from jaxsel.experiment.provenance import now, provenance
from jaxsel.files import read_json, replacing, write_json, write_text
from jaxsel.report.drawing import png_bytes, svg_bytes
from jaxsel.report.verdicts import verdict_table
from jaxsel.reproduce.figure import Figure, Product


def write(
    figure: Figure, product: Product, folder: pathlib.Path, scale: str, seconds: float
) -> str:
    """Writes `NAME.png`, `.svg`, `.csv`, `manifest.json` and `text.md`.

    `NAME` is the figure's id, with the name of a further drawing or table after a
    hyphen.

    Args:
      figure: what was asked for.
      product: what came out.
      folder: of the figure; what was there of it is replaced.
      scale: it was made at.
      seconds: it took.

    Returns:
      The text.

    Raises:
      UserError: as `refuse_another`.
    """
    path = folder / "manifest.json"
    earlier = refuse_another(figure, folder, scale)
    for name, drawing in product.drawings.items():
        stem = stem_of(figure.id, name)
        with replacing(folder / f"{stem}.png") as part:
            part.write_bytes(png_bytes(drawing))
        with replacing(folder / f"{stem}.svg") as part:
            part.write_bytes(svg_bytes(drawing))
    for name, rows in product.tables.items():
        write_text(folder / f"{stem_of(figure.id, name)}.csv", csv_text(rows))
    text = text_of(figure, product)
    write_text(folder / "text.md", text)
    manifest = {
        "figure": figure.id,
        "title": figure.title,
        "data": sorted({str(part.config.data.name) for part in figure.parts}),
        "scale": scale,
        "drawn": now(),
        "seconds": round(seconds, 1),
        "drawings": sorted(product.drawings),
        "tables": sorted(product.tables),
        "grids": [
            {
                "study": part.study,
                **{
                    field: list(part.config[field])
                    for field in ("methods", "budgets", "seeds", "frameworks")
                },
            }
            for part in figure.parts
            # Of others, the features alone were read.
            if "identity" in product.facts.get(part.study, ())
        ],
        "verdicts": entries_of(product.verdicts),
        "studies": dict(product.facts),
        # Without the command: its paths are of one machine.
        "drawn_by": {k: v for k, v in provenance().items() if k != "command"},
    }
    write_json(path, json_of(manifest))
    for name in files_of(earlier or manifest) - files_of(manifest):
        (folder / name).unlink(missing_ok=True)
    return text


def stem_of(figure: str, name: str) -> str:
    """A drawing's or table's file name without its suffix.

    Example:
      >>> stem_of("fig2", ""), stem_of("fig2", "runs")
      ('fig2', 'fig2-runs')
    """
    return f"{figure}-{name}" if name else figure


def files_of(manifest: Mapping[str, Any]) -> set[str]:
    """The names of a figure's files, by its manifest; the text is not among them."""
    suffixes = {"drawings": (".png", ".svg"), "tables": (".csv",)}
    return {"manifest.json"} | {
        stem_of(manifest["figure"], name) + suffix
        for kind, endings in suffixes.items()
        for name in manifest[kind]
        for suffix in endings
    }


def refuse_another(
    figure: Figure, folder: pathlib.Path, scale: str
) -> dict[str, Any] | None:
    """What the folder holds of this figure already, if it may be replaced.

    Args:
      figure: what is to be drawn.
      folder: of the figure.
      scale: it is to be made at.

    Returns:
      The manifest of the earlier drawing; None where there is none.

    Raises:
      UserError: the folder holds the figure at another scale, or of other data sets.
    """
    path = folder / "manifest.json"
    if not path.exists():
        return None
    earlier = read_json(path)
    data = sorted({str(part.config.data.name) for part in figure.parts})
    for what, old, new in (
        ("at scale", earlier["scale"], scale),
        ("of", earlier.get("data", data), data),
    ):
        if old != new:
            raise UserError(
                f"expected {folder} to hold the figure {what} {_listed(new)}, found it "
                f"{what} {_listed(old)}: use another --workdir (nothing was changed)"
            )
    return earlier


def _listed(names: Any) -> str:
    return names if isinstance(names, str) else ", ".join(names)


def text_of(figure: Figure, product: Product) -> str:
    """The paragraph: what is shown, what came out, the claims."""
    blocks = [f"**{figure.title}.** {' '.join(figure.shows.split())}"]
    if product.shown:
        blocks.append(product.shown)
    if product.said:
        blocks.append("\n".join(f"- {line}" for line in product.said))
    if product.verdicts:
        blocks.append(verdict_table(product.verdicts))
    return "\n\n".join(blocks) + "\n"


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV; the columns are those of any row, in order of appearance.

    Example:
      >>> print(csv_text([{"a": 1}, {"a": 2, "b": None}]), end="")
      a,b
      1,
      2,
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: _cell(v) for k, v in row.items()})
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    """Numbers to seven digits; nothing for None."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return ""
    return f"{value:.7g}" if isinstance(value, float) else value


def entries_of(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as a manifest has them."""
    return [{**each._asdict(), "claim": each.claim._asdict()} for each in verdicts]


def verdict_of(entry: Mapping[str, Any]) -> Verdict:
    """A verdict of a manifest, with the infinities that JSON has no words for.

    A manifest of another version may have fields of a claim that are gone.
    """
    claim = {k: v for k, v in entry["claim"].items() if k in Claim._fields}
    low, high = entry["low"], entry["high"]
    return Verdict(
        **{
            **entry,
            "claim": Claim(**{**claim, "datasets": tuple(claim.get("datasets", ()))}),
            "low": -math.inf if low is None else low,
            "high": math.inf if high is None else high,
        }
    )


def json_of(value: Any) -> Any:
    """The same without infinities and NaN, which JSON has no words for."""
    if isinstance(value, dict):
        return {str(name): json_of(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [json_of(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

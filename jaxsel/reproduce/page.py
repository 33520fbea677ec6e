"""`paper.md`: every figure that was drawn, and the verdicts on the paper's claims."""

import importlib
import pathlib
import shutil
from typing import Any

from jaxsel.errors import UserError
from jaxsel.files import read_json, write_text
from jaxsel.report.verdicts import claim_text, counted, numbers, overall
from jaxsel.reproduce.catalog import IDS
from jaxsel.reproduce.writing import files_of, stem_of, verdict_of

_INTRODUCTION = """# The paper's figures, drawn from our runs

Bar & Giryes, *Effective Subset Selection Through The Lens of Neural Network Pruning*,
arXiv 2406.01086. Every picture below was drawn by `python -m jaxsel.reproduce FIGURE`,
and this page by `--page docs`; `--redraw docs` judges the claims again by the numbers
that lie here. Beside each picture in [paper/](paper) lie its SVG, the numbers behind it
as CSV and a manifest with data, settings, seeds, commit and machine.

Intervals are at 95 %, each for its own comparison, with no correction for their number:
of twenty that hold nothing, one is expected to exclude zero. Those of accuracies and
distances are Student's over seeds, and where the best of some methods is compared with
the best of others they allow for the choice within either group; those of correlations
are over subsets (Fisher's) or over images (rank correlations); those of times are the
range of the repeats. All rest on one encoder, whose own chance no interval covers. A
claim is *supported* or *not supported* when its interval lies on one side, else *not
resolved at this scale*."""


def collect(
    figures: pathlib.Path, folder: pathlib.Path, note: str = ""
) -> pathlib.Path:
    """Copies the figures' files to `folder/paper` and writes `folder/paper.md`.

    Figures that were collected there before, from this folder or another, stay.

    Args:
      figures: a folder a figure, as `jaxsel.reproduce.writing.write` leaves them.
      folder: of the page.
      note: a sentence for its head.

    Returns:
      The page's path.

    Raises:
      UserError: nothing was drawn yet.
    """
    fresh = manifests_in(figures)
    if not fresh:
        raise UserError(f"expected figures in {figures}, found none: draw some first")
    for name, manifest in fresh.items():
        target = folder / "paper" / name
        target.mkdir(parents=True, exist_ok=True)
        wanted = {*files_of(manifest), "text.md"}
        if (target / "manifest.json").exists():
            for stale in files_of(read_json(target / "manifest.json")) - wanted:
                (target / stale).unlink(missing_ok=True)
        for file in sorted(wanted):
            shutil.copyfile(figures / name / file, target / file)
    return write_page(folder, note)


def write_page(folder: pathlib.Path, note: str = "") -> pathlib.Path:
    """Writes `folder/paper.md` of the figures in `folder/paper`; returns its path."""
    manifests = manifests_in(folder / "paper")
    made_by = f"{_made_by(manifests)} {note}".strip()
    blocks = [_INTRODUCTION, made_by, _abstract(manifests)]
    for name, manifest in manifests.items():
        blocks.append(f"## {name}")
        blocks += [
            f"![{manifest['title']}](paper/{name}/{stem_of(name, drawing)}.png)"
            for drawing in manifest["drawings"]
        ]
        text = (folder / "paper" / name / "text.md").read_text(encoding="utf-8")
        blocks.append(text.strip())
        blocks.append(_origin(name, manifest))
    page = folder / "paper.md"
    write_text(page, "\n\n".join(blocks) + "\n")
    return page


def note_of(folder: pathlib.Path) -> str:
    """The note at the head of a page that is there: what stands behind the scale."""
    page = folder / "paper.md"
    if not page.exists():
        return ""
    made_by = _made_by(manifests_in(folder / "paper"))
    for block in page.read_text(encoding="utf-8").split("\n\n"):
        if block.startswith(made_by):
            return block.removeprefix(made_by).strip()
    return ""


def manifests_in(figures: pathlib.Path) -> dict[str, Any]:
    """By figure, in the paper's order, the manifests of a folder."""
    paths = {name: figures / name / "manifest.json" for name in IDS}
    return {name: read_json(path) for name, path in paths.items() if path.exists()}


def _made_by(manifests: dict[str, Any]) -> str:
    """Scale and machines, and what there is to say of the data, in a sentence each."""
    scales = sorted({manifest["scale"] for manifest in manifests.values()})
    machines = sorted(
        {
            _machine(start)
            for manifest in manifests.values()
            for start in _starts(manifest) or [manifest["drawn_by"]]
        }
    )
    said = importlib.import_module("configs.paper.abstract").SCALES_SAID
    return " ".join(
        [
            f"Scale: {', '.join(scales)}. Machines: {'; '.join(machines)}.",
            *(said[scale] for scale in scales),
        ]
    ).strip()


def _machine(start: dict[str, Any]) -> str:
    """The processor, and the accelerators where there are some."""
    machine = start["machine"]
    devices = [d for d in start.get("devices") or [] if not d.startswith("cpu")]
    return " with ".join(
        [f"{machine['cores']} cores of {machine['processor']}", *devices]
    )


def _abstract(manifests: dict[str, Any]) -> str:
    """The abstract's claims, each with the verdicts that bear on it."""
    topics = importlib.import_module("configs.paper.abstract").TOPICS
    lines = [
        "## What the abstract and the introduction claim",
        "| the paper says | came out | figure, where: measured |",
        "| --- | --- | --- |",
    ]
    for topic, sentence in topics.items():
        found = [
            (name, verdict_of(entry))
            for name, manifest in manifests.items()
            for entry in manifest["verdicts"]
            if entry["claim"]["topic"] == topic
        ]
        measured = [verdict for _, verdict in found]
        details = "<br>".join(
            f"[{name}](#{name.lower()}), {claim_text(verdict.claim)}, {verdict.where}: "
            f"{numbers(verdict)}: *{verdict.word}*"
            for name, verdict in found
        ).replace("|", "\\|")
        word = f"**{overall(measured)}**: {counted(measured)}"
        lines.append(f"| {sentence} | {word} | {details} |")
    return "\n\n".join([lines[0], "\n".join(lines[1:])])


def _starts(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Of all studies behind a figure."""
    return [
        start
        for study in manifest["studies"].values()
        if isinstance(study, dict)
        for start in study.get("starts", [])
    ]


def _origin(name: str, manifest: dict[str, Any]) -> str:
    """Where the numbers lie and what made them."""
    judged = [manifest["judged_by"]] if "judged_by" in manifest else []
    made_by = [*_starts(manifest), manifest["drawn_by"], *judged]
    commits = sorted({str(start["commit"]) for start in made_by})
    counts = sorted({len(grid["seeds"]) for grid in manifest["grids"]})
    seeds = f", seeds {' and '.join(map(str, counts))}" if counts else ""
    files = ", ".join(
        f"[{stem_of(name, table)}.csv](paper/{name}/{stem_of(name, table)}.csv)"
        for table in manifest["tables"]
    )
    return (
        f"Numbers: {files}; [manifest](paper/{name}/manifest.json). Scale "
        f"{manifest['scale']}{seeds}, commits {', '.join(commits)}."
    )

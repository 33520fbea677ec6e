"""`paper.md`: every figure that was drawn, and the verdicts on the paper's claims."""

import importlib
import pathlib
import shutil
from typing import Any

from jaxsel.errors import UserError
from jaxsel.evaluation.claims import Claim, Verdict
from jaxsel.files import read_json, write_text
from jaxsel.report.verdicts import counted, numbers, overall
from jaxsel.reproduce.catalog import IDS
from jaxsel.reproduce.writing import files_of, stem_of

_INTRODUCTION = """# The paper's figures, drawn from our runs

Bar & Giryes, *Effective Subset Selection Through The Lens of Neural Network Pruning*,
arXiv 2406.01086. Every picture below was drawn by `python -m jaxsel.reproduce FIGURE`,
and this page by `--page docs`. Beside each picture in [paper/](paper) lie its SVG, the
numbers behind it as CSV and a manifest with data, settings, seeds, commit and machine.

Intervals are Student's 95 % over seeds, each for its own comparison, with no correction
for their number: of twenty that hold nothing, one is expected to exclude zero. A claim
is *supported* or *not supported* when its interval lies on one side, else *not resolved
at this scale*."""


def collect(
    figures: pathlib.Path, folder: pathlib.Path, note: str = ""
) -> pathlib.Path:
    """Copies the figures' files to `folder/paper` and writes `folder/paper.md`.

    Args:
      figures: a folder a figure, as `jaxsel.reproduce.writing.write` leaves them.
      folder: of the page.
      note: a sentence for its head.

    Returns:
      The page's path.

    Raises:
      UserError: nothing was drawn yet.
    """
    drawn = [name for name in IDS if (figures / name / "manifest.json").exists()]
    if not drawn:
        raise UserError(f"expected figures in {figures}, found none: draw some first")
    manifests = {name: read_json(figures / name / "manifest.json") for name in drawn}
    for name in drawn:
        target = folder / "paper" / name
        target.mkdir(parents=True, exist_ok=True)
        wanted = files_of(manifests[name])
        if (target / "manifest.json").exists():
            for stale in files_of(read_json(target / "manifest.json")) - wanted:
                (target / stale).unlink(missing_ok=True)
        for file in sorted(wanted):
            shutil.copyfile(figures / name / file, target / file)
    blocks = [_INTRODUCTION, _made_by(manifests, note), _abstract(manifests)]
    for name in drawn:
        manifest = manifests[name]
        blocks.append(f"## {name}")
        blocks += [
            f"![{manifest['title']}](paper/{name}/{stem_of(name, drawing)}.png)"
            for drawing in manifest["drawings"]
        ]
        blocks.append((figures / name / "text.md").read_text(encoding="utf-8").strip())
        blocks.append(_origin(name, manifest))
    page = folder / "paper.md"
    write_text(page, "\n\n".join(blocks) + "\n")
    return page


def _made_by(manifests: dict[str, Any], note: str) -> str:
    """Scale and machines, and what there is to say of the data, in a sentence each."""
    scales = sorted({manifest["scale"] for manifest in manifests.values()})
    machines = sorted(
        {
            f"{start['machine']['cores']} cores of {start['machine']['processor']}"
            for manifest in manifests.values()
            for start in _starts(manifest) or [manifest["drawn_by"]]
        }
    )
    said = importlib.import_module("configs.paper.abstract").SCALES_SAID
    return " ".join(
        [
            f"Scale: {', '.join(scales)}. Machines: {'; '.join(machines)}.",
            *(said[scale] for scale in scales),
            note,
        ]
    ).strip()


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
            (name, Verdict(**{**entry, "claim": Claim(**entry["claim"])}))
            for name, manifest in manifests.items()
            for entry in manifest["verdicts"]
            if entry["claim"]["topic"] == topic
        ]
        measured = [verdict for _, verdict in found]
        details = "<br>".join(
            f"[{name}](#{name.lower()}), {verdict.claim.text}, {verdict.where}: "
            f"{numbers(_whole(verdict))}: *{verdict.word}*"
            for name, verdict in found
        ).replace("|", "\\|")
        word = f"**{overall(measured)}**: {counted(measured)}"
        lines.append(f"| {sentence} | {word} | {details} |")
    return "\n\n".join([lines[0], "\n".join(lines[1:])])


def _whole(verdict: Verdict) -> Verdict:
    """With infinities where JSON had none."""
    low = float("-inf") if verdict.low is None else verdict.low
    high = float("inf") if verdict.high is None else verdict.high
    return verdict._replace(low=low, high=high)


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
    made_by = [*_starts(manifest), manifest["drawn_by"]]
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

"""Verdicts of figures that were drawn before, from the runs that lie beside them.

The workdir of a figure may be gone when a rule of `jaxsel.evaluation.claims` changes.
Its accuracies are in `FIGURE-runs.csv`, and what the paper says of it is in
`configs/paper`; that is all a verdict needs.
"""

import math
import pathlib
from collections.abc import Sequence
from typing import Any

from jaxsel.data.catalog import dataset
from jaxsel.errors import UserError
from jaxsel.evaluation.claims import Verdict, verdicts
from jaxsel.evaluation.rows import read_results
from jaxsel.experiment.provenance import now, provenance
from jaxsel.files import read_json, write_json, write_text
from jaxsel.report.verdicts import HEADING, verdict_table
from jaxsel.reproduce import catalog, page
from jaxsel.reproduce.writing import entries_of, json_of, stem_of, verdict_of

# Kinds of figures whose claims are about the accuracies of runs.
JUDGED = ("accuracy", "table")


def redraw(folder: pathlib.Path, note: str = "") -> tuple[pathlib.Path, list[str]]:
    """Judges the figures of a page again and writes the page.

    Pictures and numbers stay. Verdicts on anything but accuracies of runs stay as well.

    Args:
      folder: of the page, as `jaxsel.reproduce.page.collect` leaves it.
      note: a sentence for its head; the one that is there where it is empty.

    Returns:
      The page's path, and the figures whose verdicts changed.

    Raises:
      UserError: no figures there, or runs that cannot be read.
    """
    drawn = page.manifests_in(folder / "paper")
    if not drawn:
        raise UserError(
            f"expected figures in {folder / 'paper'}, found none: draw some and "
            "collect them with --page"
        )
    note = note or page.note_of(folder)
    # Before anything is written: files that differ from the commit would mark it.
    judged_by = {k: v for k, v in provenance().items() if k != "command"}
    changed = [
        name for name in drawn if _judge(folder / "paper" / name, name, judged_by)
    ]
    return page.write_page(folder, note), changed


def _judge(folder: pathlib.Path, name: str, judged_by: dict[str, Any]) -> bool:
    """Writes a figure's verdicts where they are not those of its manifest."""
    manifest = read_json(folder / "manifest.json")
    figure = catalog.load(name, manifest["scale"], tuple(manifest["data"]))
    if figure.kind not in JUDGED:
        return False
    rows = read_results(folder / f"{stem_of(name, 'runs')}.csv")
    chance = {
        data: 1 / dataset(data).num_classes for data in {row.dataset for row in rows}
    }
    found = verdicts(figure.claims, rows, chance)
    text = (folder / "text.md").read_text(encoding="utf-8")
    again = _with_verdicts(text, found)
    if again == text and _alike(list(map(verdict_of, manifest["verdicts"])), found):
        return False
    write_text(folder / "text.md", again)
    manifest |= {"verdicts": entries_of(found), "judged": now(), "judged_by": judged_by}
    write_json(folder / "manifest.json", json_of(manifest))
    return True


def _with_verdicts(text: str, found: Sequence[Verdict]) -> str:
    """A figure's paragraph with another table of verdicts, which is its last block."""
    before = text.partition(HEADING)[0].rstrip()
    blocks = [before, verdict_table(found)] if found else [before]
    return "\n\n".join(blocks) + "\n"


def _alike(old: Sequence[Verdict], new: Sequence[Verdict]) -> bool:
    """Whether nothing but rounding tells them apart: the runs have seven digits."""
    return len(old) == len(new) and all(
        was._replace(value=is_.value, low=is_.low, high=is_.high) == is_
        and all(
            math.isclose(a, b, rel_tol=0.0, abs_tol=1e-6)
            for a, b in zip(was[3:6], is_[3:6], strict=True)
        )
        for was, is_ in zip(old, new, strict=True)
    )

"""FiftyOne: a folder that `fo.Dataset.from_dir` reads in pick order.

    dataset = fo.Dataset.from_dir("FOLDER", dataset_type=fo.types.FiftyOneDataset)

Of FiftyOne's formats this is the one that keeps the order and typed columns:
`samples.json` lists the samples, and `metadata.json` without a version says that
another program wrote them, so that FiftyOne parses them one by one. (Its CSV importer
sorts samples by path; its classification format has no columns.) The folder is written
without FiftyOne or its database.

To bring labels back, export from FiftyOne as `FiftyOneDataset` (labels alone will do),
or in another of the formats that `fiftyone_answers` reads:

    dataset.export(
        "BACK", dataset_type=fo.types.FiftyOneDataset, export_media=False
    )

Sources: "Importing data into FiftyOne" (docs.voxel51.com) and
`fiftyone.utils.data.importers`.

Checked against fiftyone 1.22.1, without its database: its importer takes the folder for
this format and yields the samples in order.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxsel.annotation.names import columns_of
from jaxsel.annotation.options import ExportOptions, with_paths
from jaxsel.annotation.picks import Pick

SAMPLES = "samples.json"
METADATA = "metadata.json"


def samples(picks: Sequence[Pick], root: Path | None = None) -> list[dict[str, Any]]:
    """One sample a pick, in pick order, tagged `jaxsel`.

    Args:
      picks: each with a path.
      root: where relative paths start; without it, at the exported folder.

    Example:
      >>> samples([Pick(1, "a", "a.png", 7, None, 9)], Path("/pool"))[0]["filepath"]
      '/pool/a.png'
    """
    found = []
    for pick in with_paths(picks, "FiftyOne"):
        whole = pick.path if root is None else os.path.abspath(root / pick.path)
        sample = {"filepath": whole, "tags": ["jaxsel"], **columns_of(pick)}
        found.append({key: value for key, value in sample.items() if value is not None})
    return found


def export_fiftyone(picks: Sequence[Pick], options: ExportOptions) -> dict[str, str]:
    """`samples.json` and `metadata.json`, to lie in a folder of their own.

    Args:
      picks: each with a path.
      options: `root` and `classes` are used.

    Returns:
      The text of each file by its name.
    """
    about: dict[str, Any] = {"media_type": "image"}
    if options.classes:
        about["info"] = {"classes": list(options.classes)}
    whole = {"samples": samples(picks, options.root)}
    return {
        SAMPLES: json.dumps(whole, indent=1) + "\n",
        METADATA: json.dumps(about, indent=1) + "\n",
    }

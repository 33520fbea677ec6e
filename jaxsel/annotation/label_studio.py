"""Label Studio: tasks in pick order (`label_studio_answers` reads what comes back).

Sources: "Get data into Label Studio", "Label Studio task format" (labelstud.io/guide):
a task is `{"data": {...}}`, `data.image` is what `value="$image"` of the labelling
interface shows, and the other columns of `data` can be sorted by in the data manager.
Sequential sampling goes by task id, which follows the order of the file. Images served
by Label Studio itself are `/data/local-files/?d=PATH`, with PATH below the folder
`LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`.

Checked against label-studio-sdk 2.1.2: its `LabelInterface` validates the tasks, its
reader of `?d=` finds the files, and its converter takes the same annotations of an
export for labels.
"""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from jaxsel.annotation.names import columns_of
from jaxsel.annotation.options import ExportOptions, with_paths
from jaxsel.annotation.picks import Pick

FILE = "label-studio.json"


def tasks(picks: Sequence[Pick], prefix: str = "") -> list[dict[str, Any]]:
    """One task a pick, in pick order.

    Args:
      picks: each with a path.
      prefix: as in `ExportOptions`.

    Returns:
      Tasks as Label Studio imports them; `data` holds `image` and `jaxsel_*`.

    Raises:
      UserError: a pick has no path.

    Example:
      >>> tasks([Pick(1, "a", "in/a b.png", 7, None, 9)], "https://host/")[0]["data"]
      ... # doctest: +NORMALIZE_WHITESPACE
      {'image': 'https://host/in/a%20b.png', 'jaxsel_rank': 1, 'jaxsel_id': 'a',
       'jaxsel_gain': None, 'jaxsel_represents': 9}
    """
    return [
        {"data": {"image": _link(pick.path, prefix), **columns_of(pick)}}
        for pick in with_paths(picks, "Label Studio")
    ]


def _link(path: str, prefix: str) -> str:
    return prefix + quote(path, errors="surrogateescape") if prefix else path


def export_label_studio(
    picks: Sequence[Pick], options: ExportOptions
) -> dict[str, str]:
    """`label-studio.json`: give it to "Import" of a project whose image is `$image`.

    Args:
      picks: each with a path.
      options: `prefix` is used.

    Returns:
      The text of each file by its name.
    """
    return {FILE: json.dumps(tasks(picks, options.prefix), indent=1) + "\n"}

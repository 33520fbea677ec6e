"""The figures there are: the configs of `configs/paper`."""

import importlib
import pathlib
import textwrap
from typing import Any

from jaxsel.errors import UserError
from jaxsel.reproduce.figure import SCALES, Figure

# In the paper's order.
IDS = (
    "fig2",
    "fig3",
    "fig4ab",
    "fig4cd",
    "fig5ab",
    "fig5cd",
    "fig6ab",
    "fig6c",
    "fig7",
    "fig8",
    "tab1",
    "tab2",
    "appB",
    "appC",
    "appD",
    "appE",
    "appF",
    "appG",
    "appH",
    "speed",
)

# Which of the files at hand an encoder's weights are.
_WEIGHTS = {"dino_vits16": "dino", "inception_fid": "inception"}


def load(name: str, scale: str, data: tuple[str, ...] = (), **given: Any) -> Figure:
    """A figure's description.

    Args:
      name: one of `IDS`.
      scale: one of `jaxsel.reproduce.figure.SCALES`.
      data: data sets in place of the figure's own.
      **given: files at hand, `dino` and `inception`: paths of weights, or "".

    Returns:
      The figure.

    Raises:
      UserError: an unknown name, data that do not fit the figure, or no
        `configs/paper` to read it from.
    """
    if name not in IDS:
        raise UserError(
            f"expected a figure among {', '.join(IDS)}, found {name!r}: --list "
            "explains them"
        )
    if scale not in SCALES:
        raise UserError(
            f"expected --scale to be one of {', '.join(SCALES)}, found {scale!r}"
        )
    if repeated := [one for one in data if data.count(one) > 1]:
        raise UserError(
            f"expected every data set once, found {repeated[0]} more than once"
        )
    try:
        module = importlib.import_module(f"configs.paper.{name}")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("configs"):
            raise
        raise UserError(
            "expected the folder configs/ beside the working directory, found none in "
            f"{pathlib.Path.cwd()}: run it from the repository's folder"
        ) from error
    files = {"dino": "", "inception": "", **given}
    figure = module.get_config(scale, data, **files)
    for part in (*figure.parts, *figure.options.get("norms", ())):
        weights = files.get(_WEIGHTS.get(part.config.features.encoder, ""), "")
        # Empty means the encoder's own source in a config.
        part.config.features.weights = "" if weights == "fetch" else weights
    return figure


def listing(scale: str) -> str:
    """What every figure shows, its time and its needs, for `--list`."""
    lines = []
    for name in IDS:
        figure = load(name, scale)
        studies = ", ".join(dict.fromkeys(part.study for part in figure.parts))
        lines.append(f"{name:8}{figure.title}")
        lines += textwrap.wrap(
            " ".join(figure.shows.split()),
            width=88,
            initial_indent=" " * 10,
            subsequent_indent=" " * 10,
        )
        time = figure.minutes.get(scale, "not measured")
        lines.append(f"{'':8}  --scale {scale}: {studies}; time: {time}")
        if figure.needs:
            lines.append(f"{'':8}  needs {figure.needs}")
    return "\n".join(lines)

"""`python -m jaxsel.reproduce FIGURE … [--scale cpu|gpu|paper] [--workdir DIR]`.

Draws figures and tables of Bar & Giryes, arXiv 2406.01086, from runs of its own: what
is missing of the studies behind a figure is run (and goes on where it was when it is
killed), then the figure is drawn to DIR/figures/FIGURE with the numbers behind it.
Studies are shared: what one figure has selected and trained, another one finds.
"""

import argparse
import os
import pathlib
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import logging

from jaxsel.errors import UserError
from jaxsel.reproduce.figure import SCALES

if TYPE_CHECKING:
    from jaxsel.reproduce.figure import Figure


def main(argv: Sequence[str] | None = None) -> int:
    """Parses the command line and draws.

    Args:
      argv: the words after the program's name; `sys.argv` when not given.

    Returns:
      The exit code: 0, or 2 after a mistake that one line on stderr explains.
    """
    options = _parser().parse_args(argv)
    logging.use_absl_handler()
    logging.set_verbosity(logging.WARNING)
    try:
        return _run(options)
    except UserError as error:
        print(f"jaxsel.reproduce: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("jaxsel.reproduce: stopped; the same command goes on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jaxsel.reproduce",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="or: all")
    parser.add_argument("--list", action="store_true", help="what there is")
    parser.add_argument("--scale", choices=SCALES, default="cpu")
    parser.add_argument(
        "--workdir", type=pathlib.Path, help="default: runs/paper-SCALE"
    )
    parser.add_argument(
        "--data",
        default="",
        help="data sets in place of the figure's own: cifar10,digits",
    )
    parser.add_argument(
        "--dino", default="", help="DINO's weights: a file, a name on the hub, or fetch"
    )
    parser.add_argument(
        "--inception", default="", help="Inception-v3's: a file, or fetch"
    )
    parser.add_argument(
        "--page",
        type=pathlib.Path,
        metavar="DIR",
        help="collect the figures drawn so far into DIR/paper.md",
    )
    parser.add_argument(
        "--redraw",
        type=pathlib.Path,
        metavar="DIR",
        help="judge the figures collected in DIR again by the runs beside them, and "
        "write DIR/paper.md; nothing is run",
    )
    parser.add_argument(
        "--note", default="", help="a sentence for the page's head: of the data, say"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    # After the parser: --help needs neither JAX nor the configs.
    from jaxsel.reproduce import catalog, page

    sys.path.append(os.getcwd())  # configs/ is found beside the working directory
    if options.list:
        print(catalog.listing(options.scale))
        return 0
    if options.redraw:
        return _redraw(options)
    names = catalog.IDS if options.figures == ["all"] else options.figures
    if not names and not options.page:
        raise UserError(
            "expected a figure, --list, --page or --redraw, found none: see --help"
        )
    workdir = options.workdir or pathlib.Path(f"runs/paper-{options.scale}")
    data = tuple(filter(None, options.data.split(",")))
    figures = [
        catalog.load(
            name,
            options.scale,
            data,
            dino=options.dino,
            inception=options.inception,
        )
        for name in names
    ]
    for weights in (options.dino, options.inception):
        # Hours before they are needed. A name on the hub has no ending.
        if pathlib.Path(weights).suffix and not pathlib.Path(weights).is_file():
            raise UserError(f"expected a file of weights at {weights}, found none")
    if figures:
        _keep_programs()
    failed = []
    for figure in figures:
        try:
            print(_draw(figure, workdir, options.scale))
        except UserError as error:
            if len(figures) == 1:
                raise
            failed.append(figure.id)
            print(f"jaxsel.reproduce: {figure.id}: {error}", file=sys.stderr)
    if options.page:
        path = page.collect(workdir / "figures", options.page, options.note)
        print(f"Collected in {path}")
    if failed:
        raise UserError(f"not drawn, for the reasons above: {', '.join(failed)}")
    return 0


def _draw(figure: "Figure", workdir: pathlib.Path, scale: str) -> str:
    """Runs what is missing, draws, writes; the figure's text."""
    from jaxsel.reproduce.kinds import KINDS
    from jaxsel.reproduce.writing import refuse_another, write

    start = time.monotonic()
    print(f"{figure.id}: {figure.title}", file=sys.stderr, flush=True)
    folder = workdir / "figures" / figure.id
    refuse_another(figure, folder, scale)
    product = KINDS[figure.kind](figure, workdir)
    text = write(figure, product, folder, scale, time.monotonic() - start)
    return f"{text}\n{figure.id} is in {folder}/\n"


def _redraw(options: argparse.Namespace) -> int:
    """Verdicts and the page from what is there already."""
    from jaxsel.reproduce.redraw import redraw

    if options.figures or options.page:
        raise UserError(
            "expected --redraw without figures and --page, found both: it judges every "
            "figure of its folder"
        )
    path, changed = redraw(options.redraw, options.note)
    print(f"Other verdicts: {', '.join(changed) or 'none'}. Written: {path}")
    return 0


def _keep_programs() -> None:
    """Compiled programs are kept between processes."""
    import jax

    from jaxsel.data.folders import cache_root

    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", str(cache_root(None) / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


if __name__ == "__main__":
    sys.exit(main())

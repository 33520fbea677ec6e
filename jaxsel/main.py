"""`python -m jaxsel.main --config configs/NAME.py[:VARIANT] [--workdir DIR]`.

Runs one experiment: data, features, selection, training, evaluation, report.
Any field of the config can be set: `--config.seeds="(0, 1)"`.
"""

import os
import pathlib
import sys
from collections.abc import Sequence

from absl import flags, logging
from ml_collections import config_flags

from jaxsel.errors import UserError

_FLAGS = flags.FlagValues()
_CONFIG = config_flags.DEFINE_config_file(
    "config",
    None,
    "the experiment: configs/NAME.py, or configs/NAME.py:VARIANT",
    lock_config=True,
    flag_values=_FLAGS,
)
_WORKDIR = flags.DEFINE_string(
    "workdir",
    None,
    "where everything goes (default: runs/NAME or runs/NAME-VARIANT)",
    flag_values=_FLAGS,
)
_VERBOSE = flags.DEFINE_bool(
    "verbose", False, "say what is being done", flag_values=_FLAGS
)


def main(argv: Sequence[str] | None = None) -> int:
    """Parses the command line and runs the experiment.

    Args:
      argv: the words after the program's name; `sys.argv` when not given.

    Returns:
      The exit code: 0, or 2 after a mistake that one line on stderr explains.
    """
    words = ["jaxsel", *(sys.argv[1:] if argv is None else argv)]
    if {"--help", "-h", "--helpfull"} & set(words):
        print(f"{__doc__}\n{_FLAGS.module_help('jaxsel.main')}")
        return 0
    try:
        return _run(words)
    except UserError as error:
        print(f"jaxsel: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("jaxsel: stopped; the same command goes on from here", file=sys.stderr)
        return 130


def _run(words: list[str]) -> int:
    config = _parse(words)
    flags.FLAGS.mark_as_parsed()  # Else absl says that logging comes before flags.
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO if _VERBOSE.value else logging.WARNING)
    # Warm starts: compiled programs are kept between processes.
    import jax

    from jaxsel.data.folders import cache_root

    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", str(cache_root(None) / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)

    from jaxsel.experiment.run import run

    name = "-".join(filter(None, [config.name, config.variant]))
    workdir = pathlib.Path(_WORKDIR.value or f"runs/{name}")
    print(run(config, workdir))
    print(f"Everything is in {workdir}/ (pictures and table: {workdir}/report.html)")
    return 0


def _parse(words: list[str]):
    """The locked config; every mistake on the command line is a UserError."""
    try:
        rest = _FLAGS(words)
        config = _CONFIG.value
    except UserError:
        raise
    except Exception as error:  # absl, ml_collections and the config file raise many.
        cause: BaseException = error
        while cause.__cause__ is not None and not isinstance(cause, UserError):
            cause = cause.__cause__
        if isinstance(cause, UserError):
            raise cause from error
        text = " ".join(str(error).split())
        raise UserError(f"the command line or config does not hold: {text}") from error
    if len(rest) > 1:
        raise UserError(
            f"expected only --config and --workdir, found {' '.join(rest[1:])}: "
            "see --help"
        )
    if config is None:
        raise UserError("expected --config configs/NAME.py, found none: see --help")
    return config


if __name__ == "__main__":
    sys.exit(main())

"""`python -m jaxsel.main --config configs/NAME.py[:VARIANT] [--workdir DIR]`.

Runs one experiment: data, features, selection, training, evaluation, report.
(`jaxsel features` with the same flags stops after the features.)
Any field of the config can be set: `--config.seeds="(0, 1)"`.
On several hosts the same command runs on each, with JAX_COORDINATOR_ADDRESS,
JAX_NUM_PROCESSES and JAX_PROCESS_ID set; the first one writes the workdir.
"""

import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from absl import flags, logging
from ml_collections import config_flags

from jaxsel.errors import UserError


def _flags(words: list[str]) -> flags.FlagValues:
    """Flags without values; each command line gets its own.

    The reader of configs looks for `--config.field` among the words ahead of absl.
    """
    values = flags.FlagValues()
    config_flags.DEFINE_config_file(
        "config",
        None,
        "the experiment: configs/NAME.py, or configs/NAME.py:VARIANT",
        lock_config=True,
        flag_values=values,
        sys_argv=words,
    )
    flags.DEFINE_string(
        "workdir",
        None,
        "where everything goes (default: runs/NAME or runs/NAME-VARIANT)",
        flag_values=values,
    )
    flags.DEFINE_bool("verbose", False, "say what is being done", flag_values=values)
    return values


def main(argv: Sequence[str] | None = None, *, only_features: bool = False) -> int:
    """Parses the command line and runs the experiment.

    Args:
      argv: the words after the program's name; `sys.argv` when not given.
      only_features: whether to make the features and stop; there is no workdir then.

    Returns:
      The exit code: 0, or 2 after a mistake that one line on stderr explains.
    """
    words = ["jaxsel", *(sys.argv[1:] if argv is None else argv)]
    if {"--help", "-h", "--helpfull"} & set(words):
        print(f"{__doc__}\n{_flags(words).get_help()}")
        return 0
    try:
        return _run(words, only_features)
    except (UserError, OSError) as error:
        # An OSError is a file that cannot be read or written, and names it.
        print(f"jaxsel: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("jaxsel: stopped; the same command goes on from here", file=sys.stderr)
        return 130


def _run(words: list[str], only_features: bool) -> int:
    values = _parse(words)
    config = values.config
    flags.FLAGS.mark_as_parsed()  # Else absl says that logging comes before flags.
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO if values.verbose else logging.WARNING)
    from jaxsel.experiment import hosts
    from jaxsel.experiment.warm import keep_compiled

    hosts.join()
    keep_compiled()
    if only_features:
        from jaxsel.experiment.featuring import make_features

        print(make_features(config))
        return 0
    from jaxsel.experiment.run import run

    name = "-".join(filter(None, [config.name, config.variant]))
    workdir = pathlib.Path(values.workdir or f"runs/{name}")
    summary = run(config, workdir)
    if not hosts.is_first():
        return 0
    print(summary)
    print(f"Everything is in {workdir}/ (pictures and table: {workdir}/report.html)")
    return 0


def _parse(words: list[str]) -> flags.FlagValues:
    """The flags, the config locked; every mistake in them is a UserError."""
    values = _flags(words)
    _let_config_import(words)
    try:
        rest = values(words)
        config = values.config
    except Exception as error:  # absl, ml_collections and the config file raise many.
        raise _in_one_line(error) from error
    if len(rest) > 1:
        raise UserError(
            f"expected only --config and --workdir, found {' '.join(rest[1:])}: "
            "see --help"
        )
    if config is None:
        raise UserError("expected --config configs/NAME.py, found none: see --help")
    path = config_flags.get_config_filename(values["config"]).split(":")[0]
    if not pathlib.Path(path).is_file():
        raise UserError(
            f"expected a config file at {path}, found none: give one of configs/*.py"
        )
    return values


def _let_config_import(words: list[str]) -> None:
    """Lets a config file import its neighbours, wherever the program is started."""
    given = [
        after
        for word, after in zip(words, [*words[1:], ""], strict=True)
        if word in ("--config", "-config")
    ]
    given += [word.split("=", 1)[1] for word in words if word.startswith("--config=")]
    for path in given:
        folder = pathlib.Path(path.split(":")[0]).resolve().parent
        if (folder / "__init__.py").is_file() and str(folder.parent) not in sys.path:
            sys.path.append(str(folder.parent))


def _in_one_line(error: Exception) -> UserError:
    """What the config file found wrong itself, or else what its reader says."""
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    # The deepest: on the way up the reader rewraps it with a traceback in its text.
    for cause in reversed(causes):
        if isinstance(cause, UserError):
            return cause
    # An unknown field is an AttributeError around a KeyError, quoted by its str().
    about = "the command line or config does not hold:"
    text: Any = error
    while isinstance(text, AttributeError | KeyError) and text.args:
        about, text = "expected a field that the config has, found", text.args[0]
    return UserError(f"{about} {' '.join(str(text).split())}")


if __name__ == "__main__":
    sys.exit(main())

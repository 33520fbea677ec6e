"""The console script `jaxsel`: one verb a task."""

import sys
from collections.abc import Sequence

from jaxsel import main as main_module

USAGE = """usage: jaxsel VERB …

  run --config configs/NAME.py[:VARIANT] [--workdir DIR] [--config.field=value …]
        an experiment: features, selection, training, report
  features --config configs/NAME.py[:VARIANT] [--config.field=value …]
        the features alone, into the cache where `run` finds them
  prepare NAME [--data_dir DIR] [--manual_dir DIR] [--source ARCHIVE]
        read or download a data set ahead of time

jaxsel VERB --help says more."""


def main(argv: Sequence[str] | None = None) -> int:
    """Hands the words after a verb to the verb's own program.

    Args:
      argv: the words after `jaxsel`; `sys.argv` when not given.

    Returns:
      The exit code.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    verb, rest = words[0], words[1:]
    if verb == "run":
        return main_module.main(rest)
    if verb == "features":
        return main_module.main(rest, only_features=True)
    if verb == "prepare":
        from jaxsel.data.prepare import main as prepare

        return prepare(rest)
    print(
        f"jaxsel: expected a verb, one of run, features, prepare; found {verb!r}: see "
        "jaxsel --help",
        file=sys.stderr,
    )
    return 2

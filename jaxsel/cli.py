"""The console script `jaxsel`: one verb a task."""

import importlib
import sys
from collections.abc import Sequence

from jaxsel import __version__
from jaxsel import main as main_module

USAGE = """usage: jaxsel VERB …

You have many examples and can afford labels for few: which ones? To begin with,
  jaxsel doctor scans/
  jaxsel select scans/ -b 100 -o round1
  jaxsel export round1 --to csv -o queue

with images or features of your own:
  doctor SOURCE [-b N]
        what is wrong or odd with a folder of images or a file of features
  plan SOURCE -b N [-m METHOD], or plan --rows N --dim D -b N
        how much memory and time each method would take here
  embed FOLDER -o features.parquet [--encoder NAME]
        features of images, in a file that other programs read
  select SOURCE -b N [-m METHOD] [-o DIR] [--continue DIR]
        which N to label, in which order
  export PICKS --to TOOL -o DIR [--prefix URL]
        picks for Label Studio, CVAT, FiftyOne, COCO, or a table
  import FILE --from TOOL --picks PICKS [-o labels.csv] [--merge | --replace]
        the labels that came back from one of them, and what was left out
  backfill DIR --labels labels.csv
        other picks for those that cannot be used
  stream POOL -b N [-m METHOD] [--memory 2GiB] [--checkpoint DIR]
        picks from files that are larger than memory
  verify DIR
        does the same pool still give the same picks?

experiments:
  run --config configs/NAME.py[:VARIANT] [--workdir DIR] [--config.field=value …]
        an experiment: features, selection, training, report
  features --config configs/NAME.py[:VARIANT] [--config.field=value …]
        the features alone, into the cache where `run` finds them
  prepare NAME [--data_dir DIR] [--manual_dir DIR] [--source ARCHIVE]
        read or download a data set ahead of time

jaxsel VERB --help says more, with examples. In Python: import jaxsel; help(jaxsel)."""

# Where each verb of people's own data lives: a command of click.
OWN_DATA = {
    "doctor": ("jaxsel.verbs.doctor", "doctor"),
    "plan": ("jaxsel.verbs.plan", "plan"),
    "embed": ("jaxsel.verbs.embed", "embed_verb"),
    "select": ("jaxsel.verbs.select", "select"),
    "export": ("jaxsel.verbs.export", "export"),
    "import": ("jaxsel.verbs.importing", "import_"),
    "backfill": ("jaxsel.verbs.backfill", "backfill"),
    "stream": ("jaxsel.verbs.stream", "stream"),
    "verify": ("jaxsel.verbs.verify", "verify"),
}


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
    if words[0] == "--version":
        print(f"jaxsel {__version__}")
        return 0
    verb, rest = words[0], words[1:]
    if verb == "run":
        return main_module.main(rest)
    if verb == "features":
        return main_module.main(rest, only_features=True)
    if verb == "prepare":
        from jaxsel.data.prepare import main as prepare

        return prepare(rest)
    if verb in OWN_DATA:
        from jaxsel.errors import UserError
        from jaxsel.verbs.command import MISTAKE, run_verb, say_mistake
        from jaxsel.verbs.new_folder import check_words

        try:
            check_words(verb, rest)
        except (UserError, OSError) as error:
            say_mistake(str(error))
            return MISTAKE
        module, name = OWN_DATA[verb]
        return run_verb(getattr(importlib.import_module(module), name), rest)
    print(
        f"jaxsel: expected a verb, one of {', '.join(OWN_DATA)}, run, features, "
        f"prepare; found {verb!r}: see jaxsel --help",
        file=sys.stderr,
    )
    return 2

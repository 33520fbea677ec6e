"""The command that prepares a data set, apart from any experiment.

    python -m jaxsel.data.prepare NAME [--data_dir DIR] [--manual_dir DIR]
        [--source PATH]

A set that is prepared already is left as it is.
"""

import argparse
import sys
from collections.abc import Sequence

from jaxsel.data.building import prepare
from jaxsel.data.catalog import DATASETS
from jaxsel.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code: 0, or 2 for a mistake that can be mended."""
    parser = argparse.ArgumentParser(
        prog="python -m jaxsel.data.prepare",
        description="Prepare a data set as array_record files, without TensorFlow.",
    )
    parser.add_argument("name", help=f"one of {', '.join(sorted(DATASETS))}")
    parser.add_argument("--data_dir", help="tfds data folder [$TFDS_DATA_DIR]")
    parser.add_argument("--manual_dir", help="archives placed by hand")
    parser.add_argument("--source", help="an archive or folder to build from")
    options = parser.parse_args(arguments)
    try:
        directory = prepare(
            options.name,
            data_dir=options.data_dir,
            manual_dir=options.manual_dir,
            source=options.source,
        )
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{options.name} is prepared in {directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Run twice by test_hosts.py: one of two processes that select from one file together.

Arguments: the file of features, and a JSON list of methods. Prints a line of JSON: the
picks of each, and which rows this process read.
"""

import json
import sys
import typing
import warnings

import jax
import numpy as np

import jaxsel
from jaxsel.experiment import hosts
from jaxsel.selection.coverage import CoverageWarning

warnings.simplefilter("ignore", CoverageWarning)


class Watched(np.memmap):
    """A memory-mapped file that notes which rows are read."""

    read: typing.ClassVar[set[int]] = set()

    def __getitem__(self, which):
        if isinstance(which, slice):
            Watched.read |= set(range(*which.indices(len(self))))
        return np.asarray(self.view(np.memmap)[which])


def main() -> None:
    hosts.join()
    rows = np.load(sys.argv[1], mmap_mode="r").view(Watched)
    mesh = jaxsel.pool_mesh()
    picks = {
        method: jaxsel.select(rows, 5, method, labelled=[1, 7], mesh=mesh).indices
        for method in json.loads(sys.argv[2])
    }
    said = {
        "processes": jax.process_count(),
        "devices": mesh.size,
        "read": sorted(Watched.read),
        "picks": {method: found.tolist() for method, found in picks.items()},
    }
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()

"""Run twice by test_hosts.py: one of two processes that select from one file together.

Arguments: the file of features, and a JSON list of methods. Prints a line of JSON: the
picks of each, and which rows this process read.
"""

import json
import sys
import warnings

import jax
import numpy as np

import jaxsel
from jaxsel.experiment import hosts
from jaxsel.selection.coverage import CoverageWarning

warnings.simplefilter("ignore", CoverageWarning)


read: set[int] = set()
make = jax.make_array_from_callback


def _watched(shape, sharding, share):
    """Notes which rows are asked for to make this process's part of an array."""

    def noting(index):
        read.update(range(*index[0].indices(shape[0])))
        return share(index)

    return make(shape, sharding, noting)


jax.make_array_from_callback = _watched


def main() -> None:
    hosts.join()
    rows = np.load(sys.argv[1], mmap_mode="r")
    mesh = jaxsel.pool_mesh()
    picks = {
        method: jaxsel.select(rows, 5, method, labelled=[1, 7], mesh=mesh).indices
        for method in json.loads(sys.argv[2])
    }
    said = {
        "processes": jax.process_count(),
        "devices": mesh.size,
        "read": sorted(read),
        "picks": {method: found.tolist() for method, found in picks.items()},
    }
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()

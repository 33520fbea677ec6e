"""Run by test_mesh.py with 8 virtual devices: picks on the mesh beside those without.

One argument, a JSON list of cases: `{"method", "n", "d", "budget", "labelled",
"devices", "options"}`. Prints a line of JSON for each.
"""

import json
import sys
import warnings

import jax
import numpy as np

import jaxsel
from benchmarks.collectives import largest
from jaxsel.selection.coverage import CoverageWarning
from jaxsel.selection.kmeans import kmeans
from jaxsel.selection.sharded import door
from jaxsel.selection.sharded.mesh import by_rows

warnings.simplefilter("ignore", CoverageWarning)
texts: list[str] = []
compiled_by = door._program


def _recording(*args):
    """The program of the mesh, compiled ahead so that its text can be read."""
    program = compiled_by(*args)

    def call(*inputs):
        compiled = program.lower(*inputs).compile()
        texts.append(compiled.as_text())
        return compiled(*inputs)

    return call


door._program = _recording


def pool_of(n: int, d: int) -> np.ndarray:
    """Clusters of rows of several lengths, one row a copy and one of zeros."""
    rng = np.random.default_rng(n)
    centres = rng.normal(size=(6, d))
    rows = centres[rng.integers(0, 6, n)] + 0.4 * rng.normal(size=(n, d))
    rows *= rng.uniform(0.5, 2, size=(n, 1))
    rows[n // 2] = rows[3]
    rows[n // 3] = 0
    return rows.astype(np.float32)


def kmeans_apart(n: int, d: int, k: int) -> dict[str, float]:
    """Differences of a clustering on the mesh from that on one device."""
    mesh, rows = jaxsel.pool_mesh(), pool_of(n, d)
    here = kmeans(jax.random.key(0), rows, k=k)
    there = jax.jit(lambda key, x: kmeans(key, by_rows(x[:n]), k=k))
    with jax.set_mesh(mesh):
        found = there(jax.random.key(0), door.place(rows, mesh).rows)
    return {
        name: float(np.max(np.abs(np.asarray(a) - np.asarray(b))))
        for name, a, b in zip(here._fields, here, found, strict=True)
        if name != "used"
    }


def main() -> None:
    for case in json.loads(sys.argv[1]):
        if case["method"] == "kmeans":
            print(json.dumps(kmeans_apart(case["n"], case["d"], case["budget"])))
            continue
        n, d, method = case["n"], case["d"], case["method"]
        rows = pool_of(n, d)
        if case.get("powers"):  # of any magnitude, some of subnormal numbers
            powers = np.random.default_rng(2).integers(-140, 120, (n, 1))
            rows = np.ldexp(rows, powers)
        labelled = np.random.default_rng(0).choice(n, case["labelled"], replace=False)
        mesh = jaxsel.pool_mesh(case["devices"])
        arguments = (rows, case["budget"], method)
        options = {"labelled": labelled, **case["options"]}
        if case.get("ids"):
            options["ids"] = np.random.default_rng(1).permutation(n)
        there = jaxsel.select(*arguments, mesh=mesh, **options)
        here = jaxsel.select(*arguments, **options)
        shares = {len(s.data) for s in door.place(rows, mesh).rows.addressable_shards}
        found = {
            "mesh": there.indices.tolist(),
            "one": here.indices.tolist(),
            "gains_apart": float(np.nanmax(np.abs(there.gains - here.gains), initial=0))
            if np.isfinite(here.gains).all()
            else 0.0,
            "devices": there.info["devices"],
            "shares": sorted(shares),
            "info": sorted(there.info.keys() - {"devices"}) == sorted(here.info),
            "largest": largest(texts[-1]),
        }
        print(json.dumps(found), flush=True)
        jax.clear_caches()


if __name__ == "__main__":
    main()

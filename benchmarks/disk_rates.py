"""What this machine does in a second with a pool on disk: the model's five constants.

`python -m benchmarks.disk_rates REQUEST.json RESPONSE.json`, where the request has a
pool and memory; see `benchmarks.disk_model` for what the constants are for.
"""

import time
from collections.abc import Callable

from benchmarks.process import answer

PROPOSED = 128  # rows that a block is multiplied with, as Gram-Schmidt does
TRIES = 3
PAIRED = 8192  # rows of which all pairs are counted
LISTED = 1 << 20  # rows of which a selection by norm is made


def measure(request: dict) -> dict:
    """The rates of a machine, each the best of three."""
    from jaxsel.pools.opening import open_pool
    from jaxsel.pools.reading import blocks
    from jaxsel.streaming.plan import as_bytes, plan
    from jaxsel.streaming.stream import Stream
    from jaxsel.streaming.survey import survey

    pool = open_pool(request["pool"])
    sized = plan(as_bytes(request["memory"]), pool, per_row=64, fixed=1, per_block=64)
    stream = Stream(pool, sized, unit=False)
    size = pool.n * pool.d * pool.dtype.itemsize

    def read() -> None:
        for _ in blocks(pool, sized.block):
            pass

    rows = stream.gather(range(PAIRED))
    return {
        "n": pool.n,
        "d": pool.d,
        "dtype": str(pool.dtype),
        "read": size / best(read),
        "numbers": pool.n * pool.d / best(lambda: survey(stream)),
        **products(rows),
        "rows": LISTED / best(listed()),
    }


def products(rows) -> dict[str, float]:
    """Operations a second: rows times a few others, and all pairs of rows counted."""
    import jax
    import jax.numpy as jnp

    from jaxsel.selection.rows import unit_rows
    from jaxsel.streaming.pairs import ball_at, counts_between

    def along(a, b):
        return jnp.sum(jnp.square(jnp.matmul(a, b.T, precision="highest")), axis=1)

    n, d = rows.shape
    product, few, unit = jax.jit(along), rows[:PROPOSED], unit_rows(rows)
    ball = ball_at(jnp.mean(unit, axis=0), jnp.float32(0.65))
    several = 8  # one alone is over in a few milliseconds

    def multiplied() -> None:
        for _ in range(several):
            product(rows, few).block_until_ready()

    def counted() -> None:
        counts_between(unit, unit, ball, n, n)[0].block_until_ready()

    return {
        "product": several * 2 * n * d * PROPOSED / best(multiplied),
        "pairs": 2 * n * n * d / best(counted),
    }


def listed() -> Callable[[], None]:
    """A selection by norm whose lengths are known: what goes with every row once."""
    import jax
    import jax.numpy as jnp

    from jaxsel.selection.norm import select_norm

    lengths = jnp.linspace(1, 2, LISTED)[:, None]
    labelled, key = jnp.zeros(LISTED, bool), jax.random.key(0)

    def select() -> None:
        found = select_norm(key, lengths, labelled, budget=300, norm_ord=1.0)
        found.indices.block_until_ready()

    return select


def best(work: Callable[[], None]) -> float:
    """Seconds of the fastest of a few calls after a first one, which compiles."""
    work()
    found = []
    for _ in range(TRIES):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    answer(measure)

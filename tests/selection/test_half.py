"""float16 as float32: every one of the 65,536, without an instruction for it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.selection.half import widened


def test_every_half_is_widened_exactly() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    found = np.asarray(jax.jit(widened)(halves))
    exact = halves.astype(np.float32)
    np.testing.assert_array_equal(found, exact)
    fine = ~np.isnan(exact)
    assert np.array_equal(np.signbit(found[fine]), np.signbit(exact[fine]))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.int8, jnp.float32])
def test_other_types_are_converted(dtype: type) -> None:
    rows = jnp.asarray([[1, -2], [0, 3]], dtype)
    found = widened(rows)
    assert found.dtype == jnp.float32 and found.tolist() == [[1, -2], [0, 3]]


def test_no_program_converts_halves() -> None:
    text = jax.jit(widened).lower(jnp.zeros(4, jnp.float16)).as_text()
    assert "f16" in text and not any(
        "stablehlo.convert" in line
        and "f16>" in line.split("->")[0].replace("bf16", "")
        for line in text.splitlines()
    )

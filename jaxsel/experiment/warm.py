"""Warm starts: compiled programs are kept between processes."""

import os

import jax

from jaxsel.data.folders import cache_root


def keep_compiled() -> None:
    """Has JAX keep what it compiles, in the cache folder or where the user says.

    `$JAX_COMPILATION_CACHE_DIR` comes before `$JAXSEL_CACHE/xla`.
    """
    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", str(cache_root(None) / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

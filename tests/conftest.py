"""What every test runs under: data and caches of its own, compiled programs kept."""

import pathlib

import jax
import pytest

# Compiled programs outlive the process, so a second run of the tests is faster.
jax.config.update(
    "jax_compilation_cache_dir", str(pathlib.Path.home() / ".cache/jaxsel/xla-tests")
)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """No data set or feature is read from or left in the user's own folders."""
    folder = tmp_path_factory.mktemp("jaxsel-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAXSEL_CACHE", str(folder))
        patch.setenv("TFDS_DATA_DIR", str(folder / "tfds"))
        yield folder


@pytest.fixture
def shared() -> pathlib.Path:
    """The folder of golden cases and real images, where there is one."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared is not there")
    return SHARED

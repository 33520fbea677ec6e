"""What every test runs under: data and caches of its own, compiled programs kept.

Nine tenths of the quick tests' time is compilation, so they are compiled with little
optimisation unless `--optimise` is given (`make test-isa` gives it) or slow tests are
asked for. Flags in XLA_FLAGS stay in force and win.
"""

import gc
import os
import pathlib

import jax
import pytest
from hypothesis import HealthCheck, settings

# Compiled programs outlive the process, so a second run of the tests is faster.
jax.config.update(
    "jax_compilation_cache_dir", str(pathlib.Path.home() / ".cache/jaxsel/xla-tests")
)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
# A tenth of the time of tracing goes into noting where every operation stands.
jax.config.update("jax_traceback_in_locations_limit", 0)

# The same few examples every time, however slow the machine is.
settings.register_profile(
    "jaxsel",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("jaxsel")

# A third of the compilation time of the defaults. Programs are kept apart in the cache
# above, whose keys contain XLA_FLAGS.
QUICK = ("--xla_backend_optimization_level=0", "--xla_cpu_use_fusion_emitters=false")

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--optimise", action="store_true", help="compile programs as users' are"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Chooses how programs are compiled; XLA reads its flags at the first of them."""
    if config.getoption("optimise") or config.getoption("markexpr") == "slow":
        return
    given = os.environ.get("XLA_FLAGS", "")
    more = [flag for flag in QUICK if flag.split("=")[0] not in given]
    os.environ["XLA_FLAGS"] = " ".join([*more, *given.split()])


def pytest_collection_finish() -> None:
    """Tracing makes many objects: cycles are looked for rarely, among new ones."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


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

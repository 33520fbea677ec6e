"""Two processes over loopback select together, each from rows of its own."""

import json
import pathlib

import numpy as np
import pytest
from processes import together

import jaxsel
from jaxsel.experiment import hosts

WORKER = pathlib.Path(__file__).with_name("hosts_worker.py")
METHODS = ("norm", "gram_schmidt")


def test_two_processes_pick_what_one_does(tmp_path: pathlib.Path) -> None:
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(203, 8)) * rng.uniform(0.5, 2, (203, 1))).astype("f4")
    np.save(tmp_path / "rows.npy", rows)
    arguments = [str(WORKER), str(tmp_path / "rows.npy"), json.dumps(METHODS)]
    first, second = (json.loads(said[-1]) for said in together(arguments))
    for said in (first, second):
        assert (said["processes"], said["devices"]) == (2, 4)
        for method in METHODS:
            alone = jaxsel.select(rows, 5, method, labelled=[1, 7])
            assert said["picks"][method] == alone.indices.tolist()
    # 51 rows to a device; the last of the last one's is none of the pool's.
    assert first["read"] == list(range(102))
    assert second["read"] == list(range(102, 204))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (
            {"JAX_COORDINATOR_ADDRESS": "127.0.0.1"},
            "expected JAX_COORDINATOR_ADDRESS to be host:port, found '127.0.0.1'",
        ),
        ({"JAX_NUM_PROCESSES": "2"}, "expected JAX_PROCESS_ID to be a whole number"),
        ({"JAX_PROCESS_ID": "0"}, "expected JAX_NUM_PROCESSES to be a whole number"),
        (
            {"JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "2"},
            "expected JAX_PROCESS_ID below JAX_NUM_PROCESSES, found 2 of 2",
        ),
        (
            {
                "JAX_NUM_PROCESSES": "2",
                "JAX_PROCESS_ID": "1",
                "JAXSEL_HEARTBEAT_SECONDS": "0",
            },
            "expected JAXSEL_HEARTBEAT_SECONDS of 1 or more, found 0",
        ),
    ],
)
def test_a_process_without_its_numbers_is_refused(
    numbers: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JAX_NUM_PROCESSES", "JAX_PROCESS_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JAX_COORDINATOR_ADDRESS", "127.0.0.1:1")
    for name, value in numbers.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(jaxsel.UserError, match=message):
        hosts.join()

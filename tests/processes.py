"""Programs with several devices, or several processes: JAX's flags are read once."""

import os
import pathlib
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CACHE = pathlib.Path.home() / ".cache/jaxsel/xla-tests"


def alone(arguments: list[str], devices: int = 8) -> list[str]:
    """The lines that a program prints where there are several virtual devices."""
    return _ended([_started(arguments, devices, {})])[0]


def together(arguments: list[str], devices: int = 2) -> list[list[str]]:
    """The lines that each of two processes prints, joined over loopback."""
    return _ended(two_started(arguments, devices, {}))


def two_started(
    arguments: list[str], devices: int, more: dict[str, str]
) -> list[subprocess.Popen]:
    """Two processes that join over loopback, with more in their environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{port}",
        "JAX_NUM_PROCESSES": "2",
        **more,
    }
    return [
        _started(arguments, devices, {**shared, "JAX_PROCESS_ID": str(place)})
        for place in range(2)
    ]


def _started(
    arguments: list[str], devices: int, more: dict[str, str]
) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests/experiment")]),
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": " ".join(
                [
                    os.environ.get("XLA_FLAGS", ""),
                    f"--xla_force_host_platform_device_count={devices}",
                ]
            ).strip(),
            "JAX_COMPILATION_CACHE_DIR": str(CACHE),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            **more,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(started: list[subprocess.Popen]) -> list[list[str]]:
    try:
        ended = [process.communicate(timeout=900) for process in started]
    finally:
        for process in started:
            process.kill()
    for process, (_, errors) in zip(started, ended, strict=True):
        assert process.returncode == 0, errors[-3000:]
    return [out.splitlines() for out, _ in ended]

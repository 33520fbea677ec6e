"""Free memory, from files as Linux writes them."""

import pathlib

from jaxsel.planning.free import free_bytes, free_host_bytes

GIB = 1 << 30


def linux(root: pathlib.Path, available: int, group: str) -> None:
    told = f"MemTotal: 99 kB\nMemAvailable: {available // 1024} kB"
    place(root, "proc", {"meminfo": told})
    place(root, "proc/self", {"cgroup": group})


def place(root: pathlib.Path, folder: str, files: dict[str, object]) -> None:
    for name, value in files.items():
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")


def test_the_machine_alone(tmp_path: pathlib.Path) -> None:
    linux(tmp_path, 8 * GIB, "0::/user")
    place(tmp_path, "sys/fs/cgroup/user", {"memory.max": "max", "memory.current": 5})
    assert free_host_bytes(tmp_path) == 8 * GIB


def test_a_group_of_version_2_and_the_one_around_it(tmp_path: pathlib.Path) -> None:
    linux(tmp_path, 8 * GIB, "0::/pod/box")
    top = "sys/fs/cgroup"
    place(
        tmp_path,
        f"{top}/pod/box",
        {
            "memory.max": 3 * GIB,
            "memory.current": 2 * GIB,
            "memory.stat": f"anon 7\ninactive_file {GIB}",
        },
    )
    assert free_host_bytes(tmp_path) == 2 * GIB
    place(tmp_path, f"{top}/pod", {"memory.max": 2 * GIB, "memory.current": GIB})
    assert free_host_bytes(tmp_path) == GIB


def test_a_group_of_version_1(tmp_path: pathlib.Path) -> None:
    linux(tmp_path, 8 * GIB, "5:cpu:/elsewhere\n4:memory:/not/here")
    # Within a container its own group is the top, whatever the path says.
    limits = {"memory.limit_in_bytes": GIB, "memory.usage_in_bytes": 2 * GIB}
    place(tmp_path, "sys/fs/cgroup/memory", limits)
    assert free_host_bytes(tmp_path) == 0


def test_a_system_that_tells_nothing(tmp_path: pathlib.Path) -> None:
    assert free_host_bytes(tmp_path) > 0
    assert free_bytes() > 0

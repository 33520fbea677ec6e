"""A command's console, and the names of a pool that no program should trip over."""

import json
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

NAMES = (
    "plain.png",
    "with space.png",
    "quo\"te's.png",
    "new\nline.png",
    "größe/画像.png",
    "=1+1.png",
    "deep/er/a.png",
    "deep/er/b.png",
    "deep/c.png",
    "z1.png",
    "z2.png",
    "z3.png",
)


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def found(self) -> dict[str, Any]:
        return json.loads(self.out)


Run = Callable[..., Said]


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    """Every file below a folder, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

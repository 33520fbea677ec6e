"""Data flows one way: data → features → selection → training → evaluation → report."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
EVERYWHERE = {
    "arrays",
    "arrow",
    "column_names",
    "columns",
    "errors",
    "files",
    "frames",
    "full_disk",
    "natural_order",
    "npy_header",
    "roles",
    "tables",
}
MAY_IMPORT = {
    "data": set(),
    "models": set(),
    "augment": set(),
    "pretraining": {"models", "augment"},
    "features": {"data", "models", "pretraining"},
    "selection": set(),
    "pools": set(),
    "streaming": {"pools", "selection"},
    "training": {"models", "augment"},
    "evaluation": set(),
    "report": {"evaluation"},
    "annotation": set(),
    "sources": {"data", "features"},
    "doctor": set(),
    "planning": {"selection"},
    "experiment": {
        "data",
        "models",
        "augment",
        "pretraining",
        "features",
        "selection",
        "training",
        "evaluation",
        "report",
    },
    "verbs": {
        "pools",
        "streaming",
        "data",
        "models",
        "augment",
        "pretraining",
        "features",
        "selection",
        "training",
        "evaluation",
        "report",
        "annotation",
        "sources",
        "doctor",
        "planning",
        "experiment",
    },
    "reproduce": {
        "data",
        "features",
        "selection",
        "evaluation",
        "report",
        "experiment",
    },
}


def imported_rooms(path: pathlib.Path) -> set[str]:
    """The packages of ours that a file imports, at any depth of the file."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
            if node.module == "jaxsel":
                names = [f"jaxsel.{alias.name}" for alias in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("jaxsel.")}
    return rooms


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_comes_before_it(room: str) -> None:
    files = sorted((ROOT / "jaxsel" / room).rglob("*.py"))
    assert files
    for path in files:
        extra = imported_rooms(path) - EVERYWHERE - {room} - MAY_IMPORT[room]
        assert not extra, f"{path.relative_to(ROOT)} imports {sorted(extra)}"


def test_every_room_is_listed() -> None:
    rooms = {
        p.name for p in (ROOT / "jaxsel").iterdir() if (p / "__init__.py").exists()
    }
    assert rooms == set(MAY_IMPORT)


def test_importing_jaxsel_is_light() -> None:
    heavy = "sklearn matplotlib tensorflow_datasets flax optax orbax"
    code = (
        "import sys, jaxsel; jaxsel.select; "
        f"print([m for m in '{heavy}'.split() if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

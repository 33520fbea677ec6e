"""What people have lying about: one clear line each, and nothing written over."""

import json
import os
import pathlib
import struct

import numpy as np
import pytest
from PIL import Image

from tests.verbs.console import Run, contents

ROWS = np.random.default_rng(0).normal(size=(6, 3))
RGB = ("--encoder", "rgb", "--side", 4)


def huge_tiff(file: pathlib.Path) -> None:
    """A header of 50,000 x 14,000 colours, and two gigabytes that lie on no disk."""
    tags = [
        (256, 4, 50_000), (257, 4, 14_000), (258, 3, 8), (259, 3, 1), (262, 3, 2),
        (273, 4, 200), (277, 3, 3), (278, 4, 14_000), (279, 4, 2_100_000_000),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, v) for tag, kind, v in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    with file.open("wb") as stream:
        stream.write(head)
        stream.truncate(2_100_000_000)


@pytest.mark.parametrize("verb", ["doctor", "select"])
@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["a", "b", "c", "b", "d", "e"], "found 'b' in rows 1 and 3"),
        (["a", "b"], "expected 6 ids"),
    ],
)
def test_ids_that_are_not_one_a_row(
    run: Run, tmp_path: pathlib.Path, verb: str, ids: list[str], message: str
) -> None:
    np.savez(tmp_path / "own.npz", features=ROWS, ids=ids)
    said = run(verb, tmp_path / "own.npz", "-b", 2)
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1 and message in said.err


def test_an_empty_folder_is_said(run: Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "none").mkdir()
    for words in (("doctor",), ("select", "-b", 2)):
        said = run(*words, tmp_path / "none")
        assert said.code == 2 and said.err.startswith("jaxsel: expected images (PNG")


def test_folders_that_lead_into_themselves_end(
    run: Run, tmp_path: pathlib.Path
) -> None:
    root = tmp_path / "scans"
    (root / "a" / "b").mkdir(parents=True)
    Image.new("RGB", (5, 5)).save(root / "a" / "x.png")
    os.symlink("..", root / "a" / "b" / "up")
    os.symlink(root, root / "a" / "all")
    os.symlink("two.png", root / "one.png")
    os.symlink("one.png", root / "two.png")
    said = run("doctor", root, "--json")
    assert said.code == 0 and said.found["rows"] == 1
    assert [entry["id"] for entry in said.found["unreadable"]] == ["one.png", "two.png"]


def test_two_gigabytes_of_tiff_are_left_out_unread(
    run: Run, folder: pathlib.Path
) -> None:
    huge_tiff(folder / "slide.tif")
    said = run("select", folder, "-b", 2, *RGB, "-m", "random", "-o", "out")
    assert said.code == 0, said.err
    assert "2 unreadable images left out" in said.err
    manifest = json.loads(pathlib.Path("out/manifest.json").read_text())
    reasons = {entry["id"]: entry["reason"] for entry in manifest["unreadable"]}
    assert reasons["slide.tif"].startswith("700,000,000 pixels, more than")


def test_more_picks_than_images_are_refused_before_any_is_encoded(
    run: Run, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Twelve can be read, of thirteen that are images by their names.
    said = run("select", folder, "-b", 13, *RGB, "-o", "out")
    assert said.code == 2 and "at most 12 picks" in said.err

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("images were encoded")

    monkeypatch.setattr("jaxsel.verbs.encoding.encode_folder", refuse)
    said = run("select", folder, "-b", 14, "-o", "out")
    assert said.code == 2 and "at most 12 picks" in said.err
    pathlib.Path("known.txt").write_text("plain.png\nelsewhere.png\n")
    said = run("select", folder, "-b", 2, "--labelled", "known.txt", "-o", "out")
    assert said.code == 2 and "not among them ('elsewhere.png')" in said.err
    assert not pathlib.Path("out").exists()


def test_names_that_are_no_text_are_told_of_where_a_tool_may_refuse_them(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    odd = os.fsencode(folder) + b"/caf\xe9.png"
    with open(odd, "wb") as stream:
        stream.write((folder / "plain.png").read_bytes())
    assert run("select", folder, "-b", 13, *RGB, "-m", "random", "-o", "r").code == 0
    told = {}
    for tool in ("csv", "cvat", "coco", "fiftyone", "label-studio"):
        said = run("export", "r", "--to", tool, "-o", tmp_path / tool)
        assert said.code == 0, said.err
        told[tool] = "1 file name cannot be written as UTF-8" in said.out
    assert told == {
        "csv": False, "cvat": False, "coco": True, "fiftyone": True,
        "label-studio": True,
    }  # fmt: skip
    words = ("export", "r", "--to", "label-studio", "--prefix", "https://host/")
    said = run(*words, "-o", tmp_path / "linked", "--json")
    assert said.found["odd_names"] == 0
    assert "caf%E9.png" in (tmp_path / "linked" / "label-studio.json").read_text()


def test_a_tools_table_is_not_taken_for_ids(
    run: Run, matrix: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    table = tmp_path / "back.csv"
    table.write_text("id;label\n3;cat\n")
    assert run("select", matrix, "-b", 2, "-m", "random", "-o", "r").code == 0
    before = contents(pathlib.Path("r"))
    for words in (
        ("select", matrix, "-b", 2, "--labelled", table, "-o", "s"),
        ("backfill", "r", "--labels", table),
    ):
        said = run(*words)
        assert said.code == 2 and "jaxsel import --from csv" in said.err
    assert contents(pathlib.Path("r")) == before
    assert [path.name for path in pathlib.Path().iterdir()] == ["r"]

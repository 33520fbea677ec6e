"""Folders of every kind: each image once, in one order, and the walk ends."""

import os
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxsel.sources.walk import find_images, id_of, is_dicom

ODD = [
    "with space.png",
    "quo\"te's.png",
    "new\nline.png",
    "größe-日本.png",
    "=cmd|x.png",
    "<b>&amp;.png",
    "back\\slash.png",
    "comma,semi;tab\t.png",
    "-n.png",
]


def touch(root: pathlib.Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def ids(root: pathlib.Path) -> list[str]:
    return [name for name, _ in find_images(root).images]


def test_nesting_order_and_what_is_skipped(tmp_path: pathlib.Path) -> None:
    touch(
        tmp_path, "b.PNG", "a/z.jpg", "a/b/c/d.Tiff", "a.jpeg", "B.webp", "x.bmp",
        "y.dcm", "a/.hidden.png", ".git/a.png", "readme.txt", "a/data.csv", "noext",
        "png", "a/1.2.840",
    )  # fmt: skip
    found = find_images(tmp_path)
    names = [name for name, _ in found.images]
    assert names == sorted(
        ["b.PNG", "a/z.jpg", "a/b/c/d.Tiff", "a.jpeg", "B.webp", "x.bmp", "y.dcm"]
    )
    assert all(path == tmp_path / name for name, path in found.images)
    assert found.skipped == (2, 5, 0)
    assert found.unreadable == ()


def test_odd_names_survive(tmp_path: pathlib.Path) -> None:
    touch(tmp_path, *ODD, *(f"sub dir\n/{name}" for name in ODD))
    found = find_images(tmp_path)
    expected = sorted([*ODD, *(f"sub dir\n/{name}" for name in ODD)])
    assert [name for name, _ in found.images] == expected
    assert all(path.exists() for _, path in found.images)


def test_names_that_are_no_text_survive(tmp_path: pathlib.Path) -> None:
    root = os.fsencode(tmp_path)
    raw = [b"caf\xe9.png", b"caf\\xe9.png", b"caf\xe8.png", b"ok.png", b"d\xff/a.png"]
    try:
        os.mkdir(root + b"/d\xff")
        for name in raw:
            with open(root + b"/" + name, "wb"):
                pass
    except OSError:
        pytest.skip("the file system takes no such names")
    found = find_images(tmp_path)
    by_id = dict(found.images)
    assert set(by_id) == {
        r"./caf\xe9.png", r"caf\xe9.png", r"./caf\xe8.png", "ok.png", r"./d\xff/a.png",
    }  # fmt: skip
    assert os.fsencode(by_id[r"./caf\xe9.png"]) == root + b"/" + raw[0]
    assert all(path.exists() for path in by_id.values())
    "".join(by_id).encode("utf-8")


PARTS = st.binary(min_size=1, max_size=6).filter(
    lambda raw: not set(raw) & {0, ord("/")} and raw not in (b".", b"..")
)
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(b"/".join)


@given(PATHS, PATHS)
def test_ids_are_distinct_text(one: bytes, other: bytes) -> None:
    first, second = id_of(os.fsdecode(one)), id_of(os.fsdecode(other))
    first.encode("utf-8")
    assert (first == second) == (one == other)


def test_links_are_followed_and_loops_end(tmp_path: pathlib.Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    touch(root, "a/one.png", "b/two.png")
    touch(outside, "three.png", "deep/four.png")
    (root / "a" / "up").symlink_to(root)
    (root / "b" / "me").symlink_to(".")
    (root / "b" / "a").symlink_to("../a")
    (root / "self").symlink_to("self")
    (root / "z").symlink_to(outside)
    (root / "y").symlink_to(outside / "deep")
    (outside / "back").symlink_to(root)
    (root / "alias.png").symlink_to(root / "a" / "one.png")
    found = find_images(root)
    # The folder behind y is reached through z too, by links both ways: y comes first.
    assert [name for name, _ in found.images] == [
        "a/one.png", "alias.png", "b/two.png", "y/four.png", "z/three.png",
    ]  # fmt: skip
    # a/up, b/me, b/a, z/back, z/deep.
    assert found.skipped == (0, 0, 5)
    assert [entry.id for entry in found.unreadable] == ["self"]


def test_folders_linked_to_each_other_are_listed_once(tmp_path: pathlib.Path) -> None:
    for i in range(12):  # without a memory of folders: 12! paths
        touch(tmp_path, f"d{i}/{i}.png")
    for i in range(12):
        for j in range(12):
            (tmp_path / f"d{i}" / f"to{j}").symlink_to(tmp_path / f"d{j}")
    assert len(ids(tmp_path)) == 12


def test_what_cannot_be_listed_is_said(tmp_path: pathlib.Path) -> None:
    touch(tmp_path, "fine.png")
    (tmp_path / "broken.png").symlink_to("nowhere.png")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "broken.txt").symlink_to("nowhere.txt")
    found = find_images(tmp_path)
    assert [name for name, _ in found.images] == ["fine.png"]
    assert [entry.id for entry in found.unreadable] == ["broken.png", "loop.jpg"]
    assert "nowhere" in found.unreadable[0].reason
    assert found.skipped.other == 1


def test_a_pipe_is_not_read(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder.png").mkdir()
    touch(tmp_path, "folder.png/in.png")
    found = find_images(tmp_path)
    assert [name for name, _ in found.images] == ["folder.png/in.png"]
    assert found.skipped.other == 2


def test_dicom_without_a_suffix_is_known_by_its_mark(tmp_path: pathlib.Path) -> None:
    marked = b"\0" * 128 + b"DICM rest"
    for name in ("scan", "1.2.840.113619", "scan.txt"):
        (tmp_path / name).write_bytes(marked)
    (tmp_path / "short").write_bytes(b"DICM")
    assert ids(tmp_path) == ["1.2.840.113619", "scan"]
    assert is_dicom(tmp_path / "scan") and not is_dicom(tmp_path / "a.JPG")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_folder_is_said(tmp_path: pathlib.Path) -> None:
    touch(tmp_path, "a.png", "closed/b.png")
    (tmp_path / "closed").chmod(0)
    try:
        found = find_images(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert found.unreadable == (("closed/", "permission denied"),)

"""Files: replaced whole or not at all, appended in whole lines."""

import json
import os
import pathlib
import stat

import pytest

from jaxsel import files
from jaxsel.errors import UserError


def test_an_exception_leaves_the_old_file_and_nothing_else(
    tmp_path: pathlib.Path,
) -> None:
    target = tmp_path / "note.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), files.replacing(target) as part:
        part.write_text("half of the new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_old_file_is_there_until_the_end(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "made" / "note.txt"
    files.write_text(target, "old")
    with files.replacing(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_replaced_file_is_as_readable_as_any_other(tmp_path: pathlib.Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    files.write_text(tmp_path / "replaced", "x")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {stat.S_IMODE(plain.stat().st_mode)}


@pytest.mark.parametrize(
    "before, after",
    [
        (b"", b"new\n"),
        (b"whole\n", b"whole\nnew\n"),
        (b"whole\nunfini", b"whole\nnew\n"),
        (b"unfinished and alone", b"new\n"),
        (b"whole\n" + b"x" * 200_000, b"whole\nnew\n"),
    ],
)
def test_appending_drops_an_unfinished_last_line(
    tmp_path: pathlib.Path, before: bytes, after: bytes
) -> None:
    path = tmp_path / "journal"
    path.write_bytes(before)
    files.append_lines(path, "new\n")
    assert path.read_bytes() == after


def test_appending_makes_the_file(tmp_path: pathlib.Path) -> None:
    files.append_lines(tmp_path / "journal", "é\n")
    files.append_lines(tmp_path / "journal", "b\nc\n")
    assert (tmp_path / "journal").read_text(encoding="utf-8") == "é\nb\nc\n"


def test_the_hash_is_of_the_value_not_of_the_order_of_its_keys() -> None:
    value = {"a": 1, "b": {"c": [1, 2], "d": None}}
    turned = {"b": {"d": None, "c": [1, 2]}, "a": 1}
    assert files.hash_of(value) == files.hash_of(turned)
    assert files.hash_of(value) != files.hash_of({**value, "a": 2})
    assert files.hash_of([1, 2]) != files.hash_of([2, 1])
    assert len(files.hash_of(value, length=8)) == 8


def test_json_comes_back_and_damage_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, {"b": [1, 2], "a": None})
    assert files.read_json(path) == json.loads(path.read_text())
    path.write_text('{"b": [1,')
    with pytest.raises(UserError, match=r"JSON in .*a.json.*restore"):
        files.read_json(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"a\.json"):
        files.read_json(path)


def test_a_folder_below_a_file_cannot_be_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="Not a directory; choose another folder"):
        files.writable_folder(tmp_path / "file" / "below")
    with pytest.raises(UserError, match="File exists"):
        files.writable_folder(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="Permission denied"):
        files.writable_folder(tmp_path)


def test_a_writable_folder_is_made_and_stays_empty(tmp_path: pathlib.Path) -> None:
    files.writable_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []

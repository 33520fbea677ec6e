"""What a tool wrote is read whole, within bounds, or refused in a line."""

import codecs
import io
import json
import pathlib
import zipfile

import pytest
from pool_of_five import PICKS

from jaxsel.annotation import texts
from jaxsel.annotation.tables import table_of
from jaxsel.annotation.texts import json_of, text_of, text_or_member
from jaxsel.annotation.tools import import_labels
from jaxsel.errors import LONGEST_MESSAGE, UserError, listed, quoted, shortened

LABELS = "id;label\r\n=SUM(1,2).png;größer\r\n"


def zipped(path: pathlib.Path, **members: bytes | str) -> pathlib.Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "data",
    [
        LABELS.encode(),
        LABELS.encode("utf-8-sig"),
        LABELS.encode("utf-16"),
        codecs.BOM_UTF16_BE + LABELS.encode("utf-16-be"),
        LABELS.encode("utf-32"),
        b"sep=;\r\n" + LABELS.encode(),
        LABELS.replace(";", "\t").encode("utf-16"),
        LABELS.replace("\r\n", "\n").rstrip().encode() + b"\n;\n",
    ],
)
def test_text_as_spreadsheets_save_it(tmp_path: pathlib.Path, data: bytes) -> None:
    (tmp_path / "f.csv").write_bytes(data)
    assert import_labels("csv", tmp_path / "f.csv", PICKS) == {PICKS[2].id: "größer"}


@pytest.mark.parametrize(
    "data", [LABELS.encode("latin-1"), LABELS.encode("utf-16-le"), b"\xff\xfe\x00"]
)
def test_what_is_no_text_is_refused(tmp_path: pathlib.Path, data: bytes) -> None:
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(UserError, match=r"labels in a readable UTF-8 file.*as UTF-8"):
        text_of(tmp_path / "f", "labels")


def test_a_table_names_its_columns_once_and_its_lines() -> None:
    assert table_of("sep=;\na;b\n1;2\n;\n", "f") == [("line 3", {"a": "1", "b": "2"})]
    with pytest.raises(UserError, match="f, line 3: expected 2 cells, found 1"):
        table_of("sep=;\na;b\n1\n", "f")
    with pytest.raises(UserError, match="different names, found 'a' twice"):
        table_of("a,b,a\n", "f")
    with pytest.raises(UserError, match="found nothing"):
        table_of("", "f")


def test_one_member_of_an_archive_is_read(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "f.zip"
    shadow = {"__MACOSX/._a.JSON": b"\x00", "b/._c.json": b"\x00", "b/": b""}
    zipped(file, **{"in/a.JSON": "{}", "x.png": b"", **shadow})
    assert json_of(file, "a thing") == {}
    assert text_or_member(file, "a thing", (".xml", ".json")) == "{}"
    for members, message in (
        ({"a.json": "", "b.json": ""}, r"found 2 \('a.json', 'b.json'\)"),
        ({"in/labels.zip": b""}, "found 0, and an archive in it, 'in/labels.zip'"),
        ({}, "found 0; unpack it"),
    ):
        with pytest.raises(UserError, match=message):
            json_of(zipped(file, **members), "a thing")


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MOST", 1 << 20)
    file = zipped(tmp_path / "f.zip", **{"a.xml": b" " * (1 << 21)})
    with pytest.raises(UserError, match="at most 1 MiB, found 2,097,152 bytes"):
        text_or_member(file, "annotations", ".xml")
    # The size that it declares is wrong, in the list of members and before the data.
    size, lie = ((1 << k).to_bytes(4, "little") for k in (21, 10))
    file.write_bytes(file.read_bytes().replace(size, lie))
    with pytest.raises(UserError, match="expected a whole archive"):
        text_or_member(file, "annotations", ".xml")
    (tmp_path / "plain.xml").write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(UserError, match="at most 1 MiB, found more; split"):
        text_or_member(tmp_path / "plain.xml", "annotations", ".xml")


def test_unpacking_is_counted_whatever_is_declared(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MOST", 1 << 20)
    content = b" " * (1 << 21)
    file = zipped(tmp_path / "f.zip", **{"a.xml": content})
    asked = []

    def endless(*_: object, **__: object) -> io.BytesIO:
        stream = io.BytesIO(content)
        read = stream.read
        stream.read = lambda size=-1: asked.append(size) or read(size)  # type: ignore
        return stream

    real = zipfile.ZipFile.infolist

    def lying(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        found = real(archive)
        for one in found:
            one.file_size = 9
        return found

    monkeypatch.setattr(zipfile.ZipFile, "infolist", lying)
    monkeypatch.setattr(zipfile.ZipFile, "open", endless)
    with pytest.raises(UserError, match="found more than it declares"):
        text_or_member(file, "annotations", ".xml")
    assert 0 < max(asked) <= 1 << 16 and len(asked) <= 18


def test_archives_of_other_kinds_are_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "f.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.xml", " ")
    with pytest.raises(UserError, match="stored or deflated, found compression 12"):
        text_or_member(file, "annotations", ".xml")
    zipped(file, **{f"{k}.xml": b"" for k in range(9)})
    monkeypatch.setattr(texts, "MOST_MEMBERS", 8)
    with pytest.raises(UserError, match="at most 8 files, found 9"):
        text_or_member(file, "annotations", ".xml")
    monkeypatch.setattr(texts, "_DIRECTORY", 40)
    with pytest.raises(UserError, match=r"f\.zip: .* found a list of \d+ bytes"):
        text_or_member(file, "annotations", ".xml")
    whole = zipped(file, **{"a.xml": b"<a/>" * 99}).read_bytes()
    monkeypatch.undo()
    damaged = bytearray(whole)
    damaged[40] ^= 0xFF
    file.write_bytes(damaged)
    with pytest.raises(UserError, match="expected a whole archive"):
        text_or_member(file, "annotations", ".xml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "does not parse"),
        ('{"a": ' * 100_000, "does not parse"),
        ("9" * 5000, "does not parse"),
        ('{"a": 1, "a": 2}', "an object with 'a' twice"),
        ("", "does not parse"),
    ],
)
def test_json_that_is_none(tmp_path: pathlib.Path, text: str, message: str) -> None:
    (tmp_path / "f").write_text(text)
    with pytest.raises(UserError, match=message):
        json_of(tmp_path / "f", "a thing")
    (tmp_path / "f").write_text('{"a": NaN, "b": 1, "b": 1}')
    assert json_of(tmp_path / "f", "a thing")["b"] == 1


def test_no_message_quotes_a_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "f"
    long = json.dumps({"images": ["x" * 200_000], "annotations": [], "categories": []})
    for tool in ("csv", "coco", "label-studio", "cvat", "fiftyone"):
        for text in (long, long.replace("{", "").replace("[", ""), "a," * 10**5 + "a"):
            path.write_text(text)
            with pytest.raises(UserError) as raised:
                import_labels(tool, path, PICKS)
            assert len(str(raised.value)) <= LONGEST_MESSAGE + 50
    assert shortened("z" * 10**6, 100).count("z") == 100
    assert str(UserError("b" * 10**6)).endswith("b" * (LONGEST_MESSAGE // 4))
    assert quoted({"a": "x" * 999}, 20).startswith("{'a': 'xxxxxxx")
    assert listed("ab" * 9, most=1) == "'a', … (17 more)"

"""Exports that the tools' own parsers take, and what they export, read back.

The golden files were loaded once by label-studio-sdk 2.1.2, pycocotools 2.0.11,
datumaro 1.13.12 and the importers of fiftyone 1.22.1.
"""

import csv
import io
import json
import os
import pathlib
import shutil
import urllib.parse
import zipfile

import pytest
from pool_of_five import PICKS, SIZES

from jaxsel.annotation.cells import unescape
from jaxsel.annotation.cvat import write_links
from jaxsel.annotation.labels import UNUSABLE
from jaxsel.annotation.names import link_names
from jaxsel.annotation.options import LOCAL_FILES, ExportOptions, ImportOptions
from jaxsel.annotation.tools import EXPORTERS, export, import_labels, write_files
from jaxsel.errors import UserError

GOLDEN = pathlib.Path(__file__).parent / "golden"
OPTIONS = ExportOptions(
    prefix="https://images.example/pool/",
    root=pathlib.Path("/pool"),
    classes=("healthy", "ill", "unusable"),
    sizes=SIZES,
)
BACK = {
    PICKS[0].id: "healthy",
    PICKS[1].id: UNUSABLE,
    PICKS[2].id: "ill",
    PICKS[4].id: UNUSABLE,
}


@pytest.mark.parametrize("tool", EXPORTERS)
def test_exports_are_the_golden_files(tool: str) -> None:
    files = export(tool, PICKS[::-1], OPTIONS)
    assert files == {name: (GOLDEN / name).read_text("utf-8") for name in files}


def test_every_export_is_in_pick_order_with_the_ids_whole() -> None:
    ids = [pick.id for pick in PICKS]
    texts = {tool: export(tool, PICKS[::-1], OPTIONS) for tool in EXPORTERS}
    tasks = json.loads(texts["label-studio"]["label-studio.json"])
    assert [unescape(task["data"]["jaxsel_id"]) for task in tasks] == ids
    samples = json.loads(texts["fiftyone"]["samples.json"])["samples"]
    assert [unescape(sample["jaxsel_id"]) for sample in samples] == ids
    assert [sample["filepath"] for sample in samples] == [
        os.path.join("/pool", pick.path) for pick in PICKS
    ]
    images = json.loads(texts["coco"]["coco.json"])["images"]
    assert [image["file_name"] for image in images] == [pick.path for pick in PICKS]
    assert [image["id"] for image in images] == [1, 2, 3, 4, 5]
    assert "width" in images[1] and "width" not in images[2]
    links = texts["cvat"]["files.txt"].splitlines()
    assert links == sorted(links) and len(set(links)) == 5
    header, version, *rest = map(
        json.loads, texts["cvat"]["manifest.jsonl"].splitlines()
    )
    assert (header, version) == ({"version": "1.1"}, {"type": "images"})
    assert [line["name"] + line["extension"] for line in rest] == links
    rows = csv.DictReader(io.StringIO(texts["csv"]["to-label.csv"]))
    assert [int(row["rank"]) for row in rows] == [1, 2, 3, 4, 5]


def test_links_of_label_studio_lead_back_to_the_path() -> None:
    files = export("label-studio", PICKS, ExportOptions(prefix=LOCAL_FILES))
    for task, pick in zip(json.loads(files["label-studio.json"]), PICKS, strict=True):
        query = urllib.parse.urlsplit(task["data"]["image"]).query
        found = urllib.parse.parse_qs(query, errors="surrogateescape", separator="&")
        assert found == {"d": [pick.path]}
    plain = json.loads(export("label-studio", PICKS)["label-studio.json"])
    assert [task["data"]["image"] for task in plain] == [pick.path for pick in PICKS]


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ("label-studio", "label-studio-export.json"),
        ("cvat", "annotations.xml"),
        ("cvat", "coco-labels.json"),
        ("coco", "coco-labels.json"),
        ("fiftyone", "labels-by-fiftyone.csv"),
        ("csv", "filled-in.csv"),
    ],
)
def test_labels_come_back(tool: str, name: str) -> None:
    assert import_labels(tool, GOLDEN / name, PICKS) == BACK


def test_archives_of_cvat_are_opened(tmp_path: pathlib.Path) -> None:
    with zipfile.ZipFile(tmp_path / "task.zip", "w") as archive:
        archive.write(GOLDEN / "annotations.xml", "annotations.xml")
        archive.writestr("images/000001_left_eye.png", b"")
    assert import_labels("cvat", tmp_path / "task.zip", PICKS) == BACK
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("readme.txt", "")
    with pytest.raises(UserError, match=r"expected one file \*.xml or \*.json in the"):
        import_labels("cvat", tmp_path / "none.zip", PICKS)


def test_tables_with_semicolons_and_own_words_are_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        "label;note;id\nill;a, b;ward 1/left eye.png\nbad;;'=SUM(1,2).png\n"
    )
    labels = import_labels("csv", path, PICKS, ImportOptions(unusable=("Bad",)))
    assert labels == {PICKS[0].id: "ill", PICKS[2].id: UNUSABLE}


@pytest.mark.parametrize(
    ("tool", "text", "message"),
    [
        (
            "csv",
            "id,class\na,b\n",
            "line 1: expected the columns jaxsel_id or id and label",
        ),
        ("csv", "id,label\na\n", "line 2: expected 2 cells, found 1"),
        ("csv", "id,label\na,ill\nb,ill\n", "the 5 picks, found 2 of 2 .*'a', 'b'"),
        (
            "csv",
            "id,label\nward 1/left eye.png,ill\nward 1/left eye.png,healthy\n",
            "expected one label .* found ill and healthy",
        ),
        ("csv", "id,label\nleft eye.png,ill\n", "that several share"),
        ("coco", "{", "expected a COCO data set as JSON"),
        ("coco", "[]", "expected COCO's images, annotations and categories"),
        ("coco", "{}", "no list of images"),
        ("coco", '{"images": [], "categories": []}', "found damage"),
        ("label-studio", "{}", "expected a list of tasks"),
        ("label-studio", '[{"id": 1, "choice": "ill"}]', "expected tasks with a jax"),
        ("cvat", "<annotations/>", "expected images in CVAT's XML, found none"),
        ("cvat", "<annotations><track/></annotations>", "found tracks"),
        ("cvat", "<!DOCTYPE a><annotations/>", "found a document type"),
        ("cvat", "<annotations>", "expected CVAT's XML"),
    ],
)
def test_what_is_not_the_tools_export_is_refused(
    tmp_path: pathlib.Path, tool: str, text: str, message: str
) -> None:
    path = tmp_path / "export"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        import_labels(tool, path, PICKS)


def test_links_are_files_of_their_own_name(tmp_path: pathlib.Path) -> None:
    for pick in PICKS[:4]:
        (tmp_path / "pool" / pick.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pool" / pick.path).write_text(pick.id)
    shutil.move(tmp_path / "pool" / PICKS[3].path, tmp_path / "elsewhere")
    (tmp_path / "pool" / PICKS[3].path).symlink_to(tmp_path / "elsewhere")
    links = write_links(tmp_path / "images", PICKS[3::-1], tmp_path / "pool")
    assert [link.name for link in links] == link_names(PICKS[:4])
    assert [link.read_text() for link in links] == [pick.id for pick in PICKS[:4]]
    # CVAT's uploader would send a symbolic link under the name of what it means.
    assert [link.resolve().name for link in links] == link_names(PICKS[:4])
    with pytest.raises(UserError, match="expected a new or empty folder"):
        write_links(tmp_path / "images", PICKS[:4], tmp_path / "pool")
    with pytest.raises(UserError, match="found 1 missing"):
        write_links(tmp_path / "more", PICKS, tmp_path / "pool")
    assert not (tmp_path / "more").exists()


def test_exports_refuse_what_a_tool_can_not_show(tmp_path: pathlib.Path) -> None:
    bare = [PICKS[0], PICKS[1]._replace(path="")]
    for tool in set(EXPORTERS) - {"csv"}:
        with pytest.raises(UserError, match="expected picks with a path"):
            export(tool, bare)
        with pytest.raises(UserError, match="no picks"):
            export(tool, [])
    assert export("csv", bare)
    with pytest.raises(UserError, match="expected a tool of label-studio, cvat"):
        export("paper", PICKS)
    with pytest.raises(UserError, match="expected each class once"):
        export("coco", PICKS, ExportOptions(classes=("a", "a")))
    write_files(tmp_path, {"a.txt": "first"})
    with pytest.raises(UserError, match=r"found a\.txt"):
        write_files(tmp_path, {"b.txt": "", "a.txt": "second"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "first"

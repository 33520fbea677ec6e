"""The golden files in each tool's own parser, where that tool can be imported.

None of the tools is a requirement of ours. In an environment of its own, beside jaxsel
and pytest: `pip install pycocotools label-studio-sdk` (or `datumaro`, or `fiftyone`, or
`cvat-sdk`), then `python -m pytest tests/annotation/test_tool_parsers.py -rs`.
"""

import json
import pathlib
import shutil

import pytest
from pool_of_five import PICKS

from jaxsel.annotation.cells import escape, unescape
from jaxsel.annotation.cvat import write_links
from jaxsel.annotation.names import link_names

# What the tools warn of is theirs.
pytestmark = pytest.mark.filterwarnings("default")
GOLDEN = pathlib.Path(__file__).parent / "golden"
LABELS = ["healthy", "unusable", "ill", None, "unusable"]  # of golden exports, by rank
SCREEN = """<View>
  <Image name="img" value="$image"/>
  <Choices name="diagnosis" toName="img">
    <Choice value="healthy"/><Choice value="ill"/><Choice value="Unusable"/>
  </Choices>
</View>"""


def test_pycocotools_keeps_the_order_and_the_ids() -> None:
    coco = pytest.importorskip("pycocotools.coco").COCO
    ours = coco(str(GOLDEN / "coco.json"))
    images = ours.loadImgs(ours.getImgIds())
    assert [image["file_name"] for image in images] == [pick.path for pick in PICKS]
    assert [unescape(image["jaxsel_id"]) for image in images] == [p.id for p in PICKS]
    names = [one["name"] for one in ours.loadCats(ours.getCatIds())]
    assert names == ["healthy", "ill", "unusable"]
    theirs = coco(str(GOLDEN / "coco-labels.json"))
    ill = theirs.getImgIds(catIds=theirs.getCatIds(catNms=["ill"]))
    assert [image["file_name"] for image in theirs.loadImgs(ill)] == [
        link_names(PICKS)[2]
    ]


def test_datumaro_keeps_the_ids_of_coco(tmp_path: pathlib.Path) -> None:
    datumaro = pytest.importorskip("datumaro")
    (tmp_path / "annotations").mkdir()
    (tmp_path / "images" / "train").mkdir(parents=True)
    file = tmp_path / "annotations" / "instances_train.json"
    # Its reader of JSON refuses a file name that is no UTF-8, as `jaxsel export` says.
    ours = json.loads((GOLDEN / "coco.json").read_text())
    for image in ours["images"]:
        image["file_name"] = image["file_name"].replace("\udcff", "")
    file.write_text(json.dumps(ours))
    found = datumaro.Dataset.import_from(str(tmp_path), "coco_instances")
    # Its name of an image is the file's without the ending.
    paths = [pick.path.replace("\udcff", "") for pick in PICKS]
    expected = dict(
        zip((path.rpartition(".")[0] for path in paths), PICKS, strict=True)
    )
    assert {item.id for item in found} == set(expected)
    assert all(item.attributes["id"] == expected[item.id].rank for item in found)


def test_datumaro_finds_the_labels_of_cvat_that_we_find(tmp_path: pathlib.Path) -> None:
    datumaro = pytest.importorskip("datumaro")
    shutil.copy(GOLDEN / "annotations.xml", tmp_path)
    (tmp_path / "images").mkdir()
    for name in link_names(PICKS):  # it wants the images to be there
        (tmp_path / "images" / name).write_bytes(b"x")
    found = datumaro.Dataset.import_from(str(tmp_path), "cvat")
    names = found.categories()[datumaro.AnnotationType.label]
    labels = {
        item.id: {names[one.label].name for one in item.annotations} for item in found
    }
    told = [{name} if name else set() for name in LABELS]
    assert [labels[name.rpartition(".")[0]] for name in link_names(PICKS)] == told


def test_label_studio_takes_our_tasks() -> None:
    module = pytest.importorskip("label_studio_sdk.label_interface")
    interface = module.LabelInterface(SCREEN)
    tasks = json.loads((GOLDEN / "label-studio.json").read_text())
    assert len(tasks) == 5 and all(map(interface.validate_task, tasks))
    assert not interface.validate_task({"data": {"picture": "a.png"}})


def test_label_studios_converter_finds_the_labels_that_we_find(
    tmp_path: pathlib.Path,
) -> None:
    converter = pytest.importorskip("label_studio_sdk.converter").Converter
    made = converter(SCREEN, str(tmp_path), download_resources=False)
    made.convert_to_json_min(
        str(GOLDEN / "label-studio-export.json"), str(tmp_path), is_dir=False
    )
    rows = json.loads((tmp_path / "result.json").read_text())
    found = {row["jaxsel_id"]: row.get("diagnosis") for row in rows}
    answers = ["healthy", None, "ill", None, "Unusable"]
    wanted = {
        escape(pick.id): label
        for pick, label in zip(PICKS, answers, strict=True)
        if label
    }
    assert {name: label for name, label in found.items() if label} == wanted


def test_fiftyone_yields_the_samples_in_pick_order(tmp_path: pathlib.Path) -> None:
    importers = pytest.importorskip("fiftyone.utils.data.importers")
    for name in ("samples.json", "metadata.json"):
        shutil.copy(GOLDEN / name, tmp_path)
    with importers.LegacyFiftyOneDatasetImporter(str(tmp_path)) as importer:
        samples = list(importer)
        assert importer.has_dataset_info
        classes = importer.get_dataset_info()["classes"]
    assert classes == ["healthy", "ill", "unusable"]
    assert [unescape(sample["jaxsel_id"]) for sample in samples] == [
        pick.id for pick in PICKS
    ]
    assert [sample["jaxsel_rank"] for sample in samples] == [1, 2, 3, 4, 5]
    assert samples[0].filepath == "/pool/ward 1/left eye.png"
    assert all("jaxsel" in sample.tags for sample in samples)


def test_cvats_uploader_sends_the_links_under_their_names(
    tmp_path: pathlib.Path,
) -> None:
    uploading = pytest.importorskip("cvat_sdk.core.uploading")
    for pick in PICKS:
        (tmp_path / pick.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / pick.path).write_bytes(b"x")
    links = write_links(tmp_path / "images", PICKS, tmp_path)
    groups, alone, size = uploading.DataUploader(None)._split_files_by_requests(links)
    sent = [path.name for group, _ in groups for path in group]
    assert sent == (GOLDEN / "files.txt").read_text().splitlines()
    assert (len(alone), size) == (0, 5)

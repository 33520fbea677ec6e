"""COCO, CVAT, FiftyOne and tables: what refers to nothing or to two things is said."""

import json
import pathlib

import pytest
from pool_of_five import PICKS

from jaxsel.annotation.answers import sentences
from jaxsel.annotation.labels import UNUSABLE
from jaxsel.annotation.options import ImportOptions
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.places import refuse_outside, refuse_strange_links
from jaxsel.annotation.tools import EXPORTERS, export, import_labels, read_back
from jaxsel.errors import UserError

A, B, C = (pick.id for pick in PICKS[:3])


def coco(path: pathlib.Path, **changed: list) -> pathlib.Path:
    whole = {
        "images": [{"id": 1, "file_name": A}, {"id": 2, "file_name": B}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1}],
    }
    path.write_text(json.dumps({**whole, **changed}))
    return path


def test_annotations_of_coco_that_refer_to_nothing_are_counted(tmp_path) -> None:
    wrong = [
        {"image_id": 9, "category_id": 1},
        {"image_id": "1", "category_id": 1},
        {"image_id": True, "category_id": 1},
        {"image_id": 2, "category_id": 9},
        {"image_id": 2, "category_id": 3},
        {"image_id": 2, "category_id": None},
        {"image_id": 1.0, "category_id": 1},
    ]
    kinds = [{"id": 1, "name": "cat"}, {"id": 3, "name": None}]
    path = coco(tmp_path / "c.json", annotations=wrong, categories=kinds)
    found = read_back("coco", path, PICKS)
    assert found.labels == {A: "cat"}
    assert found.left_out == {
        "annotation of an image that the file does not list": 3,
        "annotation of a category that the file does not name": 2,
        "annotation without a category": 1,
    }


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": [{"id": 1, "file_name": A}, {"id": 1.0, "file_name": B}]},
         "each image to have its own id, found 1 for"),
        ({"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]},
         "each category to have its own id, found 1 for 'cat' and 'dog'"),
        ({"images": [{"id": 1}]}, "found damage .an image without one"),
        ({"images": [{"file_name": A}]}, "found damage .an image without one"),
        ({"images": [{"id": True, "file_name": A}]}, "found damage"),
        ({"annotations": [None]}, "found damage .None among the annotations"),
        ({"categories": {}}, "no list of categories"),
    ],
)  # fmt: skip
def test_ids_of_coco_that_mean_two_things(tmp_path, changed, message: str) -> None:
    with pytest.raises(UserError, match=message):
        import_labels("coco", coco(tmp_path / "c.json", **changed), PICKS)


def test_the_same_image_twice_is_two_annotators(tmp_path) -> None:
    images = [{"id": k, "file_name": A} for k in (1, 2, 3)] + [
        {"id": 3, "file_name": A}  # the very same one again
    ]
    labels = [{"image_id": k, "category_id": 1 + (k > 1)} for k in (1, 2, 3)]
    path = coco(tmp_path / "c.json", images=images, annotations=labels)
    with pytest.raises(UserError, match="found cat and dog; annotators disagree on 1 "):
        import_labels("coco", path, PICKS)
    options = ImportOptions(disagree="majority")
    found = read_back("coco", path, PICKS, options)
    assert found.labels == {A: "dog"}
    assert "(cat 1, dog 2) is taken as dog" in sentences(found)[-1]


def test_elements_of_cvat_without_a_label_are_counted(tmp_path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(
        '<annotations><image name="up/000001_left_eye.png"><box label="cell">'
        '<attribute name="side">left</attribute></box><box/><tag label=" "/></image>'
        "</annotations>"
    )
    found = read_back("cvat", path, PICKS)
    assert found.labels == {A: "cell"}
    assert found.left_out == {
        "attribute of a tag or a shape": 1, "box without a label": 1,
        "tag without a label": 1,
    }  # fmt: skip
    assert f"'up/000001_left_eye.png' is '{A}'" in " ".join(sentences(found))
    path.write_text('<annotations><image id="7"><tag label="a"/></image></annotations>')
    with pytest.raises(UserError, match="found image '7' without one"):
        import_labels("cvat", path, PICKS)


def sample(pick: Pick, **fields: object) -> dict:
    """As FiftyOne 1.22.1 writes one into `samples.json`."""
    return {
        "_id": {"$oid": "0" * 24}, "_media_type": "image", "filepath": pick.path,
        "metadata": {"_cls": "ImageMetadata", "width": 4}, "tags": ["jaxsel"],
        "jaxsel_id": pick.id, **fields,
    }  # fmt: skip


def one(kind: str, **content: object) -> dict:
    return {"_id": {"$oid": "1" * 24}, "_cls": kind, "tags": [], **content}


def test_the_data_set_of_fiftyone(tmp_path) -> None:
    boxes = [one("Detection", label="cat"), one("Detection", label=None)]
    whole = [
        sample(
            PICKS[0], truth=one("Detections", detections=boxes), mask=one("Heatmap")
        ),
        sample(PICKS[1], truth=None, tags=["jaxsel", "Unusable", "later"]),
        sample(PICKS[2], truth=one("Classification", label="dog"), model="x"),
        {"filepath": None},
    ]
    (tmp_path / "metadata.json").write_text("{}")
    (tmp_path / "samples.json").write_text(json.dumps({"samples": whole}))
    found = read_back("fiftyone", tmp_path, PICKS)
    assert found.labels == {A: "cat", B: UNUSABLE, C: "dog"}
    assert found.left_out == {
        "Detections of 'truth' without a class": 1,
        "Heatmap of 'mask', which names no class": 1,
        "tag of a sample": 1,
        "sample without jaxsel_id or filepath": 1,
    }
    plain = read_back("fiftyone", tmp_path, PICKS, ImportOptions(control="model"))
    assert plain.labels == {B: UNUSABLE, C: "x"}
    whole[2]["guess"] = one("Regression", value=3.0)
    (tmp_path / "samples.json").write_text(json.dumps({"samples": whole}))
    with pytest.raises(UserError, match=r"found guess, truth; .* --control"):
        import_labels("fiftyone", tmp_path, PICKS)
    options = ImportOptions(control="guess")
    assert import_labels("fiftyone", tmp_path, PICKS, options)[C] == "3"


@pytest.mark.parametrize("classes", [["cat", "dog"], None])
def test_the_classification_format_of_fiftyone(tmp_path, classes) -> None:
    pool = [Pick(k + 1, f"in/{k}.png", f"in/{k}.png", k, None, 1) for k in range(5)]
    cat, dog = (0, 1) if classes else ("cat", "dog")
    labels = {
        "0": cat, "in/1": {"label": dog, "confidence": 0.5}, "2": None, "3": [dog, dog],
        "4": 7 if classes else True,
    }  # fmt: skip
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"classes": classes, "labels": labels}))
    found = read_back("fiftyone", tmp_path, pool)
    assert found.labels == {"in/0.png": "cat", "in/1.png": "dog", "in/3.png": "dog"}
    assert found.left_out == {"label that is none of the classes": 1}
    path.write_text("{}")
    with pytest.raises(UserError, match="expected samples, labels or COCO's images"):
        import_labels("fiftyone", path, pool)
    with pytest.raises(UserError, match=r"expected one of samples.json, .* found none"):
        (tmp_path / "empty").mkdir()
        import_labels("fiftyone", tmp_path / "empty", pool)


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ("csv", f"jaxsel_id,label\n{A},cat\n"),
        ("csv", f"id,jaxsel_id,LABEL \n7,{A},cat\n"),
        ("fiftyone", f"jaxsel_id,label\n{A},cat\n"),
        ("fiftyone", f"id,filepath,ground_truth.label\n{'0' * 24},/x/{A},cat\n"),
        ("fiftyone", f"filepath,label,note\n/x/{A},cat,\n"),
    ],
)
def test_tables_with_names_of_their_own(tmp_path, tool: str, text: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    assert import_labels(tool, tmp_path / "t.csv", PICKS) == {A: "cat"}


def test_a_column_of_a_table_is_asked_for(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"id,species,note\n{A},cat,dark\n")
    options = ImportOptions(control="species")
    assert import_labels("csv", path, PICKS, options) == {A: "cat"}
    with pytest.raises(UserError, match=r"found 'id', 'species', 'note'.*--control"):
        import_labels("csv", path, PICKS)
    both = ImportOptions(control=("species", "note"), separator="/")
    assert import_labels("csv", path, PICKS, both) == {A: "cat/dark"}
    path.write_text(f"id,species,note\n{A},ca/t,dark\n")
    with pytest.raises(UserError, match="a separator that no class contains"):
        import_labels("csv", path, PICKS, both)


@pytest.mark.parametrize(
    "path", ["../a.png", "/etc/hostname", "in/../../a.png", "a\0b.png"]
)
def test_no_export_names_a_path_outside_of_the_pool(path: str) -> None:
    bad = [PICKS[0], PICKS[1]._replace(path=path)]
    for tool in EXPORTERS:
        with pytest.raises(UserError, match="found 1 in the picks that lead out of it"):
            export(tool, bad)
    refuse_outside([PICKS[0]._replace(path="a..b/..c.png")])


def test_a_link_out_of_the_pool_leads_to_an_image(tmp_path: pathlib.Path) -> None:
    pool, other = tmp_path / "pool", tmp_path / "other"
    pool.mkdir(), other.mkdir()
    (other / "secret.png").write_text("secret")
    (other / "scan").write_bytes(bytes(128) + b"DICM")
    (pool / "link").symlink_to(other)
    (pool / "odd.png").write_text("an image that nothing opens")
    picks = [PICKS[0]._replace(path=p) for p in ("link/scan", "odd.png", "link/s.png")]
    refuse_strange_links(picks[:2], pool, ())
    secret = PICKS[0]._replace(path="link/secret.png")
    refuse_strange_links([secret], pool, {secret.id})
    with pytest.raises(UserError, match=r"lead out of it .'link/secret.png'"):
        refuse_strange_links([secret], pool, ())

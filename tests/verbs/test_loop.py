"""From a folder of images to the annotation queue, back, and on."""

import csv
import json
import pathlib

import numpy as np

from jaxsel.annotation.labels import read_labels
from jaxsel.annotation.picks import read_picks
from jaxsel.sources.images import read as read_images
from jaxsel.sources.opening import open_source
from tests.verbs.console import NAMES, Run, contents

RGB = ("--encoder", "rgb", "--side", 4)


def nearest_by_definition(rows: np.ndarray, picks: list[int]) -> list[int]:
    """Rows by nearest pick, in float64, one pair of rows after the other."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    counts = [0] * len(picks)
    for i, row in enumerate(unit):
        cosines = [float(row @ unit[p]) for p in picks]
        counts[picks.index(i) if i in picks else int(np.argmax(cosines))] += 1
    return counts


def ranks(folder: pathlib.Path) -> list[int]:
    """Of the picks in an exported table."""
    with (folder / "to-label.csv").open(newline="", encoding="utf-8") as stream:
        return [int(row["rank"]) for row in csv.DictReader(stream)]


def test_select_export_import_backfill_continue(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    before = contents(folder)
    round1, round2, round3 = (tmp_path / f"round{k}" for k in (1, 2, 3))

    said = run("select", folder, "-b", 4, "-m", "norm", *RGB, "-o", round1)
    assert said.code == 0, said.err
    assert "broken.png" in said.err and "learned nothing" in said.err
    picks = read_picks(round1 / "picks.csv")
    assert [pick.rank for pick in picks] == [1, 2, 3, 4]
    assert {pick.id for pick in picks} <= set(NAMES)
    assert all((folder / pick.path).is_file() for pick in picks)
    indices = np.load(round1 / "picks.npy")
    assert indices.dtype == np.int64
    assert indices.tolist() == [pick.index for pick in picks]
    source = open_source(folder, progress=False)
    assert [source.ids[row] for row in indices] == [pick.id for pick in picks]
    rows = read_images(source, None, 4).reshape(len(NAMES), -1) / 255.0
    expected = nearest_by_definition(rows, indices.tolist())
    assert [pick.represents for pick in picks] == expected
    manifest = json.loads((round1 / "manifest.json").read_text())
    assert manifest["round"]["method"] == "norm"
    assert manifest["unreadable"][0]["id"] == "broken.png"
    assert {"commit", "command", "machine"} <= set(manifest["provenance"])
    assert "norms" in {finding["code"] for finding in manifest["findings"]}

    said = run("export", round1, "--to", "label-studio", "-o", tmp_path / "studio")
    assert said.code == 0, said.err
    tasks = json.loads((tmp_path / "studio" / "label-studio.json").read_text())
    assert [task["data"]["jaxsel_id"] for task in tasks] == [p.id for p in picks]

    # As the tool gives it back: a class, another, a skipped item, an open one.
    answers = ["cat", "dog", None]
    for task, answer in zip(tasks, answers, strict=False):
        value = {"choices": [answer]}
        result = {"from_name": "label", "type": "choices", "value": value}
        task["annotations"] = [
            {"was_cancelled": answer is None, "result": [result] if answer else []}
        ]
    tasks[3]["annotations"] = []
    project, labels = tmp_path / "project.json", tmp_path / "labels.csv"
    project.write_text(json.dumps(tasks))
    words = ("import", project, "--from", "label-studio", "--picks", round1)
    said = run(*words, "-o", labels, "--json")
    assert said.code == 0, said.err
    assert said.found["labels"] == {"cat": 1, "dog": 1, "unusable": 1}
    assert [row.label for row in read_labels(labels)] == ["cat", "dog", "unusable"]
    said = run(*words, "-o", labels)
    assert said.code == 2 and "--merge" in said.err

    kept = contents(round1)
    said = run("backfill", round1, "--labels", labels)
    assert said.code == 0, said.err
    assert said.out.startswith("1 replacement needed")
    filled = tmp_path / "round1-2"
    more = read_picks(filled / "picks.csv")
    assert [pick[:5] for pick in more[:4]] == [pick[:5] for pick in picks]
    assert len({pick.id for pick in more}) == 5 and more[4].rank == 5
    # The unusable one stands for nothing any more, the others for the whole pool.
    assert more[2].represents == 0
    usable = [pick for pick in more if pick.rank != 3]
    assert [pick.represents for pick in usable] == nearest_by_definition(
        rows, [pick.index for pick in usable]
    )

    # What was unusable is remembered: the labels need not be given again.
    words = ("select", folder, "-b", 7, "--continue", filled, "-o", round2, "--json")
    said = run(*words)
    assert said.code == 0, said.err
    assert (said.found["method"], said.found["added"]) == ("norm", 3)
    ids = [pick["id"] for pick in said.found["picks"]]
    assert ids[:5] == [pick.id for pick in more] and len(set(ids)) == 8
    one = json.loads((round2 / "round.json").read_text())
    assert len(one["parents"]) == 2 and one["budget"] == 7
    assert one["options"]["unusable"] == [picks[2].index]

    # An unusable pick is not shown again; with the labels no labelled one is either.
    assert run("export", filled, "--to", "csv", "-o", tmp_path / "again").code == 0
    assert ranks(tmp_path / "again") == [1, 2, 4, 5]
    said = run("export", round2, "--to", "csv", "--labels", labels, "-o", round3)
    assert said.code == 0, said.err
    assert ranks(round3) == [4, 5, 6, 7, 8]

    assert contents(round1) == kept
    assert contents(folder) == before


def test_features_are_made_once(
    run: Run, folder: pathlib.Path, monkeypatch, tmp_path: pathlib.Path
) -> None:
    words = ("select", folder, "-b", 2, "-m", "random", *RGB, "-o")
    assert run(*words, tmp_path / "a").code == 0

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the images were encoded again")

    monkeypatch.setattr("jaxsel.features.extract.extract", refuse)
    assert run(*words, tmp_path / "b").code == 0
    assert (
        contents(tmp_path / "a")["picks.csv"] == contents(tmp_path / "b")["picks.csv"]
    )


def test_every_tool_gets_its_files(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    words = ("select", folder, "-b", 3, "-m", "random", *RGB, "-o", tmp_path / "r")
    assert run(*words).code == 0
    for tool in ("cvat", "fiftyone", "coco"):
        out = tmp_path / tool
        said = run(
            "export", tmp_path / "r", "--to", tool, "--classes", "a, b", "-o", out,
            "--json",
        )  # fmt: skip
        assert said.code == 0, said.err
        assert said.found["unsized"] == 0
        assert said.found["files"] and all(map(len, contents(out).values()))
        again = run("export", tmp_path / "r", "--to", tool, "-o", out)
        assert again.code == 2 and str(out) in again.err
    within = run("export", tmp_path / "r", "--to", "cvat", "-o", folder / "queue")
    assert within.code == 2 and "part of the next pool" in within.err
    names = (tmp_path / "cvat" / "files.txt").read_text().split("\n")[:-1]
    images = contents(tmp_path / "cvat" / "images")
    picks = read_picks(tmp_path / "r" / "picks.csv")
    assert list(images) == names  # in pick order, and the very files
    assert [*images.values()] == [(folder / pick.path).read_bytes() for pick in picks]
    coco = next(iter(contents(tmp_path / "coco").values()))
    found = json.loads(coco)
    assert {(i["width"], i["height"]) for i in found["images"]} == {(12, 10)}
    assert [one["name"] for one in found["categories"]] == ["a", "b"]

"""`jaxsel import` and `jaxsel export`: corrections, what is left out, what is kept."""

import pathlib
import warnings

import numpy as np
import pytest

import jaxsel
from jaxsel.annotation.labels import read_labels
from jaxsel.annotation.picks import Pick, write_picks
from tests.verbs.console import Run, contents


@pytest.fixture
def picks(tmp_path: pathlib.Path) -> pathlib.Path:
    """A picks.csv of two rows, and no round beside it."""
    file = tmp_path / "picks.csv"
    write_picks(
        file, [Pick(k + 1, name, name, k, None, 1) for k, name in enumerate("ab")]
    )
    return file


def table(file: pathlib.Path, *rows: tuple[str, str]) -> pathlib.Path:
    file.write_text("".join(f"{a},{b}\n" for a, b in [("id", "label"), *rows]))
    return file


def test_a_corrected_label_replaces_the_earlier_one(
    run: Run, picks: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    first = table(tmp_path / "1.csv", ("a", "cat"), ("b", "cat"))
    again = table(tmp_path / "2.csv", ("a", "dog"))
    words = ("--from", "csv", "--picks", picks, "-o", "labels.csv")
    assert run("import", first, *words).code == 0
    before = pathlib.Path("labels.csv").read_bytes()
    for option in ((), ("--merge",)):
        said = run("import", again, *words, *option)
        assert said.code == 2 and "--replace" in said.err
        assert pathlib.Path("labels.csv").read_bytes() == before
    said = run("import", again, *words, "--replace")
    assert said.code == 0, said.err
    assert "1 label replaced: 'a' was cat, is dog." in said.out
    rows = read_labels(pathlib.Path("labels.csv"))
    assert [(row.id, row.label) for row in rows] == [("a", "dog"), ("b", "cat")]
    said = run("import", first, *words, "--replace", "--json")
    assert said.found["replaced"] == [{"id": "a", "before": "dog", "now": "cat"}]
    with pytest.warns(UserWarning, match="1 label replaced: 'a' was cat, is dog"):
        jaxsel.import_round(again, "csv", picks, "labels.csv", replace=True)
    # Written over, what was there is gone; both at once contradict each other.
    said = run("import", again, *words, "--force")
    assert said.code == 0 and said.out.rstrip().endswith("holds 1")
    said = run("import", again, *words, "--force", "--merge")
    assert said.code == 2 and "found both" in said.err
    said = run("import", again, *words[:-1], tmp_path)
    assert said.code == 2 and "expected a file for -o, found a folder" in said.err


def test_what_is_left_out_is_said(
    run: Run, picks: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    given = [("./a", "cat"), ("./a", "dog"), ("b", "cat")]
    file = table(tmp_path / "t.csv", *given)
    words = ("import", file, "--from", "csv", "--picks", picks, "-o", "labels.csv")
    said = run(*words)
    assert said.code == 2 and "--disagree majority, first or skip" in said.err
    said = run(*words, "--disagree", "skip", "--json")
    assert said.found["labels"] == {"cat": 1} and said.found["unlabelled"] == 1
    assert said.found["spelt_otherwise"] == {"./a": "a"}
    assert said.found["disagreements"] == [
        {"id": "a", "labels": {"cat": 1, "dog": 1}, "taken": None}
    ]
    said = run(*words, "--disagree", "first", "--force")
    assert "1 name spelt otherwise than exported: './a' is 'a'." in said.out
    assert "'a' (cat 1, dog 1) is taken as cat." in said.out
    with pytest.warns(UserWarning) as told:
        jaxsel.import_round(file, "csv", picks, "n.csv", disagree="first")
    assert len(told) == 2


def test_a_row_of_the_pool_that_was_not_picked_is_no_spelling_of_a_pick(
    run: Run, tmp_path: pathlib.Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = tmp_path / "r" / "picks.csv"
    write_picks(file, [Pick(1, "b.png", "b.png", 0, None, 2)])
    ids = pa.table({"id": ["b.png", "other/b.png", "c.png"]})
    pq.write_table(ids, tmp_path / "r" / "assignments.parquet")
    words = ("--from", "csv", "--picks", tmp_path / "r", "-o", "labels.csv")
    said = run("import", table(tmp_path / "t.csv", ("./other/b.png", "cat")), *words)
    assert said.code == 2 and "row 'other/b.png' of the pool and no pick" in said.err
    assert not pathlib.Path("labels.csv").exists()
    said = run("import", table(tmp_path / "t.csv", ("/scans/b.png", "cat")), *words)
    assert said.code == 0, said.err


def of_images(file: pathlib.Path, *names: str) -> pathlib.Path:
    """A picks.csv of images in `folder`."""
    write_picks(file, [Pick(k + 1, n, n, k, None, 1) for k, n in enumerate(names)])
    return file


def test_an_export_replaces_an_earlier_one_when_asked(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    first = of_images(tmp_path / "r.csv", "z1.png", "deep/c.png")
    second = of_images(tmp_path / "s.csv", "z2.png", "deep/c.png", "z3.png")
    for tool in ("csv", "cvat"):
        words = ("--to", tool, "--root", folder, "-o", tmp_path / tool)
        assert run("export", first, *words).code == 0
        before = contents(tmp_path / tool)
        said = run("export", second, *words)
        assert said.code == 2 and "--force" in said.err
        assert contents(tmp_path / tool) == before
        said = run("export", second, *words, "--force")
        assert said.code == 0, said.err
        assert run("export", second, *words[:-1], tmp_path / f"{tool}-s").code == 0
        assert contents(tmp_path / tool) == contents(tmp_path / f"{tool}-s") != before
    note = tmp_path / "cvat" / "images" / "notes.txt"
    note.write_text("mine")
    said = run("export", first, *words, "--force")
    assert said.code == 2 and "'notes.txt'" in said.err and note.is_file()


def test_a_doctored_table_hands_no_file_on(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "secret.png").write_text("secret")
    (folder / "z.png").symlink_to(tmp_path / "secret.png")
    for path in ("../secret.png", str(tmp_path / "secret.png"), "z.png"):
        doctored = [
            Pick(1, "z1.png", "z1.png", 0, None, 1),
            Pick(2, "q", path, 1, None, 1),
        ]
        write_picks(tmp_path / "picks.csv", doctored)
        for tool in ("cvat", "coco") if path != "z.png" else ("cvat",):
            said = run(
                "export", tmp_path / "picks.csv", "--to", tool, "--root", folder, "-o",
                tmp_path / "out",
            )  # fmt: skip
            assert said.code == 2 and "lead out of it" in said.err
            assert not (tmp_path / "out").exists()


def test_tasks_that_show_no_image_are_warned_of(
    run: Run, picks: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    words = ("export", picks, "--to", "label-studio", "-o")
    said = run(*words, tmp_path / "bare")
    assert said.code == 0 and "Without --prefix" in said.out
    said = run(*words, tmp_path / "linked", "--prefix", "https://host/")
    assert said.code == 0 and "--prefix" not in said.out
    with pytest.warns(UserWarning, match="Without --prefix"):
        jaxsel.export_round(picks, "label-studio", tmp_path / "python")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jaxsel.export_round(picks, "csv", tmp_path / "sheet")


def test_ids_that_are_known_may_be_spelt_otherwise(
    run: Run, tmp_path: pathlib.Path
) -> None:
    from jaxsel.verbs.labelled import read_labelled

    ids = np.array(["in/a.png", "größe.png", "q r", "q%20r"])
    file = tmp_path / "ids.txt"
    file.write_text("in\\a.png\n./größe.png\n")
    assert set(read_labelled(file, ids)) == {0, 1}
    file.write_text("id,index,label\n./in/a.png,0,cat\nq r,2,dog\n")
    assert read_labelled(file, ids) == {0: "cat", 2: "dog"}
    for text, message in (
        ("./q%20r\n", "which can mean 'q r', 'q%20r'"),
        ("a.png\n", "found 1 of 1 that are not among them"),
        ("id,index,label\nin/a.png,0,cat\n./in/a.png,0,dog\n", "expected each"),
    ):
        file.write_text(text)
        with pytest.raises(jaxsel.UserError, match=message):
            read_labelled(file, ids)

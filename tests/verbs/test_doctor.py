"""`jaxsel doctor`: exit codes, what is listed, and help that teaches."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from tests.verbs.console import Run


def test_features_in_order_are_code_0(run: Run, matrix: pathlib.Path) -> None:
    said = run("doctor", matrix, "-b", 3)
    assert said.code == 0
    assert said.out.startswith("30 rows of 6 features\n")
    assert "norm" in said.out


def test_an_error_is_code_1(run: Run, tmp_path: pathlib.Path) -> None:
    rows = np.ones((5, 2))
    rows[3, 1] = np.nan
    np.savez(tmp_path / "bad.npz", features=rows, ids=np.array(list("abcde")))
    said = run("doctor", tmp_path / "bad.npz", "--json")
    assert said.code == 1
    findings = {one["code"]: one for one in said.found["findings"]}
    assert findings["not-finite"]["names"] == ["d"]
    assert said.found["features"] == [5, 2]


def test_more_picks_than_rows_are_an_error(run: Run, matrix: pathlib.Path) -> None:
    assert run("doctor", matrix, "-b", 31).code == 1


def test_an_image_folder_says_what_was_checked(run: Run, folder: pathlib.Path) -> None:
    said = run("doctor", folder)
    assert said.code == 0
    assert "12 images decoded, 1 unreadable" in said.out
    assert "broken.png" in said.out and "Only the files were checked" in said.out
    found = run("doctor", folder, "--json").found
    assert (found["features"], found["findings"]) == (None, [])
    assert found["skipped"]["other"] == 1
    assert run("doctor", folder, "--strict").code == 2


@pytest.mark.parametrize("verb", ["doctor", "select", "export", "import", "backfill"])
def test_help_teaches_with_an_example(run: Run, verb: str) -> None:
    said = run(verb, "--help")
    assert said.code == 0
    assert f"\n    jaxsel {verb} " in said.out
    assert "--json" in said.out
    assert verb in run("--help").out


def test_a_stop_by_hand_is_code_130(
    run: Run, matrix: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jaxsel.verbs.doctor.open_source", stop)
    said = run("doctor", matrix)
    assert said.code == 130 and "stopped" in said.err


def test_images_that_are_the_same_file_are_told(run: Run, folder: pathlib.Path) -> None:
    assert run("doctor", folder, "--json").found["copies"] == []
    for name in ("again.png", "z9.png"):
        (folder / name).write_bytes((folder / "plain.png").read_bytes())
    (folder / "other.png").write_bytes((folder / "new\nline.png").read_bytes())
    said = run("doctor", folder)
    assert said.code == 0
    assert "3 images are copies of another file: a label" in said.out
    assert "\n  again.png = plain.png = z9.png\n" in said.out
    assert "\n  'new\\nline.png' = other.png\n" in said.out


def test_what_is_passed_over_or_seen_in_part_is_told(
    run: Run, folder: pathlib.Path
) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "stack.tif", save_all=True, append_images=frames[1:])
    deep = np.arange(0, 4000, 250, dtype=np.uint16).reshape(4, 4)
    Image.fromarray(deep).save(folder / "deep.png")
    (folder / "phone.heic").write_bytes(b"x")
    (folder / ".hidden.png").write_bytes(b"x")
    said = run("doctor", folder)
    assert said.code == 0
    assert "Passed over: 1 file that is no image by its name, 1 hidden file" in said.out
    assert (
        "Of 1 image with several pages or frames only the first is seen: stack.tif"
        in (said.out)
    )
    assert "for all of them: whole numbers from 0 to 4096" in said.out
    assert "phone.heic: a HEIC image, which is not read: convert it" in said.out
    told = run("doctor", folder, "--json").found["reading"]
    assert told["several"] == ["stack.tif"] and told["deep"] == 1
    assert told["levels"] == {"whole numbers": [0.0, 4096.0]} and told["flat"] == []


def test_a_budget_beyond_the_images_is_an_error(run: Run, folder: pathlib.Path) -> None:
    assert run("doctor", folder, "-b", 12).code == 0
    said = run("doctor", folder, "-b", 13)
    assert said.code == 1
    assert "error: The budget is 13, and there are only 12 rows: lower it." in said.out

"""What is refused before images are encoded, and before JAX is imported."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.selection.constraints import Constraints
from jaxsel.verbs.command import say_mistake
from jaxsel.verbs.first_checks import check_without_features
from jaxsel.verbs.new_folder import check_words
from jaxsel.verbs.round_folder import picks_file
from tests.verbs.console import Run

GROUPS = np.array(list("aabbcc"))


@pytest.mark.parametrize(
    ("constraints", "more", "message"),
    [
        (Constraints(groups=GROUPS, per_group=1, min_distance=0.1), 4, "room for 3"),
        (Constraints(strata=GROUPS, quotas={"a": 3}), 4, "'a' still needs 3"),
        (Constraints(strata=GROUPS, quotas={"a": 2, "b": 2}), 3, "still need 4"),
        (Constraints(costs=np.full(6, 2.0), funds=-1.0), 2, "funds"),
        (Constraints(include=[1], exclude=[1]), 2, "both name row 1"),
    ],
)
def test_constraints_that_cannot_hold_need_no_features(
    constraints: Constraints, more: int, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        check_without_features(constraints, np.zeros(6, bool), more)
    fitting = Constraints(groups=GROUPS, per_group=2, min_distance=0.1)
    known = np.arange(6) == 0  # to which all rows would be near, were all rows zero
    check_without_features(fitting, known, 5)


def test_constraints_are_refused_before_any_image_is_encoded(
    run: Run, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("images were encoded")

    monkeypatch.setattr("jaxsel.verbs.encoding.encode_folder", refuse)
    pathlib.Path("meta.csv").write_text("id,site\nplain.png,x\n")
    for words, message in (
        (("--groups", "folder", "--max-per-group", 1), "--max-per-group and the bud"),
        (("--groups", "site", "--max-per-group", 1), "expected --table FILE.csv"),
        (("--table", "meta.csv", "--strata", "site", "--quota", "x=1"), "none for 11"),
        (("--strata", "folder"), "--strata and --quota together"),
        (("--groups", "folder"), "--groups and --max-per-group together"),
    ):
        said = run("select", folder, "-b", 9, *words, "-o", "out")
        assert said.code == 2 and message in said.err, said.err
        assert said.err.count("\n") == 1
    assert not pathlib.Path("out").exists()


def test_an_occupied_folder_is_refused_without_jax(tmp_path: pathlib.Path) -> None:
    """JAX takes seconds to import, and a mistyped command should not wait for it."""
    (tmp_path / "picks").mkdir()
    (tmp_path / "picks" / "mine.txt").touch()
    program = (
        "import sys; sys.modules['jax'] = None; from jaxsel import cli; "
        "sys.exit(cli.main(['select', 'absent', '-b', '2']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True,
        check=False, env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("jaxsel: expected a new or empty folder, found 1")


def test_words_are_read_as_click_reads_them(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").touch()
    for words in (["-o", "full"], ["-ofull"], ["--out", "full"], ["--out=full"]):
        with pytest.raises(UserError, match="new or empty folder"):
            check_words("select", ["pool", *words])
        check_words("select", ["pool", *words, "--force"])
        check_words("doctor", ["pool", *words])
        check_words("select", [*words, "--help"])
    check_words("select", ["pool", "-o", "new", "-O", "full"])
    check_words("backfill", ["full", "--labels", "full/x"])
    for option in ("--labelled", "--continue", "--table"):
        with pytest.raises(UserError, match=f"for {option}, found nothing at nowhere"):
            check_words("select", ["pool", "-o", "new", option, "nowhere"])


def test_picks_that_are_not_there_are_said_so(run: Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "empty").mkdir()
    for place, found in ((tmp_path / "no", "nothing there"),
                         (tmp_path / "empty", "no picks.csv in it")):  # fmt: skip
        for words in (
            ("export", place, "--to", "csv", "-o", "queue"),
            ("import", __file__, "--from", "csv", "--picks", place),
        ):
            said = run(*words)
            assert said.code == 2 and found in said.err and "UTF-8" not in said.err
        with pytest.raises(UserError, match=found):
            picks_file(place)
    said = run("verify", tmp_path / "no")
    assert said.code == 2 and f"no folder at {tmp_path / 'no'}" in said.err


def test_a_mistake_names_the_verbs_own_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say_mistake("quotas and per_group conflict\n(a per_group.csv, my_per_group)")
    told = "quotas and --max-per-group conflict (a per_group.csv, my_per_group)"
    assert capsys.readouterr().err == f"jaxsel: {told}\n"

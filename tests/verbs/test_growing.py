"""Pools that grow, shrink, change and move between rounds; picks stay by their ids."""

import json
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

from jaxsel.annotation.picks import Pick, read_picks
from jaxsel.annotation.rounds import Round, name_of
from jaxsel.errors import UserError
from jaxsel.sources.opening import open_source
from jaxsel.sources.source import Source
from jaxsel.verbs.assignments import write_assignments
from jaxsel.verbs.growing import Growth, carried_over, gone, row_hashes
from jaxsel.verbs.labelled import read_labelled
from jaxsel.verbs.place import place_of, way_to
from jaxsel.verbs.represents import Explained
from jaxsel.verbs.round_folder import Earlier
from tests.verbs.console import Run

RGB = ("--encoder", "rgb", "--side", 4)
ROWS = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


def source_of(tmp_path: pathlib.Path, ids: list[str], rows: np.ndarray) -> Source:
    np.savez(tmp_path / "pool.npz", features=rows, ids=ids)
    return open_source(tmp_path / "pool.npz")


def earlier_of(
    tmp_path: pathlib.Path, source: Source, picked: list[int], **more: object
) -> Earlier:
    """A round as a folder has it, of a pool whose rows all belong to the first pick."""
    n, folder = len(source.ids), tmp_path / "round"
    folder.mkdir(exist_ok=True)
    picks = tuple(
        Pick(k, str(source.ids[row]), "", row, None, 1)
        for k, row in enumerate(picked, start=1)
    )
    seen = Explained(
        np.zeros(n, np.int64), np.zeros(n, np.float32), np.zeros(n, np.int64),
        np.zeros(n, np.float32),
    )  # fmt: skip
    file = folder / "assignments.parquet"
    write_assignments(file, source.ids, picks, seen, row_hashes(source))
    options = {"encoder": {}, "limits": {"include": ["b", "c"], "exclude": []}}
    one = Round("pool", source.fingerprint, n, "norm", options, 0, len(picks), {})
    known = {"labelled": frozenset[int](), "unusable": frozenset[int](), **more}
    return Earlier(one, picks, folder=folder, name=name_of(one), **known)


def test_rows_are_known_again_by_their_ids(tmp_path: pathlib.Path) -> None:
    old = source_of(tmp_path, list("bdefgc"), ROWS)
    earlier = earlier_of(
        tmp_path, old, [4, 0, 5], labelled=frozenset({1, 2}), unusable=frozenset({4})
    )
    # a comes before all, c and e are gone, f has other numbers, the order is another.
    rows = np.stack([ROWS[3] + 1, ROWS[1], ROWS[0], ROWS[4], ROWS[0]])
    now = source_of(tmp_path, ["f", "d", "b", "g", "a"], rows)
    found = carried_over(earlier, now)
    assert [(p.rank, p.id, p.index) for p in found.picks] == [(1, "g", 3), (2, "b", 2)]
    assert (found.labelled, found.unusable) == ({1}, {3})
    assert found.growth == Growth(("a",), ("e", "c"), ("f",), ("c",))
    assert found.round.rows == 5 and found.name == name_of(earlier.round)
    assert found.round.options["limits"]["include"] == ["b"]
    assert gone(found) == {"e", "c"}
    # Labels of what is gone are passed over; of what never was they are refused.
    labels = tmp_path / "labels.csv"
    labels.write_text("id,index,label\nc,5,x\nb,0,y\n")
    assert read_labelled(labels, now.ids, gone(found)) == {2: "y"}
    with pytest.raises(UserError, match="found 1 of 2 that are not among them"):
        read_labelled(labels, now.ids)


def test_the_same_pool_is_left_as_it_is(tmp_path: pathlib.Path) -> None:
    pool = source_of(tmp_path, list("abcdef"), ROWS)
    earlier = earlier_of(tmp_path, pool, [2])
    assert carried_over(earlier, pool) is earlier
    # Nothing is as it was: another pool under the same names, which is refused later.
    other = source_of(tmp_path, list("abcdef"), ROWS + 1)
    assert carried_over(earlier, other) is earlier
    fewer = source_of(tmp_path, list("abcde"), ROWS[:5] + 1)
    with pytest.raises(UserError, match="no row of that pool is here as it was: give"):
        carried_over(earlier, fewer)


def test_numbers_are_no_names(tmp_path: pathlib.Path) -> None:
    """Rows behind the last may join; any other change could be of any row."""

    def numbered(rows: np.ndarray) -> Source:
        np.save(tmp_path / "rows.npy", rows)
        return open_source(tmp_path / "rows.npy")

    earlier = earlier_of(tmp_path, numbered(ROWS[:4]), [1, 3])
    longer = carried_over(earlier, numbered(ROWS))
    assert longer.growth == Growth(joined=("4", "5"))
    assert [pick.index for pick in longer.picks] == [1, 3]
    for rows in (ROWS[:3], ROWS[[5, 0, 1, 2, 3]]):
        with pytest.raises(UserError, match="rows have numbers instead of ids"):
            carried_over(earlier, numbered(rows))
    # A label of another order of rows is refused there, and by ids alone elsewhere.
    labels = tmp_path / "labels.csv"
    labels.write_text("id,index,label\n1,3,x\n")
    with pytest.raises(UserError, match="'1' at row 3, which is row 1 here"):
        read_labelled(labels, longer_ids := np.array(list("0123")))
    assert read_labelled(labels, longer_ids[::-1]) == {2: "x"}


def test_a_round_of_an_older_version_has_no_hashes(tmp_path: pathlib.Path) -> None:
    import pyarrow.parquet as pq

    pool = source_of(tmp_path, list("abcdef"), ROWS)
    earlier = earlier_of(tmp_path, pool, [2])
    file = tmp_path / "round" / "assignments.parquet"
    pq.write_table(pq.read_table(file).drop_columns("content"), file)
    grown = source_of(tmp_path, list("xabcdef"), np.vstack([ROWS[:1], ROWS]))
    assert carried_over(earlier, grown).growth == Growth(joined=("x",))
    file.unlink()
    with pytest.raises(UserError, match="give that pool, or start a first round"):
        carried_over(earlier, grown)


def test_every_week_new_images(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    words = ("select", folder, "-m", "random", *RGB)
    assert run(*words, "-b", 3, "-o", "a").code == 0
    first = read_picks(pathlib.Path("a/picks.csv"))
    free = next(p for p in ("z1.png", "z2.png", "z3.png", "deep/c.png", "plain.png")
                if p not in {pick.id for pick in first})  # fmt: skip
    (folder / free).unlink()
    pixels = np.random.default_rng(9).integers(0, 255, (5, 5, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "0.png")
    Image.fromarray(pixels[::-1]).save(
        folder / "m.tif", save_all=True, append_images=[Image.fromarray(pixels)]
    )
    labels = tmp_path / "labels.csv"
    rows = [f'"{p.id.replace(chr(34), 2 * chr(34))}",{p.index},cat' for p in first]
    labels.write_text("id,index,label\n" + "".join(f"{row}\n" for row in rows))
    more = (*words, "-b", 5, "--continue", "a", "--labelled", labels)
    said = run(*more, "-o", "b")
    assert said.code == 0, said.err
    assert "2 images joined the pool (0.png, m.tif)" in said.err
    assert "only the first is seen: m.tif" in said.err
    assert f"1 image is gone from the pool ({free})" in said.err
    second = read_picks(pathlib.Path("b/picks.csv"))
    assert [(p.rank, p.id) for p in second[:3]] == [(p.rank, p.id) for p in first]
    now = open_source(folder, progress=False).ids.tolist()
    assert all(now[pick.index] == pick.id for pick in second)
    assert len({pick.id for pick in second}) == 5
    manifest = json.loads(pathlib.Path("b/manifest.json").read_text())
    told = manifest["since"]
    assert told["joined"] == ["0.png", "m.tif"] and told["gone"] == [free]
    assert manifest["reading"]["several"] == ["m.tif"]
    assert "only the first is seen: m.tif" in pathlib.Path("b/report.html").read_text()
    parents = json.loads(pathlib.Path("b/round.json").read_text())["parents"]
    assert parents == [json.loads(pathlib.Path("a/manifest.json").read_text())["name"]]
    # The later round is a round like any other, also where all has moved together.
    assert run("verify", "b").code == 0
    here, there = pathlib.Path.cwd(), tmp_path / "moved" / "here"
    shutil.copytree(here, there)
    folder.rename(tmp_path / "moved" / folder.name)
    assert run("verify", there / "b").code == 0
    said = run("verify", "b")
    assert said.code == 2 and "it was moved or renamed; give its new" in said.err
    assert str(folder) in said.err and "--source" in said.err
    said = run("export", "b", "--to", "cvat", "-o", tmp_path / "queue")
    assert said.code == 2 and "moved or renamed; give its place with --root" in said.err


def test_the_way_from_a_round_to_its_pool(tmp_path: pathlib.Path) -> None:
    pool, folder = tmp_path / "data" / "scans", tmp_path / "rounds" / "r1"
    way = way_to(pool, folder)
    assert way == "../../data/scans"
    one = Round(str(pool), "f", 1, "norm", {"beside": way}, 0, 1, {})
    assert name_of(one) == name_of(one._replace(options={}))
    assert place_of(one, folder) is None
    pool.mkdir(parents=True)
    assert place_of(one, folder) == pool
    (tmp_path / "data").rename(tmp_path / "other")
    moved = tmp_path / "new" / "rounds" / "r1"
    (tmp_path / "new").mkdir()
    (tmp_path / "other").rename(tmp_path / "new" / "data")
    assert place_of(one, moved) == tmp_path / "new" / "data" / "scans"

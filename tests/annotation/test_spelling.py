"""A name in another spelling means the pick that alone can be meant, or is refused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxsel.annotation.names import meant_by
from jaxsel.annotation.picks import Pick
from jaxsel.annotation.spelling import parts_of, readings_of
from jaxsel.errors import UserError


def picks_of(*paths: str) -> list[Pick]:
    return [Pick(k + 1, path, path, k, None, 1) for k, path in enumerate(paths)]


POOL = picks_of("wells/b.png", "größe.png", "a b.png", "in/50%.png", "top.png")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        (r"wells\b.png", "wells/b.png"),
        (r".\wells\b.png", "wells/b.png"),
        ("./wells//b.png", "wells/b.png"),
        ("wells/../wells/b.png", "wells/b.png"),
        ("/data/scans/wells/b.png", "wells/b.png"),
        (r"C:\data\wells\b.png", "wells/b.png"),
        ("b.png", "wells/b.png"),
        ("file:///data/wells/b.png", "wells/b.png"),
        ("https://host/scans/wells/b.png?v=3", "wells/b.png"),
        ("/data/local-files/?d=scans/wells/b.png", "wells/b.png"),
        ("wells%2Fb.png", "wells/b.png"),
        ("a%20b.png", "a b.png"),
        ("https://host/scans/a%20b.png", "a b.png"),
        (" a b.png ", "a b.png"),
        (unicodedata.normalize("NFD", "größe.png"), "größe.png"),
        ("gr%C3%B6%C3%9Fe.png", "größe.png"),
        ("in/50%25.png", "in/50%.png"),
        ("images/000005_top.png", "top.png"),
        ("upload/images/000001_b.png", "wells/b.png"),
    ],
)
def test_one_pick_alone_can_be_meant(name: str, meant: str) -> None:
    found = meant_by([name], POOL, "f")
    assert found.ids == found.guessed == {name: meant}


def test_a_name_as_it_stands_comes_first() -> None:
    pool = [
        Pick(1, "a", "x/1.png", 0, None, 1),
        Pick(2, r"C:\n", "y/1.png", 1, None, 1),
        *picks_of("a%20b.png", "a b.png", "./a b.png")[2:0:-1],
        Pick(9, "a%20b.png", "", 9, None, 1),
    ]
    for name, meant in (
        ("a", "a"),
        (r"C:\\n", r"C:\n"),
        (r"C:\n", r"C:\n"),
        ("x/1.png", "a"),
        ("000001_1.png", "a"),
        ("a%20b.png", "a%20b.png"),
        ("a b.png", "a b.png"),
        ("./a b.png", "./a b.png"),
    ):
        found = meant_by([name], pool, "f")
        assert found.ids == {name: meant} and not found.guessed


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1.png", "x/1.png"], r"found 1 of 2 that several share: '1.png' \('x/1.png'"),
        (["./q%20r.png"], r"several share: './q%20r.png' \('q r.png', 'q%20r.png'\)"),
        ([r"./a\nb.png"], r"several share: .* \('a\\nb.png', 'a/nb.png'\)"),
        (["z.png"], "the 7 picks, found 1 of 1 .*'z.png'"),
        (["other/1.png"], "not among them"),
        (
            ["z/only.png", "only.png"],
            "'z/only.png' and 'only.png', which both can mean",
        ),
        ([str(k) for k in range(7)], r"found 7 of 7 .*'4', … \(2 more\)"),
        ([""], "not among them"),
    ],
)
def test_a_name_that_means_none_or_several_is_refused(
    names: list[str], message: str
) -> None:
    pool = picks_of(
        "x/1.png", "y/1.png", "q r.png", "q%20r.png", "only.png", "a\nb.png", "a/nb.png"
    )  # fmt: skip
    with pytest.raises(UserError, match=message):
        meant_by(names, pool, "f")


def test_names_without_extension_are_asked_for() -> None:
    pool = picks_of("wells/b.left.png", "c.png")
    assert meant_by(["b.left", "c"], pool, "f", stems=True).ids == {
        "b.left": "wells/b.left.png",
        "c": "c.png",
    }
    with pytest.raises(UserError, match="not among them"):
        meant_by(["c"], pool, "f")
    with pytest.raises(UserError, match="several share: 'd'"):
        meant_by(["d"], picks_of("d.png", "d.jpg"), "f", stems=True)


NAMES = st.text(st.sampled_from("ab/\\.%20ö\u0308 C:?d="), min_size=1, max_size=12)


@given(NAMES)
def test_spellings_do_not_depend_on_the_way_they_are_spelt(name: str) -> None:
    parts = parts_of(name)
    assert parts_of("/".join(parts)) == parts
    assert parts_of(unicodedata.normalize("NFD", name)) == parts
    assert parts_of("./ " + name) == parts
    assert not parts or parts in readings_of(name)


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_every_id_means_its_own_pick(names: list[str]) -> None:
    pool = [Pick(k + 1, name, "", k, None, 1) for k, name in enumerate(names)]
    assert meant_by(names[:1], pool, "f").ids.keys() == {names[0]}
    exact = [name for name in names if "\\" not in name]
    assert meant_by(exact, pool, "f").ids == {name: name for name in exact}

"""Text in files that other programs open: nothing is lost, nothing is run."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jaxsel.annotation.cells import escape, from_cell, to_cell, unescape

# Every code point, lone surrogates too, and often what has a meaning in CSV.
ANY_TEXT = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("=+-@,;'\"\\\t\r\n\x00 nrtxu0f\u2028\ufeff＝"),
        st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=["Cs"]),
    ),
    max_size=12,
)
FORMULA = re.compile(r"[\s\"']*[=+\-@＝＋－＠]|[\t\r\n]")


@given(ANY_TEXT)
@example("\\n")
@example("\\x3b")
@example("''")
@example("a\udcff\ud83d\ude00")
def test_text_comes_back_as_it_was(text: str) -> None:
    assert unescape(escape(text)) == text
    assert from_cell(to_cell(text)) == text


@given(ANY_TEXT)
def test_what_is_written_is_one_line_of_utf8(text: str) -> None:
    plain = escape(text)
    plain.encode("utf-8")
    assert plain.splitlines() in ([], [plain])
    assert "\x00" not in plain


@given(ANY_TEXT, ANY_TEXT)
@example("a;=1+1", "=1")
@example('";\t"=cmd', "\n@x")
def test_no_cell_is_a_formula_however_the_line_is_split(one: str, two: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(["1", to_cell(one), to_cell(two)])
    for delimiter in ",;\t":
        text = io.StringIO(buffer.getvalue(), newline="")
        # Not strict: a spreadsheet takes what does not parse, too.
        for record in csv.reader(text, delimiter=delimiter):
            for cell in record:
                assert not FORMULA.match(cell.removeprefix("'")) or cell[0] == "'"


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("scan 7.png", "a-b/c_d.jpg", "é中.tif", "x=1.png", 'say "hi", you'):
        assert to_cell(name) == name


def test_an_unknown_escape_is_refused() -> None:
    with pytest.raises(ValueError, match="write it twice"):
        unescape(r"C:\data")

"""`report.html` of a round, opened in a browser where there is one."""

import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from tests.verbs.console import NAMES, Run

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
HOSTILE = '<img src=x onerror=console.log("ran")>.png'


def opened(page: pathlib.Path, folder: pathlib.Path, *words: str) -> tuple[str, str]:
    """The page's elements after loading, and what the browser's console says."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    done = subprocess.run(
        [
            browser, "--headless=new", "--no-sandbox", "--disable-gpu",
            "--disable-background-networking", "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}",
            "--enable-logging=stderr", *words, "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(said)


@pytest.mark.browser
def test_a_browser_shows_it_and_complains_of_nothing(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    Image.new("RGB", (9, 9), "red").save(folder / HOSTILE)
    n = len(NAMES) + 1
    words = ("select", folder, "-m", "random", "-b", n, "--encoder", "rgb", "--side", 4)
    said = run(*words, "-o", tmp_path / "r")
    assert said.code == 0, said.err
    page = tmp_path / "r" / "report.html"
    assert f"Look at {page}" in said.out
    elements, console = opened(page, tmp_path / "profile")
    assert console == ""
    for name in ("picks", "coverage", "map", "norms", "findings", "provenance"):
        assert f'<section id="{name}">' in elements
    # A tile an image, and the picture within the map.
    assert elements.count("<img") == n and "&lt;img src=x" in elements
    assert elements.count("<svg") == 3 and elements.count("<image") >= 1
    assert elements.rstrip().endswith("</html>")
    picture = tmp_path / "page.png"
    opened(
        page, tmp_path / "profile", "--window-size=400,900", f"--screenshot={picture}"
    )
    with Image.open(picture) as shot:
        assert shot.width == 400
        assert len(np.unique(np.asarray(shot.convert("L")))) > 50

    # What such a page must not hold would be heard of.
    bad = tmp_path / "bad.html"
    more = '<script>1</script><img src="http://localhost/x.png"></main>'
    bad.write_text(page.read_text().replace("</main>", more))
    console = opened(bad, tmp_path / "profile")[1]
    assert "Executing inline script violates" in console
    assert "http://localhost/x.png" in console


def test_a_later_round_marks_what_was_before(
    run: Run, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    rgb = ("--encoder", "rgb", "--side", 4)
    words = ("select", folder, "-b", 3, "-m", "random", *rgb, "-o", tmp_path / "a")
    assert run(*words).code == 0
    rows = np.load(tmp_path / "a" / "picks.npy").tolist()
    ids = (tmp_path / "a" / "assignments.parquet", tmp_path / "a" / "picks.csv")
    assert all(file.is_file() for file in ids)
    found = run("select", folder, "-b", 3, "-m", "random", *rgb, "-o", "c", "--json")
    bad = next(p["id"] for p in found.found["picks"] if p["index"] == rows[1])
    quoted = '"' + bad.replace('"', '""') + '"'
    labels = tmp_path / "labels.csv"
    labels.write_text(f"id,index,label\n{quoted},{rows[1]},unusable\n")
    assert run("backfill", tmp_path / "a", "--labels", labels).code == 0
    page = (tmp_path / "a-2" / "report.html").read_text()
    assert page.count('<li class="kept"') == 2
    assert page.count('<li class="unusable"') == 1
    assert page.count('<li class="new"') == 1
    assert (
        "random picked 1 of 12 images, in the order to label them, beside 2 kept"
        in page
    )
    assert "1 image could not be read" in page and "learned nothing" in page

"""Weights from a hub: checked against its pointer, recorded, and never half there."""

import hashlib
import http.server
import json
import pathlib
import struct
import threading
import time

import pytest
from absl import logging

from jaxsel.errors import UserError
from jaxsel.features import hub

HEADER = json.dumps({"x": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}})
CONTENT = struct.pack("<Q", len(HEADER)) + HEADER.encode() + b"\x01\x02\x03\x04"
POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    f"oid sha256:{hashlib.sha256(CONTENT).hexdigest()}\nsize {len(CONTENT)}\n"
).encode()
NAME = "someone/net-s1"


@pytest.fixture
def served(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    """A server's answers by path, the paths that were asked for, and a cache."""
    answers: dict[str, bytes] = {}
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            found = answers.get(self.path)
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("JAXSEL_CACHE", str(tmp_path / "cache"))
    yield answers, asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(logging, "warning", lambda text, *a: said.append(text % a))
    return said


def place(kind: str, revision: str = "refs%2Fpr%2F1") -> str:
    return f"/{NAME}/{kind}/{revision}/model.safetensors"


def test_downloaded_once_checked_and_recorded(served, warnings) -> None:
    answers, asked = served
    answers |= {place("raw"): POINTER, place("resolve"): CONTENT}
    file = hub.weights_file(NAME)
    assert file.read_bytes() == CONTENT
    record = json.loads((file.parent / hub.RECORD).read_text())
    assert record["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert record["checked"] is True
    assert record["url"].endswith(place("resolve"))
    # The first revision has no such file.
    assert asked == [place("raw", "main"), place("raw"), place("resolve")]
    assert hub.weights_file(NAME) == file
    assert len(asked) == 3
    assert sorted(p.name for p in file.parent.iterdir()) == [file.name, hub.RECORD]
    assert warnings == []


def test_damage_is_noticed_and_mended(served, warnings) -> None:
    answers, _ = served
    answers |= {place("raw", "main"): POINTER, place("resolve", "main"): CONTENT}
    file = hub.weights_file(NAME)
    file.write_bytes(CONTENT[:-1] + b"\x05")
    assert hub.weights_file(NAME).read_bytes() == CONTENT
    assert len(warnings) == 1
    assert "downloaded anew" in warnings[0]


def test_a_file_that_is_not_what_the_hub_states(served) -> None:
    answers, _ = served
    answers |= {place("raw"): POINTER, place("resolve"): CONTENT[:-1] + b"\x05"}
    with pytest.raises(UserError, match=r"the download was discarded; try again"):
        hub.weights_file(NAME)
    folder = pathlib.Path(hub.cache_root(None)) / "weights" / "someone--net-s1"
    assert list(folder.iterdir()) == []


def test_without_a_statement_the_file_is_read_and_a_warning_given(
    served, warnings
) -> None:
    answers, _ = served
    answers |= {place("raw"): b"<html>", place("resolve"): CONTENT}
    file = hub.weights_file(NAME)
    assert json.loads((file.parent / hub.RECORD).read_text())["checked"] is False
    assert "no checksum" in warnings[0]
    file.unlink()
    answers[place("resolve")] = b"<html>a page to log in at</html>"
    with pytest.raises(UserError, match="of another format"):
        hub.weights_file(NAME)
    assert not file.exists()


def test_a_file_placed_by_hand_is_taken_and_kept_an_eye_on(served, warnings) -> None:
    folder = pathlib.Path(hub.cache_root(None)) / "weights" / "someone--net-s1"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(CONTENT)
    assert hub.weights_file(NAME).read_bytes() == CONTENT
    (folder / "model.safetensors").write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match="cannot be downloaded"):
        hub.weights_file(NAME)
    assert "not" in warnings[0]


def test_nothing_to_be_had_says_where_it_was_looked_for(served) -> None:
    with pytest.raises(UserError, match=r"weights someone/net-s1, found none at") as e:
        hub.weights_file(NAME)
    text = str(e.value)
    assert "someone--net-s1/model.safetensors" in text
    assert text.count("the server answered 404") == 2
    assert "place the file there, or give its path as the encoder's weights" in text
    assert "\n" not in text


def test_a_silent_server_is_given_up_on(
    served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "POINTER_SECONDS", 0.05)
    # An address of the documentation's own network: nobody answers.
    monkeypatch.setenv("HF_ENDPOINT", "http://192.0.2.1")
    start = time.monotonic()
    with pytest.raises(UserError, match="cannot be downloaded"):
        hub.weights_file(NAME)
    assert time.monotonic() - start < 5


def test_a_silent_network_costs_less_than_fifteen_seconds() -> None:
    assert len(hub.REVISIONS) * hub.POINTER_SECONDS < 15

"""Enrolling against a server that keeps the document, and against servers that do not."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
import sys
import threading
from base64 import b32encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bridge.enrolment import enrol, parse_code
from bridge.errors import EnrolmentError
from bridge.evidence import build_enrolment_confirmation, build_enrolment_proof_bytes
from bridge.strict_json import decode_base64url, encode_base64url
from bridge.terminal import load_terminal

SECRET = bytes(range(16))
IDENTITY = Ed25519PrivateKey.from_private_bytes(b"i" * 32)
PUBLIC = IDENTITY.public_key().public_bytes_raw()
ORIGIN = "http://127.0.0.1:8480"

Answer = tuple[int, bytes]


def code_for(identity_key: bytes = PUBLIC) -> str:
    text = b32encode(SECRET + hashlib.sha256(identity_key).digest()[:16]).decode().rstrip("=")
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def answer_well(body: bytes, **changes: Any) -> Answer:
    """What the real server answers, after it has checked the proof."""
    request = json.loads(body)
    public_key = decode_base64url(request["public_key"])
    assert request["code_id"] == encode_base64url(hashlib.sha256(b"kiosk-enrol-id/1\0" + SECRET).digest()[:8])
    key = hashlib.sha256(b"kiosk-enrol-key/1\0" + SECRET).digest()
    proof = hmac.digest(key, build_enrolment_proof_bytes(public_key), "sha256")
    assert request["proof"] == encode_base64url(proof)
    terminal = str(changes.get("terminal", "t-1"))
    signed = build_enrolment_confirmation(
        public_key=public_key, terminal=terminal, origin=str(changes.get("origin", ORIGIN))
    )
    answer = {
        "v": 1,
        "terminal": terminal,
        "origin": ORIGIN,
        "identity_key": encode_base64url(PUBLIC),
        "confirmation": encode_base64url(IDENTITY.sign(signed)),
    }
    return 201, json.dumps(answer | changes).encode()


@contextmanager
def serving(answer: Callable[[bytes], Answer]) -> Iterator[str]:
    """A server at the given address that answers every POST to /k/enrol with `answer(body)`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            right = self.path == "/k/enrol" and self.headers["Content-Type"] == "application/json"
            status, content = answer(body) if right else (404, b"")
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_computer_becomes_a_terminal(tmp_path: Path) -> None:
    with serving(answer_well) as url:
        terminal = enrol(url + "/", code_for().lower(), tmp_path / "state")
    assert (terminal.id, terminal.origin) == ("t-1", ORIGIN)
    loaded = load_terminal(tmp_path / "state")
    assert loaded.key.private_bytes_raw() == terminal.key.private_bytes_raw()
    if sys.platform != "win32":
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
        assert modes == {"terminal.json": 0o600, "terminal.key": 0o600, "counter.json": 0o600}


def test_a_terminal_is_replaced_only_when_asked_and_only_when_the_new_one_is_there(tmp_path: Path) -> None:
    with serving(answer_well) as url:
        first = enrol(url, code_for(), tmp_path)
        with pytest.raises(EnrolmentError, match="--replace"):
            enrol(url, code_for(), tmp_path)
    with serving(lambda _body: (403, b"")) as url, pytest.raises(EnrolmentError, match="refused the code"):
        enrol(url, code_for(), tmp_path, replace=True)
    assert load_terminal(tmp_path).key.private_bytes_raw() == first.key.private_bytes_raw()
    with serving(answer_well) as url:
        second = enrol(url, code_for(), tmp_path, replace=True)
    assert load_terminal(tmp_path).key.private_bytes_raw() == second.key.private_bytes_raw()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"identity_key": encode_base64url(Ed25519PrivateKey.generate().public_key().public_bytes_raw())}, "not the"),
        ({"confirmation": encode_base64url(bytes(64))}, "could not prove"),
        ({"confirmation": ""}, "could not prove"),
        ({"origin": "*"}, "origin"),
        ({"origin": "http://127.0.0.1:8480/"}, "origin"),
        ({"terminal": "../x"}, "version"),
        ({"terminal": 5}, "version"),
        ({"v": 2}, "version"),
        ({"extra": ""}, "version"),
        ({"identity_key": "AAAA"}, "version"),
    ],
)
def test_a_server_that_answers_anything_else_is_not_believed(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with serving(lambda body: answer_well(body, **changes)) as url, pytest.raises(EnrolmentError, match=message):
        enrol(url, code_for(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "answer",
    [
        (201, b""),
        (201, b"not json"),
        (201, b"[]"),
        (201, b" " * 20_000),
        (200, b"{}"),
        (302, b""),
        (403, b"refused"),
        (404, b""),
        (500, b"oops"),
    ],
)
def test_every_other_answer_is_a_message_for_a_person(tmp_path: Path, answer: Answer) -> None:
    with serving(lambda _body: answer) as url, pytest.raises(EnrolmentError) as caught:
        enrol(url, code_for(), tmp_path)
    assert "oops" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_a_message_for_a_person(tmp_path: Path) -> None:
    with serving(answer_well) as url:
        pass
    with pytest.raises(EnrolmentError, match="cannot be reached"):
        enrol(url, code_for(), tmp_path)


@pytest.mark.parametrize("server", ["", "127.0.0.1:8480", "ftp://127.0.0.1", "http://", "http://h:0", "http://h:99999"])
def test_an_address_that_is_none_is_a_message_for_a_person(tmp_path: Path, server: str) -> None:
    with pytest.raises(EnrolmentError, match="--server"):
        enrol(server, code_for(), tmp_path)


@pytest.mark.parametrize("code", ["", "ABCD", "0189", "ABCD-EFGH" * 10, "é" * 52, code_for()[:-1]])
def test_a_code_that_is_none_is_refused_and_not_quoted(code: str) -> None:
    with pytest.raises(EnrolmentError) as caught:
        parse_code(code)
    assert not code or code not in str(caught.value)


def test_the_secret_of_a_code_is_not_in_its_repr() -> None:
    assert "secret" not in repr(parse_code(code_for()))

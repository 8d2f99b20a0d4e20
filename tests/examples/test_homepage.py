"""The example home page as a program of its own: who may ask, and what it says when the kiosk is not there."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["module", "folder"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The program, started in both ways, with an API that is not there."""
    folder = tmp_path_factory.mktemp("homepage")
    start = ["-m", "examples.homepage"] if request.param == "module" else [str(ROOT / "examples/homepage")]
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        api = f"http://127.0.0.1:{nobody.getsockname()[1]}/api/v1"  # bound and not listening: refused at once
        key, ready = folder / "home.key", folder / "ready.json"
        command = [sys.executable, *start, f"--key={key}", f"--api={api}", f"--ready-file={ready}"]
        shown = subprocess.run([*command, "--show-public-key"], cwd=ROOT, capture_output=True, check=True)
        load_pem_public_key(shown.stdout)
        assert key.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
            try:
                assert process.stdout is not None
                assert "home page" in process.stdout.readline()
                yield json.loads(ready.read_text())["url"]
            finally:
                process.terminate()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes


def ask(url: str, path: str, method: str = "GET", **headers: str) -> Answer:
    with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        connection.request(method, path, body="{}" if method == "POST" else None, headers=headers)
        with connection.getresponse() as answer:
            return Answer(answer.status, answer.headers, answer.read())


def test_the_page_may_be_framed_by_nobody_and_reaches_its_bridge_alone(url: str) -> None:
    answer = ask(url, "/")
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self' ws://127.0.0.1:8489;" in policy
    html = answer.body.decode()
    assert "マイナンバーカードでログイン" in html
    assert "<input" not in html, "no page takes a PIN"


def test_nobody_is_signed_in_without_a_verdict(url: str) -> None:
    answer = ask(url, "/mypage")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert json.loads(ask(url, "/logins").body) == {"logins": 0, "known": 0}
    assert ask(url, "/login/answer", "POST", Origin=url).status == 409


def test_another_page_cannot_have_it_sign_in(url: str) -> None:
    for path in ("/login/challenge", "/login/answer", "/logout"):
        for origin in ("https://evil.example", "null", ""):
            assert ask(url, path, "POST", Origin=origin).status == 403


def test_a_kiosk_that_is_not_there_is_named(url: str) -> None:
    answer = ask(url, "/login/challenge", "POST", Origin=url)
    assert (answer.status, json.loads(answer.body)) == (502, {"code": "unreachable"})


def test_files_beside_the_fonts_are_not_served(url: str) -> None:
    assert ask(url, "/fonts/../confirmation.py").status == 404
    assert ask(url, "/confirmation.py").status == 404

"""The example library system as a program of its own: typed numbers, scanned numbers, and who may ask."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["module", "folder"])
def ready(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The program, started in both ways."""
    start = ["-m", "examples.library"] if request.param == "module" else [str(ROOT / "examples/library")]
    file = tmp_path / "ready.json"
    command = [sys.executable, *start, f"--ready-file={file}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            assert "lending system" in process.stdout.readline()
            yield json.loads(file.read_text())
        finally:
            process.terminate()
    assert process.returncode == 0


def ask(ready: dict[str, str], path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(ready["url"]).netloc, timeout=30)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def test_a_number_finds_its_reader_and_an_unknown_one_nobody(ready: dict[str, str]) -> None:
    found = json.loads(ask(ready, "/readers/2026041828").read())
    assert found["name"] == "青葉　みどり"
    assert len(found["loans"]) == 3
    assert ask(ready, "/readers/2026041829").status == 404


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_what_a_serial_reader_writes_reaches_the_page(ready: dict[str, str]) -> None:
    stream = ask(ready, "/scans")
    assert stream.readline() == b": open\n"
    device = os.open(ready["reader"], os.O_WRONLY | os.O_NOCTTY)
    try:
        os.write(device, b"\r\n<script>\r2026")
        os.write(device, b"041828\r")
    finally:
        os.close(device)
    assert [stream.readline(), stream.readline()] == [b"\n", b"data: 2026041828\n"]


def test_another_host_name_is_refused(ready: dict[str, str]) -> None:
    assert ask(ready, "/", Host="library.example").status == 403

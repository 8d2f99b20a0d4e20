"""The program: what it prints, how it starts, how it ends."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge import __version__
from bridge.__main__ import app
from bridge.service import BridgeService
from bridge.terminal import store_terminal
from tests.bridge.authority import Authority
from tests.bridge.page import Bridge, Page
from tests.support.profiles import write_profile, write_reader

pytestmark = pytest.mark.usefixtures("restored_logging")

COMMAND = [sys.executable, "-m", "bridge"]
SENTINEL = "KZ7Q4M2X9B1T"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority()
    (tmp_path / "state").mkdir()
    store_terminal(tmp_path / "state", authority.terminal)
    write_profile(tmp_path)
    write_reader(tmp_path, 1, "cards/taro")
    return authority


@contextmanager
def program(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The running program on the virtual reader in `folder`, and its port. What it logs is in `folder/log`."""
    port_file = folder / "port"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                *COMMAND,
                "run",
                f"--state={folder / 'state'}",
                "--port=0",
                f"--port-file={port_file}",
                f"--virtual={folder}",
                "--log-level=debug",
                *options,
            ],
            stderr=log,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process, asyncio.run(_wait_for_port(process, port_file))
        finally:
            process.kill()
            process.communicate()


async def _wait_for_port(process: subprocess.Popen[str], port_file: Path) -> int:
    while process.poll() is None:
        if port_file.exists():
            return int(port_file.read_text())
        await asyncio.sleep(0.01)
    raise AssertionError(f"the program ended with {process.returncode}")


def test_it_tells_its_version() -> None:
    answer = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, f"kiosk-bridge {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["run", "--state=no-such-folder", "--virtual=."], 3, "enrol"),
        (["run", "--state=."], 2, "--pcsc or --virtual"),
        (["run", "--state=.", "--virtual=.", "--pcsc"], 2, "--pcsc or --virtual"),
        (["run", "--state=.", "--virtual=.", "--deployment=production"], 3, "production"),
        (["run", "--state=.", "--virtual=no-such-folder"], 3, "no-such-folder"),
        (["run", "--state=.", "--virtual=.", "--port=80"], 3, "80"),
        (["enrol", "--server=x", "--code=ABCD", "--state=."], 4, "code"),
        (["enrol", "--server=x"], 2, "--code"),
    ],
)
def test_trouble_is_a_sentence_and_an_exit_code(arguments: list[str], exit_code: int, message: str) -> None:
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == exit_code, answer.stderr
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there a console event ends a program")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_of_a_visit_ends_it_cleanly(
    tmp_path: Path, authority: Authority, number: signal.Signals
) -> None:
    async def visit(process: subprocess.Popen[str], port: int) -> None:
        bridge = _outside(tmp_path, authority, port)
        async with Page.verified(bridge) as page:
            await page.expect_card("ours")
            await page.read_certificate()
            process.send_signal(number)
            await page.socket.wait_closed()
            assert page.socket.close_code == 1001

    with program(tmp_path) as (process, port):
        asyncio.run(visit(process, port))
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert '"stopped"' in (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_taken_port_is_a_sentence(tmp_path: Path, authority: Authority) -> None:
    with program(tmp_path) as (_, port):
        options = [f"--state={tmp_path / 'state'}", f"--virtual={tmp_path}", f"--port={port}"]
        answer = CliRunner().invoke(app, ["run", *options])
    assert answer.exit_code == 3
    assert "has the port" in answer.stderr


def test_the_pin_is_nowhere_in_the_log_of_the_lowest_level(tmp_path: Path, authority: Authority) -> None:
    secret = {"value": SENTINEL, "tries": 3, "left": 3}
    write_profile(tmp_path, label="JPKIAPSIMTOKEN", auth_pin=secret)

    async def visit(port: int) -> None:
        async with Page.verified(_outside(tmp_path, authority, port)) as page:
            await page.expect_card("ours")
            certificate, need_pin = await page.read_certificate()
            assert (need_pin["min"], need_pin["max"]) == (4, 16)
            await page.say("authenticate")
            await page.enter_pin(SENTINEL[::-1], certificate["challenge"])
            await page.expect("pin_refused")
            await page.enter_pin(SENTINEL, certificate["challenge"])
            await page.expect("result")

    with program(tmp_path) as (process, port):
        asyncio.run(visit(port))
        process.terminate()
        out, _ = process.communicate(timeout=30)
    said = out + (tmp_path / "log").read_text()
    assert "page_verified" in said
    for secret_text in (SENTINEL, SENTINEL[::-1]):
        assert secret_text not in said
        assert secret_text.encode().hex() not in said.lower()


def _outside(folder: Path, authority: Authority, port: int) -> Bridge:
    service: BridgeService = None  # type: ignore[assignment]  # the service is in the other process
    return Bridge(folder, authority, service, port)

"""The process that refreshes lists beside a server: it has the server's settings, and its end is always an answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.file_lock import hold_lock
from kiosk_web.services.lists.upkeep import RefreshFailed
from kiosk_web.settings.crl import CrlSettings, CrlSourceSettings
from kiosk_web.settings.server import Settings
from kiosk_web.wiring.crl_child import RefreshChild, build_order
from kiosk_web.wiring.crl_index import open_shelf
from tests.support.crl_stand import ORDINARY, list_of
from tests.support.jpki import build_root

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    root, now = build_root(), datetime.now(UTC).replace(microsecond=0)
    lists, anchors = tmp_path / "lists", tmp_path / "anchors"
    lists.mkdir()
    anchors.mkdir()
    (anchors / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    shape = replace(ORDINARY, this_update=now - timedelta(hours=1), next_update=now + timedelta(hours=24))
    (lists / "a.crl").write_bytes(list_of(root, [5], shape))
    source = CrlSourceSettings(name="lists", kind="directory", path=lists)
    return Settings(data=tmp_path / "data", anchors=anchors, crl=CrlSettings(sources=(source,)))


async def test_a_child_refreshes_with_the_settings_of_its_server(settings: Settings) -> None:
    assert await RefreshChild(settings).refresh(["lists"]) is None
    shelf = open_shelf(settings)
    assert [record.label for record in shelf.records()] == ["a.crl"]


@pytest.mark.long
async def test_a_source_that_fails_is_no_failure_of_the_refresh(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "lists" / "a.crl").unlink()
    assert await RefreshChild(settings).refresh(["lists"]) is None


@pytest.mark.long
async def test_trouble_with_the_index_comes_back_by_its_name(settings: Settings) -> None:
    (settings.data / "crl").mkdir(parents=True)
    with hold_lock(settings.data / "crl" / "lock"):
        failed = await RefreshChild(settings).refresh(["lists"])
    assert failed is not None
    assert failed.why == "writer_busy"


@pytest.mark.long
async def test_trouble_with_the_settings_is_an_end_without_an_answer(settings: Settings) -> None:
    assert await RefreshChild(settings).refresh(["nobody"]) == RefreshFailed("refresh_ended", "status 2")


@pytest.mark.parametrize("program", [["missing-program"], [sys.executable, "-c", "print('nonsense')"]])
async def test_a_program_that_does_not_answer_is_a_failure(settings: Settings, program: list[str]) -> None:
    failed = await RefreshChild(settings, program).refresh(["lists"])
    assert failed is not None
    assert failed.why == "refresh_ended"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
async def test_a_cancelled_refresh_ends_the_process(settings: Settings, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = f"import os, signal\nwith open({str(fifo)!r}, 'w') as f: print(os.getpid(), file=f)\nsignal.pause()"
    program = [sys.executable, "-c", script]
    task = asyncio.create_task(RefreshChild(settings, program).refresh(["lists"]))
    pid = int(await asyncio.to_thread(fifo.read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)


def test_an_order_holds_everything_that_a_server_was_told(settings: Settings) -> None:
    order = json.loads(build_order(settings, ["a", "b"]))
    assert order["sources"] == ["a", "b"]
    assert Settings(**order["settings"]) == settings

"""The supervisor under `kiosk demo`, with real child processes."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk_web.demo.children import Children, ChildTrouble, StopAsked

WAIT = "import threading; print('started', flush=True); threading.Event().wait()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAIT


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


@pytest.fixture
def stop_asked() -> threading.Event:
    return threading.Event()


@pytest.fixture
def children(tmp_path: Path, stop_asked: threading.Event) -> Iterator[Children]:
    family = Children(tmp_path, os.environ, stop_asked)
    yield family
    family.stop()


def wait_for_line(children: Children, log: Path) -> None:
    children.wait_until(log.stem, lambda: "started" in log.read_text() or None, seconds=30)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_stop_ends_every_child_and_leaves_no_zombie(children: Children, tmp_path: Path) -> None:
    for name in ("one", "two"):
        children.start(name, python(WAIT))
        wait_for_line(children, tmp_path / f"{name}.log")
    pids = children.pids
    children.stop()
    assert set(pids) == {"one", "two"}
    assert not any(is_there(pid) for pid in pids.values())
    assert children.pids == {}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal to ignore")
def test_a_child_that_ignores_the_request_is_killed(children: Children, tmp_path: Path) -> None:
    children.start("stubborn", python(STUBBORN))
    wait_for_line(children, tmp_path / "stubborn.log")
    pid = children.pids["stubborn"]
    children.stop(seconds=0.1)
    assert not is_there(pid)


def test_a_child_that_ends_is_named_with_its_status_and_the_end_of_its_log(children: Children) -> None:
    children.start("server", python("import sys; print('no such table'); sys.exit(7)"))
    with pytest.raises(ChildTrouble) as trouble:
        children.watch()
    assert "'server' ended by itself with status 7" in str(trouble.value)
    assert str(trouble.value).endswith("no such table")


def test_a_child_that_ends_is_noticed_while_another_is_waited_for(children: Children) -> None:
    children.start("other", python("import sys; sys.exit(1)"))
    with pytest.raises(ChildTrouble, match="'other' ended"):
        children.wait_until("awaited", lambda: None, seconds=30)


def test_a_child_that_never_gets_ready_is_named(children: Children) -> None:
    children.start("slow", python(WAIT))
    with pytest.raises(ChildTrouble, match="'slow' did not get ready"):
        children.wait_until("slow", lambda: None, seconds=0)


def test_a_stop_ends_every_waiting(children: Children, stop_asked: threading.Event) -> None:
    children.start("one", python(WAIT))
    stop_asked.set()
    with pytest.raises(StopAsked):
        children.wait_until("one", lambda: None, seconds=30)
    with pytest.raises(StopAsked):
        children.ask("question", python(WAIT))
    children.watch()


def test_asking_returns_what_was_printed_and_keeps_it_out_of_the_log(children: Children, tmp_path: Path) -> None:
    program = "import sys; print('暗号', end=''); print('working', file=sys.stderr)"
    assert children.ask("question", [sys.executable, "-X", "utf8", "-c", program]) == "暗号"
    assert (tmp_path / "question.log").read_text() == "working\n"


def test_asking_a_child_that_fails_shows_its_messages(children: Children) -> None:
    with pytest.raises(ChildTrouble, match=r"(?s)'question' failed with status 3.*no code") as trouble:
        children.ask("question", python("import sys; print('no code', file=sys.stderr); sys.exit(3)"))
    assert "Traceback" not in str(trouble.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only the Linux kernel does this")
def test_a_killed_parent_takes_its_children_along(tmp_path: Path) -> None:
    parent = f"""
import os, signal, sys, threading
from pathlib import Path
from kiosk_web.demo.children import Children
children = Children(Path({str(tmp_path)!r}), os.environ, threading.Event())
children.start("orphan", [sys.executable, "-c", {WAIT!r}])
log = Path({str(tmp_path / "orphan.log")!r})
children.wait_until("orphan", lambda: "started" in log.read_text() or None, seconds=30)
os.write(1, b"%d" % children.pids["orphan"])
os.kill(os.getpid(), signal.SIGKILL)
"""
    output = subprocess.run(python(parent), stdout=subprocess.PIPE, check=False).stdout
    try:
        handle = os.pidfd_open(int(output))
    except ProcessLookupError:
        return  # gone before we looked
    try:
        assert select.select([handle], [], [], 30)[0], "the child lives on"
    finally:
        os.close(handle)

"""`kiosk simulate` on the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from kiosk_web.__main__ import app
from kiosk_web.simulator.settings import REFUSED_EXIT_CODE


def run(*arguments: str | Path, deployment: str = "demo") -> Result:
    return CliRunner().invoke(app, ["simulate", *map(str, arguments)], env={"KIOSK_DEPLOYMENT": deployment})


@pytest.mark.parametrize("command", [[], ["renew", "midori"], ["revoke", "midori"]])
def test_nothing_runs_when_the_deployment_is_production(tmp_path: Path, command: list[str]) -> None:
    for result in (
        run(*command, "--folder", tmp_path / "new", deployment="production"),
        run(*command, "--folder", tmp_path / "new", "--deployment", "production"),
    ):
        assert result.exit_code == REFUSED_EXIT_CODE
        assert "does not run when the deployment is production" in result.output
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "listens on 127.0.0.1 only"),
        (["--deployment", "staging"], "Unknown deployment"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, options: list[str], words: str) -> None:
    result = run("--folder", tmp_path / "new", *options)
    assert result.exit_code == REFUSED_EXIT_CODE
    assert words in result.output


def test_a_person_is_renewed_held_released_moved_and_revoked(folder: Path) -> None:
    for command, words in (
        (["renew", "midori"], "midori: good, serial "),
        (["hold", "midori"], "midori: on_hold"),
        (["release", "midori"], "midori: good"),
        (["move", "midori", "群馬県見本町１番地"], "midori: good"),
        (["issue", "midori"], "midori: good"),
        (["revoke", "midori", "--reason", "superseded"], "midori: revoked"),
    ):
        result = run(*command, "--folder", folder)
        assert result.exit_code == 0, result.output
        assert words in result.output


def test_the_folder_may_stand_before_the_command_and_counts_behind_it(folder: Path, tmp_path: Path) -> None:
    before = run("--folder", folder, "hold", "midori")
    assert before.exit_code == 0, before.output
    assert "midori: on_hold" in before.output
    both = run("--folder", tmp_path / "new", "release", "midori", "--folder", folder)
    assert both.exit_code == 0, both.output
    assert "midori: good" in both.output
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("option", [["--deployment", "production"], ["--tray-port", "8484"], ["--test-arc"]])
def test_any_other_option_before_a_command_is_refused_by_name(folder: Path, option: list[str]) -> None:
    result = run("--folder", folder, *option, "hold", "midori")
    assert result.exit_code == 2
    assert option[0] in result.output
    assert "has no place before 'hold'" in result.output


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["renew", "nobody"], "unknown person"),
        (["revoke", "sakura"], "already revoked"),
        (["revoke", "midori", "--reason", "bored"], "unknown reason"),
        (["release", "midori"], "not on hold"),
    ],
)
def test_a_command_that_cannot_be_carried_out_ends_in_one_line(folder: Path, command: list[str], words: str) -> None:
    result = run(*command, "--folder", folder)
    assert result.exit_code == 1
    assert words in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_a_folder_without_a_simulator_is_named(tmp_path: Path) -> None:
    result = run("renew", "midori", "--folder", tmp_path / "new")
    assert result.exit_code == REFUSED_EXIT_CODE
    assert "No simulator was ever started" in result.output


def test_a_damaged_key_is_named_with_the_remedy(folder: Path) -> None:
    (folder / "simulator-state/keys/authca02.key.pem").write_text("no key")
    result = run("renew", "midori", "--folder", folder)
    assert result.exit_code == 1
    assert "authca02.key.pem" in result.output
    assert "remove the simulator folder" in result.output


@pytest.fixture
def program(folder: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    ready_file = tmp_path / "ready.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "kiosk_web", "simulate", f"--folder={folder}", f"--ready-file={ready_file}"],
        env={**os.environ, "KIOSK_DEPLOYMENT": "demo", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(3):
        assert process.stdout.readline()
    yield process, json.loads(ready_file.read_text("utf-8"))
    process.kill()
    process.stdout.close()
    process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT between processes")
def test_the_program_serves_sees_commands_of_another_process_and_ends_on_ctrl_c(
    program: tuple[subprocess.Popen[str], dict[str, object]], folder: Path
) -> None:
    process, ready = program
    assert set(ready) == {"tray", "ocsp", "anchors", "folder", "pid"}
    assert (ready["pid"], ready["folder"], ready["anchors"]) == (process.pid, str(folder), str(folder / "anchors"))
    with httpx2.Client(base_url=str(ready["tray"]), timeout=30) as tray:
        assert tray.get("/healthz").text == "ok\n"
        assert run("hold", "midori", "--folder", folder).exit_code == 0
        assert tray.get("/state").json()["certificates"]["midori"] == "on_hold"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert process.stdout is not None
    assert process.stdout.read() == ""

"""`./run`, the program that works before anything is installed."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def program() -> ModuleType:
    """A fresh copy of ./run as a module, so that a test may change its paths and commands."""
    loader = importlib.machinery.SourceFileLoader("run_program", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode  # the loader would leave a file `runc` beside it
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    """./run itself, by this Python, away from the checkout."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run"), *arguments], cwd="/", capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_is_printed_for_every_way_to_ask(word: str, program: ModuleType) -> None:
    answer = start(word)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, program.HELP, "")


def test_help_names_every_command_and_no_other(program: ModuleType) -> None:
    block = program.HELP.split("commands:\n")[1].split("\n\n")[0]
    names = [line.split()[0] for line in block.splitlines() if line.startswith("  ") and line[2] != " "]
    assert names == list(program.COMMANDS)


def test_help_fits_a_terminal_of_80_columns(program: ModuleType) -> None:
    assert max(map(len, program.HELP.splitlines())) <= 80


def test_without_a_command_the_help_is_printed_and_the_status_is_2(program: ModuleType) -> None:
    answer = start()
    assert (answer.returncode, answer.stdout) == (2, program.HELP)


def test_an_unknown_command_is_named_with_the_help_and_status_2(program: ModuleType) -> None:
    answer = start("dmeo")
    assert answer.returncode == 2
    assert "'dmeo'" in answer.stderr
    assert program.HELP in answer.stderr


def test_only_the_standard_library_is_imported() -> None:
    tree = ast.parse((ROOT / "run").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


def test_it_can_be_parsed_by_the_python_of_an_old_system_to_say_what_is_missing() -> None:
    ast.parse((ROOT / "run").read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
@pytest.mark.parametrize("name", ["run", ".ci/run"])
def test_the_programs_can_be_executed(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)


def test_continuous_integration_runs_the_same_command_and_nothing_more() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert lines == ["#!/usr/bin/env bash", 'cd "$(dirname "$0")/.." && exec ./run test']


class Recorder:
    """Stands in for the place where commands are started; each answers with the status of the first rule that fits."""

    def __init__(self, **statuses: int) -> None:
        self.commands: list[list[str]] = []
        self._statuses = statuses

    def __call__(self, command: list[str], cwd: Path | None = None) -> int:
        self.commands.append(command)
        return next((status for word, status in self._statuses.items() if word in command), 0)


@pytest.fixture
def venv(program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """A checkout without .venv, in which pip and venv are only recorded."""
    recorder = Recorder()
    monkeypatch.setattr(program, "call", recorder)
    monkeypatch.setattr(program, "STAMP", tmp_path / "kiosk-stamp.json")
    monkeypatch.setattr(program, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(program, "_venv_works", lambda: bool(recorder.commands))
    return recorder


def test_the_first_start_makes_the_environment_and_installs(program: ModuleType, venv: Recorder) -> None:
    program.prepare("test")
    assert [command[2] for command in venv.commands] == ["venv", "pip"]
    assert venv.commands[1][-1] == ".[test]"


def test_the_second_start_runs_neither_venv_nor_pip(program: ModuleType, venv: Recorder) -> None:
    program.prepare("test")
    venv.commands.clear()
    program.prepare("test")
    program.prepare()
    assert venv.commands == []


def test_an_extra_that_is_new_is_installed_beside_the_old_ones(program: ModuleType, venv: Recorder) -> None:
    program.prepare("test")
    program.prepare("pcsc")
    assert venv.commands[-1][-1] == ".[pcsc,test]"


@pytest.mark.parametrize("change", [{"requirements": "other"}, {"root": "/moved"}])
def test_changed_requirements_or_a_moved_checkout_install_again(
    change: dict[str, str], program: ModuleType, venv: Recorder
) -> None:
    program.prepare()
    program.STAMP.write_text(json.dumps({**json.loads(program.STAMP.read_text()), **change}))
    venv.commands[:] = venv.commands[:1]
    program.prepare()
    assert [command[2] for command in venv.commands] == ["venv", "pip"]


def test_a_damaged_stamp_means_install_again(program: ModuleType, venv: Recorder) -> None:
    program.STAMP.write_text("{")
    program.prepare()
    assert venv.commands[-1][2] == "pip"


def test_a_failed_installation_is_told_and_tried_again_next_time(
    program: ModuleType, venv: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "call", Recorder(pip=1))
    with pytest.raises(program.Trouble, match="pip could not install"):
        program.prepare()
    assert not program.STAMP.exists()


def test_settings_of_tools_do_not_count_as_requirements(
    program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    before = program.requirements_hash()
    monkeypatch.setattr(program, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text(text.replace("line-length = 120", "line-length = 100"), encoding="utf-8")
    assert program.requirements_hash() == before
    (tmp_path / "pyproject.toml").write_text(text.replace('"typer', '"another", "typer'), encoding="utf-8")
    assert program.requirements_hash() != before


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="system packages are Linux's")


@linux
def test_packages_that_are_there_are_not_asked_for(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(program, "call", recorder)
    program.install_system_packages({"swig": lambda: True})
    assert recorder.commands == []


@linux
def test_only_missing_packages_are_installed_and_only_those(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    monkeypatch.setattr(program, "call", recorder)
    monkeypatch.setattr(program, "_root_prefix", lambda: ["sudo"])
    monkeypatch.setattr(program.shutil, "which", lambda name: f"/usr/bin/{name}")
    program.install_system_packages({"swig": lambda: False, "gcc": lambda: True, "pcscd": lambda: False})
    assert recorder.commands[-1][:4] == ["sudo", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    assert recorder.commands[-1][-2:] == ["pcscd", "swig"]
    assert "--no-install-recommends" in recorder.commands[-1]


@linux
def test_without_root_it_says_what_to_install_and_installs_nothing(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    monkeypatch.setattr(program, "call", recorder)
    monkeypatch.setattr(program, "_root_prefix", lambda: None)
    with pytest.raises(program.Trouble, match="apt-get install --no-install-recommends pcscd swig"):
        program.install_system_packages({"swig": lambda: False, "pcscd": lambda: False})
    assert recorder.commands == []


def test_the_demo_is_handed_its_options_and_keeps_its_data_in_the_checkout(
    program: ModuleType, venv: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[list[str]] = []
    monkeypatch.setattr(program, "become", lambda command: handed.append(command) or 0)
    assert program.run_demo(["--port", "0", "--ready-file", "F"]) == 0
    assert program.run_demo(["--data", "D"]) == 0
    module = [str(program.PYTHON), "-m", "kiosk_web", "demo"]
    assert handed[0] == [*module, "--data", str(ROOT / ".demo"), "--port", "0", "--ready-file", "F"]
    assert handed[1] == [*module, "--data", "D"]


def test_pytest_comes_last_and_runs_also_after_a_linter_failed(
    program: ModuleType, venv: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(mypy=1)
    monkeypatch.setattr(program, "call", recorder)
    monkeypatch.setattr(program, "install_system_packages", lambda _needs: None)
    monkeypatch.setattr(program, "prepare", lambda *_extras: None)
    monkeypatch.setenv("TMPDIR", "chosen")
    assert program.run_test(["-x"]) == 1
    tools = [command[2] if len(command) > 2 else Path(command[0]).name for command in recorder.commands]
    assert tools == ["ruff", "ruff", "mypy", "lint-imports", "pytest"]
    together = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
    assert recorder.commands[-1][3:] == [*together, *program.RETAIN_LITTLE, "-x"]


def test_the_fast_part_leaves_out_what_needs_the_system_or_much_time(
    program: ModuleType, venv: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "install_system_packages", lambda _needs: pytest.fail("no apt here"))
    monkeypatch.setenv("TMPDIR", "chosen")
    assert program.run_check([]) == 0
    assert "not pcsc and not e2e and not package and not x11 and not long" in venv.commands[-1]


@linux
@pytest.mark.parametrize(("enough", "expected"), [(0, True), (1 << 60, False)])
def test_the_files_of_tests_are_kept_in_memory_where_there_is_enough(
    program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enough: int, expected: bool
) -> None:
    monkeypatch.setattr(program, "MEMORY", tmp_path)
    monkeypatch.setattr(program, "ENOUGH_MEMORY", enough)
    monkeypatch.setenv("TMPDIR", "")
    monkeypatch.delenv("TMPDIR")
    program._keep_temporary_files_in_memory()
    assert ("TMPDIR" in os.environ) is expected
    monkeypatch.setenv("TMPDIR", "chosen")
    program._keep_temporary_files_in_memory()
    assert os.environ["TMPDIR"] == "chosen"


def test_the_fast_part_leaves_out_every_marker_and_no_other(program: ModuleType) -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    markers = [line.split(":")[0] for line in tomllib.loads(text)["tool"]["pytest"]["ini_options"]["markers"]]
    assert " and ".join(f"not {marker}" for marker in markers) == program.FAST


def test_what_is_started_compiles_once_also_where_the_environment_forbids_it(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    seen: list[str | None] = []
    monkeypatch.setitem(
        program.COMMANDS, "check", lambda _options: seen.append(os.environ.get("PYTHONDONTWRITEBYTECODE")) or 0
    )
    monkeypatch.setattr(program.signal, "signal", lambda *_arguments: None)
    assert program.main(["check"]) == 0
    assert seen == [None]

"""What the README and the manuals quote is what the programs do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

import bridge.__main__
import kiosk_web.__main__
from kiosk_web.demo.ports import DEFAULT_PORT, PORT_NAMES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
MANUALS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [
        *ROOT.glob("*.md"),
        *(path for house in ("docs", "deploy", "examples", "static") for path in (ROOT / house).rglob("*.md")),
        *(ROOT / "deploy").rglob("*.service"),
    ]
}
PROGRAMS = {"kiosk": get_command(kiosk_web.__main__.app), "kiosk-bridge": get_command(bridge.__main__.app)}


@cache
def output_of(*command: str) -> str:
    plain = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=plain).stdout


def test_the_readme_quotes_the_help_of_run_word_by_word() -> None:
    assert f"```\n{output_of(sys.executable, 'run', '--help')}```\n" in README


def test_every_command_of_run_in_a_manual_exists() -> None:
    commands = set(re.findall(r"^  ([a-z]+)  ", output_of(sys.executable, "run", "--help"), re.MULTILINE))
    quoted = {name for text in MANUALS.values() for name in re.findall(r"(?:\./run|python run) ([a-z]+)", text)}
    assert {"demo", "test", "check", "package"} <= commands
    assert quoted <= commands


def code_in(text: str) -> list[str]:
    """Fenced lines, inline code, and the lines of a unit that start a program."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", text)
    return [*"\n".join(fenced).splitlines(), *inline, *re.findall(r"^Exec\w+=(.*)", text, re.MULTILINE)]


SOURCE_FILE = re.compile(
    r"(?<![\w./<{*-])((?:[\w.-]+/)*[\w-]+\.(?:conf|css|html|js|po|py|rules|service))(?:::(\w+))?(?![\w/])"
)


def test_every_file_and_every_test_in_a_manual_exists() -> None:
    """`pki/ocsp.py` is enough, where the page is about one house: a path counts from any folder on."""
    places: dict[str, list[Path]] = {}
    for house in ("bridge", "deploy", "examples", "kiosk_web", "static", "tests"):
        for path in (ROOT / house).rglob("*.*"):
            parts = path.relative_to(ROOT).parts
            for start in range(len(parts)):
                places.setdefault("/".join(parts[start:]), []).append(path)
    missing = []
    for manual, text in MANUALS.items():
        for name, test in {found for code in re.findall(r"`([^`\n]+)`", text) for found in SOURCE_FILE.findall(code)}:
            here = places.get(name, [])
            if not here or (test and not any(f"def {test}(" in path.read_text(encoding="utf-8") for path in here)):
                missing.append(f"{manual}: {name} {test}".rstrip())
    assert missing == []


GROUPS = [["client"], ["crl"], ["fallback"], ["link"], ["mykey"], ["person"], ["staff"], ["system"], ["terminal"]]


def quoted_commands() -> list[tuple[str, str, tuple[str, ...]]]:
    """Program, command and options of each `kiosk …` and `kiosk-bridge …` in the manuals."""
    found = set()
    for code in (code for text in MANUALS.values() for code in code_in(text)):
        for program, rest in re.findall(r"^(?:sudo -u \S+ )?(?:\S*/)?(kiosk|kiosk-bridge) ([a-z][^|#]*)", code):
            words = rest.split()
            names = [word for word in words[:2] if re.fullmatch(r"[a-z][a-z-]*", word)]
            command = names[:2] if names[:1] in GROUPS else names[:1]
            options = tuple(sorted(word for word in words if re.fullmatch(r"--[a-z-]+", word)))
            found.add((program, " ".join(command), options))
    return sorted(found)


@pytest.mark.parametrize(("program", "command", "options"), quoted_commands())
def test_every_command_in_a_manual_exists_with_its_options(
    program: str, command: str, options: tuple[str, ...]
) -> None:
    found = PROGRAMS[program]
    for word in command.split():
        assert isinstance(found, TyperGroup)
        found = found.commands[word]
    known = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert set(options) - known <= {"--help"}


def test_the_first_screen_has_picture_commands_processes_and_the_warning() -> None:
    screen = README.split("## Commands")[0]
    assert len(screen.splitlines()) <= 50
    for needed in (
        "docs/images/kiosk.png",
        "./run demo",
        "./run test",
        "not affiliated with the Digital Agency",
        "J-LIS",
    ):
        assert needed in screen
    assert "fictional" in screen


def test_the_table_of_processes_tells_the_ports_of_the_demo() -> None:
    told = [int(port) for port in re.findall(r"^\| .*? \| (\d+) \|", README, re.MULTILINE)]
    assert sorted(told) == [DEFAULT_PORT + offset for offset in range(len(PORT_NAMES))]


def test_every_test_that_the_threat_model_names_exists() -> None:
    rows = re.findall(r"^\| \d+ \| .*$", SECURITY, re.MULTILINE)
    missing = []
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)`", row)
        assert named, f"no test is named in: {row}"
        missing += [name for name in named if not (ROOT / name).is_file()]
    numbers = [int(row.split(" | ")[0].removeprefix("| ")) for row in rows]
    assert numbers == list(range(1, len(rows) + 1))
    assert len(rows) >= 54
    assert missing == []

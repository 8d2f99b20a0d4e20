"""The houses and their arrows: who may import what, and which modules are PURE: no I/O, clock, randomness, logging."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for house in ("bridge", "kiosk_web") for path in (ROOT / house).rglob("*.py"))

PURE_HOUSES = ("kiosk_web/session/", "kiosk_web/pki/", "kiosk_web/identity/")
_PURE = "messages presence protocol ticket visit_turn"
PURE_MODULES = tuple(f"bridge/{name}.py" for name in _PURE.split())
"""Pure by the design. A module whose docstring says PURE is held to its word as well."""

_LIBRARIES = """
aiohttp asyncio concurrent ctypes glob http logging multiprocessing os pathlib queue random secrets select shutil
signal smartcard socket sqlalchemy sqlite3 ssl starlette structlog subprocess tempfile threading time urllib.request
uuid uvicorn websockets zoneinfo
"""
IMPURE_IMPORTS = frozenset(_LIBRARIES.split())
"""`zoneinfo` is one of them because it reads the time zones of the system."""

_NAMES = "generate generate_private_key now open print randbytes today urandom utcnow"
IMPURE_CALLS = frozenset(_NAMES.split())
"""Names that reach for the clock, entropy or a stream, whatever they are called on."""

ONLY_THERE = {
    "aiohttp": ("kiosk_web/adapters/",),
    "alembic": ("kiosk_web/adapters/",),
    "argparse": ("bridge/__main__.py", "bridge/virtual/__main__.py"),
    "jinja2": ("kiosk_web/web/", "kiosk_web/simulator/"),
    "rich": ("kiosk_web/__main__.py", "kiosk_web/commands/", "kiosk_web/demo/"),
    "smartcard": ("bridge/card/pcsc.py",),
    "sqlalchemy": ("kiosk_web/adapters/",),
    "starlette": ("kiosk_web/web/", "kiosk_web/simulator/", "kiosk_web/__main__.py"),
    "serial": ("bridge/output/serial_port.py",),
    "subprocess": ("kiosk_web/demo/children.py", "bridge/output/x11_input_method.py", "bridge/window/browser.py"),
    "typer": (
        "bridge/__main__.py",
        "bridge/personal/command.py",
        "kiosk_web/__main__.py",
        "kiosk_web/commands/",
        "kiosk_web/linkage/command.py",
        "kiosk_web/simulator/command.py",
        "kiosk_web/verify/command.py",
    ),
    "tkinter": ("bridge/personal/tk_window.py",),
    "websockets": ("bridge/gated_socket.py", "bridge/personal/", "bridge/server.py"),
    "Xlib": ("bridge/output/x11_keyboard.py", "bridge/window/x11_desk.py"),
}
"""The edges of the product: each library is known to one place."""


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Every module that it names in an import."""
    return frozenset(module for node in ast.walk(parse(path)) for module in imported_by(node))


def find_impurities(tree: ast.Module) -> Iterator[str]:
    """What a PURE module must not contain, with the line."""
    for node in ast.walk(tree):
        for module in imported_by(node):
            parts = module.split(".")
            if any(".".join(parts[:length]) in IMPURE_IMPORTS for length in range(1, len(parts) + 1)):
                yield f"line {node.lineno}: imports {module}"  # type: ignore[attr-defined]  # imports have a line
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield f"line {node.lineno}: is asynchronous"
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in IMPURE_CALLS:
                yield f"line {node.lineno}: calls {name}()"


def imported_by(node: ast.AST) -> list[str]:
    """The modules that an import statement names; `from a import b` counts as a and as a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_pure(path: Path, tree: ast.Module) -> bool:
    name = name_of(path)
    return name.startswith(PURE_HOUSES) or name in PURE_MODULES or "PURE" in (ast.get_docstring(tree) or "")


def test_the_contracts_of_import_linter_hold() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    answer = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "0 broken" in answer.stdout


def test_a_pure_module_reaches_for_nothing_outside_its_arguments() -> None:
    pure = {name_of(path): parse(path) for path in SOURCES if is_pure(path, parse(path))}
    found = {name: list(find_impurities(tree)) for name, tree in pure.items()}
    assert {name: impurities for name, impurities in found.items() if impurities} == {}


def test_every_module_that_the_design_calls_pure_is_there() -> None:
    assert {name_of(path) for path in SOURCES} >= set(PURE_MODULES)
    assert all(any(name_of(path).startswith(house) for path in SOURCES) for house in PURE_HOUSES)


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import os.path",
        "from urllib.request import urlopen",
        "from urllib import request",
        "from datetime import datetime\ndatetime.now()",
        "open('x')",
        "async def f(): ...",
        "X25519PrivateKey.generate()",
    ],
)
def test_the_check_for_purity_finds(source: str) -> None:
    assert list(find_impurities(ast.parse(source)))


def test_the_check_for_purity_allows_time_as_an_argument() -> None:
    source = "from datetime import datetime\ndef judge(now: datetime, until: datetime) -> bool:\n    return now < until"
    assert list(find_impurities(ast.parse(source))) == []


@pytest.mark.parametrize("library", ONLY_THERE)
def test_each_library_is_known_to_one_place_only(library: str) -> None:
    known = [name_of(path) for path in SOURCES if library in {name.split(".")[0] for name in imports_of(path)}]
    assert [name for name in known if not name.startswith(ONLY_THERE[library])] == []


def test_what_the_product_imports_is_installed_with_it() -> None:
    """The whole suite installs more than the product does: a library of the tests alone would be missing elsewhere."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = {
        re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower()
        for requirement in (*project["dependencies"], *extras["pcsc"], *extras["wedge"], *extras["serial"])
    }
    own = {*sys.stdlib_module_names, "bridge", "kiosk_web"}
    imported = {(module.split(".")[0], name_of(path)) for path in SOURCES for module in imports_of(path)}
    places = packages_distributions()
    missing = {
        (library, path)
        for library, path in imported
        if library in places and library not in own and not declared & {name.lower() for name in places[library]}
    }
    assert missing == set()


def test_only_the_command_lines_read_arguments_and_the_environment() -> None:
    readers = {
        name_of(path)
        for path in SOURCES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and f"{node.value.id}.{node.attr}" in ("os.environ", "os.getenv", "sys.argv")
    }
    assert all(name.endswith("__main__.py") for name in readers), readers

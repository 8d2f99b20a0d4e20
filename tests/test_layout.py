"""How files are named, how long they get, and what no file of the repository contains."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import bridge
import kiosk_web

ROOT = Path(__file__).parent.parent
SKIPPED = {".git", ".venv", ".demo", "build", "dist", "var", "test-results", "node_modules", "__pycache__"}
TEXT_ENDINGS = {"", ".css", ".html", ".js", ".json", ".md", ".py", ".rules", ".service", ".socket", ".spec", ".toml"}

SOURCES = sorted(path for house in ("bridge", "kiosk_web") for path in (ROOT / house).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST = 400
"""Lines. 300 is what a file should stay under; a file that reaches this one holds two subjects."""

LONGEST_TEST = 480
"""A table of cases may be longer than the code it is about."""

SAYS_NOTHING = {"base", "common", "core", "helper", "helpers", "manager", "misc", "shared", "tools", "util", "utils"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def own_files() -> list[Path]:
    """Every text file that belongs to the repository, also those not yet committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [ROOT / line for line in listed.stdout.splitlines()]
    else:  # an archive without history
        paths = [path for path in ROOT.rglob("*") if not SKIPPED & set(path.relative_to(ROOT).parts)]
    return [path for path in paths if path.is_file() and path.suffix in TEXT_ENDINGS]


def test_a_module_is_named_after_what_it_is_about() -> None:
    assert [
        name_of(path)
        for path in SOURCES
        if {part.removesuffix(".py") for part in path.relative_to(ROOT).parts} & SAYS_NOTHING
    ] == []


def test_a_file_holds_one_subject_in_few_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (*SOURCES, *TESTS)}
    assert {
        name_of(path): lines
        for path, lines in lengths.items()
        if lines > (LONGEST_TEST if path.is_relative_to(ROOT / "tests") else LONGEST)
    } == {}


def test_a_module_says_what_it_is_for() -> None:
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in SOURCES}
    assert [name for name, text in texts.items() if not ast.get_docstring(ast.parse(text))] == []


def test_every_folder_of_the_repository_has_its_line_in_the_documents() -> None:
    """The folders of the first level, and those of each house and of the tests."""
    tracked = {path.relative_to(ROOT).parts[:-1] for path in own_files()}
    folders = {parts[:1] for parts in tracked if parts} | {
        parts[:2] for parts in tracked if len(parts) > 1 and parts[0] in ("bridge", "kiosk_web", "tests", "deploy")
    }
    told = "\n".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("architecture.md", "tests.md"))
    missing = ["/".join(parts) for parts in sorted(folders) if not re.search(rf"(?<![\w/]){parts[-1]}/", told)]
    assert [name for name in missing if not name.startswith(".")] == []


def test_every_service_has_its_subject_in_the_documents() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    table = text[text.index("## The services by subject") :].split("\n## ")[0]
    rows = re.findall(r"^\| (?:`([a-z]+)/`)? ?\|[^|]*\|([^|]*)\|$", table, re.MULTILINE)
    told = {(package, name) for package, names in rows for name in re.findall(r"`([a-z0-9_]+)`", names)}
    folder = ROOT / "kiosk_web/services"
    found = {path.relative_to(folder).with_suffix("").parts for path in folder.rglob("*.py") if path.stem != "__init__"}
    assert told == {("", *parts)[-2:] for parts in found if parts[0] != "ports"}


def test_tests_mirror_the_source() -> None:
    """`tests/bridge/card/test_apdu.py` is about `bridge/card/apdu.py`, or about something that begins like it."""
    assert [name_of(path) for path in TESTS if path.name.startswith("test_") and not mirrors_the_source(path)] == []


def mirrors_the_source(path: Path) -> bool:
    house, *folders = path.relative_to(ROOT / "tests").parts[:-1] or ("",)
    if house not in ("bridge", "kiosk_web"):
        return True
    place = Path(ROOT, house, *folders)
    subject = path.stem.removeprefix("test_")
    subjects = {module.stem for module in place.glob("*") if not module.name.startswith((".", "__pycache__"))}
    subjects |= {"main", "vendored", place.name}  # __main__, `static/`, and the package as a whole
    return place.is_dir() and any(subject == name or subject.startswith(f"{name}_") for name in subjects)


def test_no_test_waits_for_a_fixed_time() -> None:
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in TESTS}
    assert [
        f"{name}:{node.lineno}"
        for name, text in texts.items()
        if "sleep" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    ] == []


def test_no_file_names_a_place_on_somebodys_computer() -> None:
    words = ["/wo" + "rk/", "/ro" + "ot/", "/home/" + "runner"]  # in two pieces, or this file would name them
    found = [name_of(path) for path in own_files() if any(word in path.read_text("utf-8", "replace") for word in words)]
    assert found == []


def test_every_exception_to_a_rule_says_which_and_why() -> None:
    bare = re.compile(r"# noqa(?!: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)* +\S)|# type: ignore(?!\[[a-z, -]+\]  # \S)")
    found = [
        f"{name_of(path)}:{number}"
        for path in [*SOURCES, ROOT / "run"]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []


def test_one_version_is_told_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    latest = re.search(r"^## ([0-9.]+)", changelog, re.MULTILINE)
    assert latest is not None
    assert {project["version"], kiosk_web.__version__, bridge.__version__} == {latest.group(1)}


def test_every_document_is_listed_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    documents = [path for path in (ROOT / "docs").rglob("*.md") if path.name != "README.md"]
    assert [name_of(path) for path in documents if f"({path.relative_to(ROOT / 'docs').as_posix()})" not in index] == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                broken.append(f"{name_of(path)} → {target}")
    assert broken == []

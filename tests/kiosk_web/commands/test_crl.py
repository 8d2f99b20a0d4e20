"""`kiosk crl`: what is printed, the same as JSON, and what the exit status says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from kiosk_web.__main__ import app
from kiosk_web.file_lock import hold_lock
from tests.support.crl_stand import ORDINARY, list_of, town_point
from tests.support.crl_writer import ListShape, write_list
from tests.support.database import lay_database
from tests.support.jpki import build_root

ROOT = Path(__file__).parents[3]
RUNNER = CliRunner()
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("KIOSK_")]:
        monkeypatch.delenv(name)


@dataclass
class Desk:
    """A data folder, anchors, a folder of lists, and the command line. The lists are of today."""

    folder: Path
    patch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.root = build_root()
        self.data = self.folder / "data"
        lay_database(self.data)
        self.lists = self.folder / "lists"
        self.lists.mkdir()
        (self.folder / "anchors").mkdir()
        (self.folder / "anchors" / "root.pem").write_bytes(self.root.certificate.public_bytes(Encoding.PEM))

    @property
    def options(self) -> list[str]:
        return [f"--data={self.data}", f"--anchors={self.folder / 'anchors'}"]

    def shape(self, number: int, *, age: float = 1, life: float = 24, point: bytes | None = None) -> ListShape:
        begin = self.now - age * HOUR
        return replace(ORDINARY, number=number, this_update=begin, next_update=self.now + life * HOUR, point=point)

    def put(self, name: str, shape: ListShape, *serials: int) -> Path:
        path = self.lists / name
        path.write_bytes(list_of(self.root, serials, shape))
        return path

    def run(self, *words: str | Path) -> Result:
        return RUNNER.invoke(app, ["crl", *map(str, words), *self.options])

    def show(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run_show("--json").stdout)
        return found

    def run_show(self, *words: str) -> Result:
        return RUNNER.invoke(app, ["crl", "show", self.options[0], *words])

    def configure(self, *sources: dict[str, object], **settings: object) -> None:
        lines = ["[crl]", *(f"{name} = {json.dumps(value)}" for name, value in settings.items())]
        for source in sources:
            lines += ["[[crl.sources]]", *(f"{name} = {json.dumps(value)}" for name, value in source.items())]
        (self.folder / "kiosk.toml").write_text("\n".join(lines))
        self.patch.setenv("KIOSK_CONFIG", str(self.folder / "kiosk.toml"))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_lists_are_imported_and_shown(desk: Desk) -> None:
    whole = desk.put("whole.crl", desk.shape(7), 5, 6, 1 << 100)
    desk.put("town.crl", desk.shape(8, point=town_point()), 9)
    answer = desk.run("import", whole)
    assert (answer.exit_code, answer.stdout.splitlines()[0]) == (0, "taken       whole.crl  3 entries")
    assert answer.stdout.splitlines()[1].startswith("1 list: 1 taken; 3 new entries in ")
    answer = desk.run("import", desk.lists)
    assert answer.exit_code == 0
    assert sorted(answer.stdout.splitlines()[:2]) == ["taken       town.crl  1 entry", "unchanged   whole.crl"]
    shown = desk.run_show()
    assert shown.exit_code == 0
    assert "whole.crl: 3 entries, number 7" in shown.stdout
    assert "about        the whole CA" in shown.stdout
    assert "2 lists, 4 entries" in shown.stdout
    assert "1.0 h ago" in shown.stdout
    found = desk.show()
    assert [(entry["label"], entry["crl_number"], entry["entries"], entry["alarm"]) for entry in found["lists"]] == [
        ("town.crl", 8, 1, None),
        ("whole.crl", 7, 3, None),
    ]
    assert found["lists"][1]["issuer_key_id"] == desk.root.anchor.key_id.hex()
    assert (found["alarms"], found["generation"]) == ([], 2)
    assert 3600 <= found["lists"][0]["age_seconds"] < 3700


def test_what_is_refused_is_named_and_ends_with_1(desk: Desk) -> None:
    desk.put("good.crl", desk.shape(7), 5)
    (desk.lists / "pem.crl").write_bytes(b"-----BEGIN X509 CRL-----\n")
    (desk.lists / "forged.crl").write_bytes(list_of(build_root(2019), [5], desk.shape(8)))
    answer = desk.run("import", desk.lists)
    assert answer.exit_code == 1
    assert "refused     forged.crl  issuer_unknown: its issuer's key is no anchor of ours" in answer.stdout
    assert "refused     pem.crl  pem: it is PEM; openssl crl" in answer.stdout
    assert "3 lists: 1 taken, 2 refused" in answer.stdout
    dumped = json.loads(desk.run("import", desk.lists, "--json").stdout)["lists"]
    assert {entry["label"]: entry["why"] or entry["result"] for entry in dumped} == {
        "good.crl": "unchanged",
        "pem.crl": "pem",
        "forged.crl": "issuer_unknown",
    }


def test_of_very_many_lists_only_those_that_need_attention_are_told_one_by_one(desk: Desk) -> None:
    for number in range(30):
        desk.put(f"{number:02}.crl", desk.shape(7, point=town_point(f"Town {number}")), 5)
    (desk.lists / "broken.crl").write_bytes(b"nothing")
    answer = desk.run("import", desk.lists)
    assert [line.split()[0] for line in answer.stdout.splitlines()] == ["refused", "31"]
    assert desk.run_show().stdout.splitlines()[0].startswith("30 lists, 30 entries")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("import", "missing.crl"), "kiosk: file_missing: missing.crl"),
        (("import", "."), "kiosk: folder_empty: ."),
        (("refresh", "--source=nobody"), "kiosk: crl.sources: there is no source 'nobody'"),
    ],
)
def test_where_nothing_can_be_done_it_ends_with_2(
    desk: Desk, words: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.folder)
    answer = desk.run(*words)
    assert (answer.exit_code, answer.stderr, answer.stdout) == (2, told + "\n", "")


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    path = desk.put("whole.crl", desk.shape(7), 5)
    answer = desk.run("import", path, "--dry-run")
    assert answer.exit_code == 0
    assert answer.stdout.splitlines()[-1] == "Nothing was changed (--dry-run)."
    assert desk.show()["lists"] == []


def test_a_writer_that_is_busy_is_named(desk: Desk) -> None:
    path = desk.put("whole.crl", desk.shape(7), 5)
    assert desk.run("import", path).exit_code == 0
    with hold_lock(desk.data / "crl" / "lock"):
        answer = desk.run("import", path)
        assert (answer.exit_code, answer.stderr) == (
            2,
            "kiosk: writer_busy: another process writes the index of revocation lists\n",
        )
        assert json.loads(desk.run("import", path, "--json").stdout)["error"]["why"] == "writer_busy"
        assert json.loads(desk.run("refresh", "--json").stdout)["error"]["why"] == "writer_busy"
        assert desk.run_show().exit_code == 0


@pytest.mark.long
def test_two_imports_at_once_come_one_after_the_other(desk: Desk) -> None:
    paths = [desk.lists / f"{name}.crl" for name in ("a", "b")]
    write_list(paths[0], desk.root, 200_000, shape=desk.shape(7))
    write_list(paths[1], desk.root, 200_000, shape=desk.shape(8, point=town_point()))
    command = [sys.executable, "-m", "kiosk_web", "crl", "import", "--wait=60", *desk.options]
    children = [subprocess.Popen([*command, path], cwd=ROOT, stderr=subprocess.PIPE) for path in paths]
    assert [(child.communicate()[1], child.returncode) for child in children] == [(b"", 0), (b"", 0)]
    assert [entry["entries"] for entry in desk.show()["lists"]] == [200_000, 200_000]


def test_alarms_end_show_with_1(desk: Desk) -> None:
    desk.put("soon.crl", desk.shape(7, life=5), 5)
    desk.put("old.crl", desk.shape(7, age=31, point=town_point()), 5)
    assert desk.run("import", desk.lists).exit_code == 0
    shown = desk.run_show()
    assert shown.exit_code == 1
    assert "    ALARM        due_soon" in shown.stdout
    assert "ALARM list_too_old: 1, first old.crl" in shown.stdout
    found = desk.show()
    assert [(alarm["name"], alarm["count"], alarm["first"]) for alarm in found["alarms"]] == [
        ("list_too_old", 1, "old.crl"),
        ("due_soon", 1, "soon.crl"),
    ]
    desk.configure(alarm_hours=4, max_age_hours=40)
    assert desk.run_show().exit_code == 0


def test_damage_and_an_old_copy_are_alarms(desk: Desk) -> None:
    assert desk.run("import", desk.put("old.crl", desk.shape(7, age=2), 5)).exit_code == 0
    index = desk.data / "crl"
    old = {path: path.read_bytes() for path in index.rglob("*") if path.is_file()}
    assert desk.run("import", desk.put("new.crl", desk.shape(8), 6)).exit_code == 0
    for path, content in old.items():
        path.write_bytes(content)
    assert [alarm["name"] for alarm in desk.show()["alarms"]] == ["behind_high_water"]
    assert desk.run("import", desk.lists / "new.crl").exit_code == 0
    (segments,) = (index / "segments").iterdir()
    segments.write_bytes(segments.read_bytes()[:-1] + b"\xaa")
    assert [alarm["name"] for alarm in desk.show()["alarms"]] == ["list_damaged"]
    assert desk.run("import", desk.lists / "new.crl").exit_code == 0
    assert desk.show()["alarms"] == []
    (index / "manifest.bin").write_bytes(b"nothing")
    assert [alarm["name"] for alarm in desk.show()["alarms"]] == ["index_damaged"]


def test_sources_are_refreshed_all_or_by_name(desk: Desk) -> None:
    desk.put("a.crl", desk.shape(7), 5)
    desk.put("b.crl", desk.shape(8, point=town_point()), 6)
    folder = {"name": "towns", "kind": "directory", "path": str(desk.lists)}
    file = {"name": "whole", "kind": "file", "path": str(desk.lists / "a.crl"), "issuer_key_id": "00:11"}
    desk.configure(folder, file)
    answer = desk.run("refresh")
    assert answer.exit_code == 1
    assert "refused     a.crl  unexpected: it is not about what this source is for" in answer.stdout
    assert "refreshed   towns  2 taken" in answer.stdout
    assert answer.stdout.splitlines()[-1] == "2 sources: 1 refreshed, 1 failed"
    answer = desk.run("refresh", "--source=towns", "--json")
    assert answer.exit_code == 0
    (dumped,) = json.loads(answer.stdout)["sources"]
    assert (dumped["name"], dumped["why"], dumped["unchanged"], dumped["refused"]) == ("towns", "", 2, [])
    found = {source["name"]: (source["why"], source["failures"]) for source in desk.show()["sources"]}
    assert found == {"towns": ("", 0), "whole": ("unexpected", 1)}
    for path in desk.lists.iterdir():
        path.unlink()
    answer = desk.run("refresh", "--source=towns")
    assert "failed      towns  folder_empty" in answer.stdout
    assert len(desk.show()["lists"]) == 2


def test_without_sources_there_is_nothing_to_refresh(desk: Desk) -> None:
    answer = desk.run("refresh")
    assert (answer.exit_code, answer.stdout) == (0, "No source is configured: see docs/crl.md.\n")


def test_a_point_that_is_no_name_is_a_mistake_in_the_settings(desk: Desk) -> None:
    desk.configure({"name": "a", "kind": "directory", "path": str(desk.lists), "point": "town hall"})
    answer = desk.run("refresh")
    assert (answer.exit_code, answer.stderr) == (
        2,
        "kiosk: crl.sources: a: point is not a name like CN=…,OU=…,C=JP\n",
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder of two megabytes: a file system of its own where root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "kiosk-test", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("may not mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.long
def test_a_full_disk_has_its_name_and_the_old_index_stays_good(desk: Desk, small_disk: Path) -> None:
    desk.data = small_disk / "data"
    check_full_disk(desk, sys.executable, "-m", "kiosk_web", told="No space left on device")


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_limit_on_the_size_of_files_is_a_full_disk_too(desk: Desk) -> None:
    program = (
        "import resource, sys, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)); "
        "sys.argv = sys.argv[1:]; runpy.run_module('kiosk_web', run_name='__main__')"
    )
    check_full_disk(desk, sys.executable, "-c", program, "kiosk", told="File too large")


def check_full_disk(desk: Desk, *program: str, told: str) -> None:
    """Writing fails in the middle of the segments; afterwards all is as before, and there is no litter."""
    assert desk.run("import", desk.put("small.crl", desk.shape(7), 5)).exit_code == 0
    write_list(desk.lists / "big.crl", desk.root, 200_000, shape=desk.shape(8))
    command = [*program, "crl", "import", desk.lists / "big.crl", *desk.options]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (2, f"kiosk: disk_full: {told}\n")
    found = desk.show()
    assert ([entry["label"] for entry in found["lists"]], found["alarms"]) == (["small.crl"], [])
    assert [path.suffix for path in (desk.data / "crl/segments").iterdir()] == [".idx"]
    assert desk.run("import", desk.put("next.crl", desk.shape(9), 6)).exit_code == 0
    assert [entry["label"] for entry in desk.show()["lists"]] == ["next.crl"]

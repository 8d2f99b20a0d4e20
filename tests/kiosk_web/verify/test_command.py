"""`kiosk verify` as a program: exit status, JSON by the schema, usage errors; and what the manual shows."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from kiosk_web.__main__ import app
from kiosk_web.program import kiosk_program
from kiosk_web.verify import inquiry
from tests.kiosk_web.verify.stand import (
    AT,
    HOUR,
    ROOT,
    ROOT_FOLDER,
    Stand,
    build_answer,
    build_list,
    build_stand,
    run,
    sign,
)
from tests.support.jpki import NOW, build_root, issue

DOCS = Path(__file__).parents[3] / "docs"
MANUAL = (DOCS / "verify.md").read_text(encoding="utf-8")
SCHEMA = json.loads((DOCS / "verification.schema.json").read_text(encoding="utf-8"))
SUPERSEDED = x509.ReasonFlags.superseded


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    """`card.der`, `anchors`, a list in which it is not, one in which it is, an answer, a signature."""
    stand = build_stand(tmp_path)
    serial = stand.card.parsed.serial
    stand.write("good.crl", build_list())
    stand.write("revoked.crl", build_list(entries=[(serial, SUPERSEDED)]))
    stand.write("old.crl", build_list(next_update=NOW - HOUR / 2))
    stand.write("answer.der", build_answer(stand.card))
    stand.write("message", b"hello")
    stand.write("signature", sign(stand.card, b"hello"))
    return stand


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "status", "outcome"),
    [
        ("card.der --anchors anchors --crl good.crl", 0, "good"),
        ("card.der --anchors anchors --ocsp-response answer.der --signature signature --message message", 0, "good"),
        ("card.der --anchors anchors --crl revoked.crl", 1, "revoked"),
        ("card.der --crl good.crl", 1, "untrusted"),
        ("good.crl --anchors anchors", 1, "malformed"),
        ("card.der --anchors anchors --crl old.crl", 2, "stale"),
        ("card.der --anchors anchors --crl card.der", 2, "unavailable"),
        ("card.der --anchors anchors --ocsp-url http://127.0.0.1:1/", 2, "unavailable"),
    ],
)
def test_the_program_ends_with_the_status_of_its_outcome(
    stand: Stand, arguments: str, status: int, outcome: str
) -> None:
    code, output, complaint = run(stand.folder, *arguments.split(), "--at", AT, "--json")
    assert (code, complaint) == (status, "")
    document = json.loads(output)
    jsonschema.validate(document, SCHEMA)
    assert document["outcome"] == outcome


USAGE = {
    "no certificate": "",
    "unknown option": "card.der --nonsense",
    "unknown policy": "card.der --policy telepathy",
    "unreadable certificate": "nothing.der",
    "a folder": "anchors",
    "unreadable list": "card.der --crl nothing.crl",
    "unreadable anchors": "card.der --anchors nothing",
    "no anchor in the folder": "card.der --anchors empty",
    "no moment": "card.der --at yesterday",
    "signature without message": "card.der --signature signature",
    "any without issuer": "card.der --profile any",
    "issuer without any": "card.der --issuer card.der",
    "anchors and any": "card.der --profile any --issuer card.der --anchors anchors",
    "unreadable issuer": "card.der --profile any --issuer message",
    "answer and address": "card.der --ocsp-response answer.der --ocsp-url http://127.0.0.1/",
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE.keys())
def test_what_cannot_be_carried_out_ends_with_3_and_one_complaint(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    (stand.folder / "empty").mkdir()
    monkeypatch.chdir(stand.folder)
    result = CliRunner().invoke(app, ["verify", *arguments.split()])
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Traceback" not in result.stderr
    assert result.stderr


def test_the_program_itself_ends_with_3_for_a_wrong_option(stand: Stand) -> None:
    code, output, complaint = run(stand.folder, "card.der", "--nonsense")
    assert (code, output) == (3, "")
    assert "--nonsense" in complaint


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_an_answer_that_cannot_be_written_is_not_a_refusal(stand: Stand, form: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    arguments = ["card.der", "--anchors", "anchors", "--crl", "good.crl", "--at", AT, *form]
    with open(writing, "wb") as nobody:  # noqa: PTH123 a descriptor has no path
        done = subprocess.run(
            [*kiosk_program(), "verify", *arguments],
            cwd=stand.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT_FOLDER)},
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.startswith("kiosk verify: the answer cannot be written")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "error", [RuntimeError("secret"), MemoryError(), RecursionError(), KeyboardInterrupt()], ids=repr
)
def test_a_fault_nobody_foresaw_is_not_a_refusal(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    async def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(inquiry, "verify", fail)
    done = CliRunner().invoke(app, ["verify", str(stand.folder / "card.der")])
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith(f"kiosk verify: {type(error).__name__} at test_command.py:")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_text_and_json_tell_the_same(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stand.folder)
    arguments = ["verify", "card.der", "--anchors", "anchors", "--crl", "revoked.crl", "--at", AT]
    text = CliRunner().invoke(app, arguments).stdout
    document = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert text.startswith("outcome    revoked (superseded)\n")
    for step in document["steps"]:
        if step["result"] != "skipped":
            assert re.search(rf"^{step['result']} +{re.escape(step['step'])}\b", text, re.MULTILINE)
    for exhibit in document["evidence"]:
        assert exhibit["sha256"] in text


def test_pem_and_der_are_the_same(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stand.folder)
    crl = x509.load_der_x509_crl((stand.folder / "good.crl").read_bytes())
    stand.write("card.pem", stand.card.certificate.public_bytes(Encoding.PEM))
    stand.write("good.pem", crl.public_bytes(Encoding.PEM))
    texts = [
        CliRunner().invoke(app, ["verify", card, "--anchors", "anchors", "--crl", crl, "--at", AT]).stdout
        for card, crl in (("card.der", "good.crl"), ("card.pem", "good.pem"))
    ]
    assert texts[0] == texts[1].replace("card.pem", "card.der").replace("good.pem", "good.crl")


def test_nothing_that_stands_in_the_certificate_is_printed(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stand.folder)
    arguments = ["verify", "card.der", "--anchors", "anchors", "--crl", "revoked.crl", "--at", AT]
    shown = "".join(CliRunner().invoke(app, [*arguments, *more]).stdout for more in ([], ["--json"]))
    certificate = stand.card.certificate
    common_name = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    serial = certificate.serial_number
    for secret in (common_name, f"{serial:x}", f"{serial:X}", str(serial), "2029-05-06", "Kasumi"):
        assert secret not in shown


# The manual


def examples() -> list[tuple[str, str, int]]:
    """Command, output and exit status of each example in the manual."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ (?=kiosk)", block, flags=re.MULTILINE)[1:]:
            command, _, rest = part.partition("\n")
            output, _, status = rest.partition("$ echo $?\n")
            found.append((command, output, int(status or 0)))
    return found


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the examples name."""
    card, leaf, ca = issue(ROOT), issue(build_root(2019), policy=None), build_root(2019)
    stand = Stand(tmp_path, card)
    stand.write("card.pem", card.certificate.public_bytes(Encoding.PEM))
    stand.write("roots/authca03.der", ROOT.der)
    stand.write("town.crl", build_list(entries=[(card.parsed.serial, SUPERSEDED)]))
    stand.write("leaf.pem", leaf.certificate.public_bytes(Encoding.PEM))
    stand.write("ca.pem", ca.certificate.public_bytes(Encoding.PEM))
    stand.write("ca.crl", build_list(ca))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("command", "output", "status"), examples(), ids=["text", "json"])
def test_the_manual_shows_what_is_printed(shown: Path, command: str, output: str, status: int) -> None:
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    printed = re.sub("[0-9a-f]{64}", "…", result.stdout)
    assert result.exit_code == status
    for passage in output.split("\n…\n"):
        assert passage in printed


def test_the_manual_lists_every_outcome() -> None:
    rows = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \| [0-2] \|", MANUAL, re.MULTILINE)
    listed = [name.strip("`") for row in rows for name in row.split(", ")]
    assert sorted(listed) == sorted(SCHEMA["properties"]["outcome"]["enum"])


def test_the_manual_names_every_option() -> None:
    text = CliRunner().invoke(app, ["verify", "--help"], env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}).stdout
    options = set(re.findall(r"--[a-z-]+", text)) - {"--help"}
    assert {option for option in options if option not in MANUAL} == set()

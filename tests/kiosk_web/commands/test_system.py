"""`kiosk system` on a real database, and what `kiosk doctor` says of it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from kiosk_web.__main__ import app

SYSTEM = "facility-booking"


def kiosk(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, f"--data={data}"])


def test_a_system_is_advanced_pledged_shown_and_listed(tmp_path: Path) -> None:
    by = ("--by", "鈴木")
    assert kiosk(tmp_path, "system", "list").stdout.startswith(f"live           {SYSTEM}")
    assert kiosk(tmp_path, "system", "advance", SYSTEM, *by, "--to", "pledge").exit_code == 0
    refused = kiosk(tmp_path, "system", "advance", SYSTEM, *by)
    assert (refused.exit_code, refused.stderr) == (
        2,
        "kiosk: pledge_missing: Type 1 needs the day of the pledge first: kiosk system pledge\n",
    )
    assert kiosk(tmp_path, "system", "pledge", SYSTEM, *by, "--signed", "2026-02-30").exit_code == 2
    assert kiosk(tmp_path, "system", "pledge", SYSTEM, *by, "--signed", "2026-01-15").exit_code == 0
    assert kiosk(tmp_path, "system", "advance", SYSTEM, *by).stdout == f"{SYSTEM} is at the stage specification.\n"
    shown = json.loads(kiosk(tmp_path, "system", "show", SYSTEM, "--json").stdout)
    assert (shown["stage"], shown["pledged_on"], shown["linkage_test"]) == ("specification", "2026-01-15", None)
    assert [step["stage"] for step in shown["steps"]] == ["pledge", "pledged", "specification"]
    assert "pledge        2026-01-15" in kiosk(tmp_path, "system", "show", SYSTEM).stdout
    assert "system_unknown" in kiosk(tmp_path, "system", "show", "nothing").stderr


def test_the_doctor_tells_what_is_not_offered_and_makes_no_database(tmp_path: Path) -> None:
    assert "no stages known" in kiosk(tmp_path, "doctor").stdout
    assert list(tmp_path.iterdir()) == []
    kiosk(tmp_path, "migrate")
    assert f"system: {SYSTEM} is live" in kiosk(tmp_path, "doctor").stdout
    kiosk(tmp_path, "system", "advance", SYSTEM, "--by", "鈴木", "--to", "inquiry")
    told = kiosk(tmp_path, "doctor").stdout
    assert f"warning: {SYSTEM} is at the stage inquiry: its services are not offered, its API is refused" in told

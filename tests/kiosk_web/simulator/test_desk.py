"""The desk's page and buttons: whom it may show in a frame, and that a click reaches nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from kiosk_web.simulator.server import open_simulator, read_clock
from kiosk_web.simulator.settings import SimulatorRefused, SimulatorSettings
from tests.kiosk_web.simulator.conftest import Running, serving

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
KIOSK = "http://127.0.0.1:8480"


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def desk(folder: Path, tmp_path: Path, free_port: int) -> Iterator[tuple[httpx2.Client, Running]]:
    """A desk whose server does not answer."""
    nobody = "http://127.0.0.1:9"
    file = tmp_path / "desk.json"
    addresses = {"kiosk": KIOSK, "staff": nobody, "tray": nobody, "library": "", "facility": "", "homepage": ""}
    file.write_text(json.dumps({**addresses, "feed": f"{nobody}/demo/terminals"}))
    staff = {"name": "見本 職員", "number": "1001", "secret": SECRET}
    (folder / "staff.json").write_text(json.dumps(staff), encoding="utf-8")
    with (
        serving(SimulatorSettings(folder, desk_port=free_port, desk_file=file)) as running,
        httpx2.Client(base_url=f"http://127.0.0.1:{free_port}", timeout=30) as client,
    ):
        yield client, running


def test_the_desk_shows_the_named_pages_and_nobody_shows_the_desk(desk: tuple[httpx2.Client, Running]) -> None:
    client, running = desk
    answer = client.get("/")
    assert f'<iframe id="kiosk" src="{KIOSK}/"' in answer.text
    assert 'id="library"' not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert f"frame-src {KIOSK} " in policy
    tray = running.tray.get("/").headers["content-security-policy"]
    assert f"frame-ancestors {str(client.base_url).rstrip('/')}" in tray
    assert "frame-src" not in tray


def test_a_click_prepares_and_reaches_nothing(desk: tuple[httpx2.Client, Running]) -> None:
    client, running = desk
    assert client.post("/steps/8").json() == {"step": 8, "person": "midori", "home": False}
    assert running.tray.get("/faults").json() == {"card": None, "ocsp": "refused"}
    assert running.tray.get("/reader/card").json() == {"person": "midori"}
    assert client.post("/steps/2").json() == {"step": 2, "person": "", "home": False}
    assert running.tray.get("/faults").json() == {"card": None, "ocsp": None}
    progress = client.get("/progress").json()
    assert (progress["watching"], progress["reached"], len(progress["code"])) == (False, [], 6)


@pytest.mark.parametrize("step", [0, 11])
def test_what_is_no_scene_cannot_be_prepared(desk: tuple[httpx2.Client, Running], step: int) -> None:
    assert desk[0].post(f"/steps/{step}").status_code == 404


def test_another_site_prepares_nothing(desk: tuple[httpx2.Client, Running]) -> None:
    assert desk[0].post("/steps/1", headers={"Origin": "http://127.0.0.1:1"}).status_code == 403


def test_the_secret_of_the_attendant_stays_inside(desk: tuple[httpx2.Client, Running]) -> None:
    assert SECRET not in desk[0].get("/").text + desk[0].get("/progress").text


def test_a_copied_card_has_the_certificate_of_one_and_the_keys_of_another(desk: tuple[httpx2.Client, Running]) -> None:
    client, running = desk
    client.post("/steps/4")
    cards = running.folder / "cards"
    for name, owner in (("auth-cert.der", "midori"), ("surface-record.bin", "midori"), ("auth-key.pem", "takako")):
        assert (cards / "copied-card" / name).read_bytes() == (cards / owner / name).read_bytes()
    assert running.tray.get("/reader/card").json() == {"person": "copied-card"}


def test_without_a_port_there_is_no_desk_and_without_a_file_no_start(folder: Path, free_port: int) -> None:
    from kiosk_web.simulator.desk import open_desk

    async def switch() -> None: ...

    settings = SimulatorSettings(folder)
    simulator = open_simulator(settings)
    try:
        assert open_desk(settings, simulator.office, switch, read_clock) is None
        with pytest.raises(SimulatorRefused, match="--desk-file"):
            open_desk(SimulatorSettings(folder, desk_port=free_port), simulator.office, switch, read_clock)
    finally:
        simulator.register.close()

"""Starting, stopping and starting again."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from kiosk_web.simulator.names import Arc
from kiosk_web.simulator.settings import SimulatorRefused, SimulatorSettings
from tests.kiosk_web.simulator.conftest import serving


def test_a_second_start_keeps_every_key_certificate_and_counter(folder: Path) -> None:
    (folder / "cards/midori/counters.json").write_text('{"version": 1, "auth_pin": 2}')
    with serving(SimulatorSettings(folder)) as first:
        first.tray.put("/faults", json={"card": "mute"}).raise_for_status()
        first.tray.put("/reader/card", json={"person": "midori"}).raise_for_status()
    before = {p: p.read_bytes() for p in sorted((folder / "cards").rglob("*.*")) if p.name != "card.json"}
    serial = json.loads((folder / "reader.json").read_text("utf-8"))["serial"]
    with serving(SimulatorSettings(folder)) as second:
        assert second.tray.get("/faults").json() == {"card": None, "ocsp": None}
        assert second.tray.get("/state").json()["tries"]["midori"] == 2
        assert json.loads((folder / "reader.json").read_text("utf-8")) == {
            "version": 1,
            "serial": serial + 1,
            "profile": None,
        }
    assert {p: p.read_bytes() for p in before} == before
    assert json.loads((folder / "cards/midori/card.json").read_text("utf-8"))["switches"] == {}


def test_the_ready_file_names_both_addresses_when_they_answer(folder: Path, tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    with serving(SimulatorSettings(folder, ready_file=ready_file)) as running:
        content = json.loads(ready_file.read_text("utf-8"))
        assert (content["tray"], content["ocsp"]) == (running.ready.tray, running.ready.ocsp)
        assert running.tray.get("/healthz").status_code == running.ocsp.get("/healthz").status_code == 200


def test_a_port_that_is_taken_is_named(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for settings in (SimulatorSettings(folder, ocsp_port=port), SimulatorSettings(folder, tray_port=port)):
            with pytest.raises(SimulatorRefused, match=str(port)), serving(settings):
                pass


def test_it_does_not_start_beside_a_production_kiosk(tmp_path: Path) -> None:
    settings = SimulatorSettings(tmp_path / "new", deployment="production", arc=Arc.TEST)
    with pytest.raises(SimulatorRefused, match="production"), serving(settings):
        pass
    assert not (tmp_path / "new").exists()


def test_simulator_json_names_the_anchors_nobody_may_list_in_production(made: Path) -> None:
    mark = json.loads((made / "anchors/simulator.json").read_text("utf-8"))
    assert mark["simulator"] is True
    assert len({a["sha256"] for a in mark["authorities"]}) == 6
    assert sorted(a["id"] for a in mark["authorities"]) == sorted(p.stem for p in (made / "anchors").glob("*.pem"))

"""What personal mode refuses to start with."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import SettingsError
from bridge.personal.settings import PersonalSettings


def refusal_of(**settings: object) -> str:
    try:
        PersonalSettings(**settings)  # type: ignore[arg-type]  # each test gives its own
    except SettingsError as trouble:
        return str(trouble)
    return ""


def test_real_readers_and_pages_over_tls_are_what_it_is_for() -> None:
    settings = PersonalSettings()
    assert (settings.deployment, settings.virtual, settings.development) == ("production", None, False)
    assert refusal_of(origins=("https://www.city.mihon.example",)) == ""


def test_nothing_of_the_demo_is_there_beside_a_real_reader(tmp_path: Path) -> None:
    assert "only a demo on a virtual reader" in refusal_of(stand_in_port=0)
    assert "only a demo on a virtual reader" in refusal_of(stand_in_port=0, deployment="demo")
    assert "virtual reader has no place" in refusal_of(virtual=tmp_path)
    assert "virtual reader has no place" in refusal_of(virtual=tmp_path, stand_in_port=0)
    assert "--development" in refusal_of(development=True)
    assert refusal_of(virtual=tmp_path, deployment="demo", stand_in_port=0, development=True) == ""


@pytest.mark.parametrize("origin", ["*", "https://*.example", "http://www.city.mihon.example", "https://a/", ""])
def test_an_origin_is_one_whole_https_origin(origin: str) -> None:
    assert "is not the origin of an https page" in refusal_of(origins=(origin,))


@pytest.mark.parametrize("settings", [{"port": 80}, {"port": 6000}, {"port": 70000}, {"port": -1}])
def test_a_port_that_browsers_refuse_is_refused(settings: dict[str, int]) -> None:
    assert "choose another" in refusal_of(**settings)


def test_only_a_demo_desk_may_frame_the_page_that_stands_for_the_window(tmp_path: Path) -> None:
    demo = {"virtual": tmp_path, "deployment": "demo"}
    assert "--demo-frame" in refusal_of(**demo, stand_in_frame="http://127.0.0.1:8485")
    assert "--demo-frame" in refusal_of(**demo, stand_in_port=0, stand_in_frame="https://evil.example")
    assert refusal_of(**demo, stand_in_port=0, stand_in_frame="http://127.0.0.1:8485") == ""


@pytest.mark.parametrize(("port", "refused"), [(0, ""), (1023, "1023"), (1024, ""), (65535, ""), (65536, "65536")])
def test_a_port_is_free_for_programs_of_residents(port: int, refused: str, tmp_path: Path) -> None:
    assert refused in refusal_of(port=port)
    assert bool(refusal_of(port=port)) == bool(refused)
    demo = {"virtual": tmp_path, "deployment": "demo"}
    assert bool(refusal_of(**demo, stand_in_port=port)) == bool(refused)


def test_a_virtual_reader_is_a_file_of_its_folder(tmp_path: Path) -> None:
    assert "there is no folder" in refusal_of(virtual=tmp_path / "nowhere", deployment="demo")
    for name in ("../reader.json", "a/reader.json", str(tmp_path / "reader.json")):
        assert "--virtual-reader" in refusal_of(virtual=tmp_path, deployment="demo", virtual_reader=name)


def test_a_page_without_tls_may_be_named_in_development_alone() -> None:
    page = "http://127.0.0.1:8000"
    assert refusal_of(origins=(page,), development=True, deployment="demo") == ""
    assert "not the origin of an https page" in refusal_of(origins=(page,), deployment="demo")
    assert "not the origin" in refusal_of(origins=("https://a.example", page))
    far = "http://www.city.mihon.example"
    assert "not the origin" in refusal_of(origins=(far,), development=True, deployment="demo")

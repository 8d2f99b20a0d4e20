"""The card tray by HTTP, and its page."""

from __future__ import annotations

import json
import re

import httpx2
import pyotp
import pytest

from kiosk_web.simulator.faults import CARD_FAULTS, OCSP_FAULTS
from tests.kiosk_web.simulator.conftest import Running


def test_people_have_exactly_four_keys_and_the_first_one_succeeds(standing: Running) -> None:
    people = standing.tray.get("/people").json()["people"]
    assert all(set(p) == {"id", "name", "pin", "note"} for p in people)
    assert people[0]["id"] == "midori"
    assert people[0]["pin"] == "1234"
    assert len(people) == 13


def test_hidden_people_are_nowhere_on_the_page(standing: Running) -> None:
    for path in ("/people", "/", "/?lang=en", "/state", "/static/tray.js"):
        text = standing.tray.get(path).raise_for_status().text
        assert "sentinel" not in text.lower()


@pytest.mark.parametrize("person", ["midori", "library-card", "sentinel"])
def test_a_card_is_put_on_the_reader_and_taken_off(running: Running, person: str) -> None:
    assert running.tray.get("/reader/card").json() == {"person": None}
    reply = running.tray.put("/reader/card", json={"person": person})
    assert (reply.status_code, reply.json()) == (200, {"person": person})
    assert running.tray.get("/reader/card").json() == {"person": person}
    content = json.loads((running.folder / "reader.json").read_text("utf-8"))
    assert content["profile"] == f"cards/{person}"
    assert running.tray.delete("/reader/card").json() == {"person": None}
    assert json.loads((running.folder / "reader.json").read_text("utf-8"))["serial"] == content["serial"] + 1


def test_a_card_is_carried_home_and_taken_off_there(running: Running) -> None:
    running.tray.put("/reader/card", json={"person": "midori"})
    assert running.tray.put("/readers/home/card", json={"person": "midori"}).json() == {"person": "midori"}
    state = running.tray.get("/state").json()
    assert (state["person"], state["home"]) == (None, "midori")
    content = json.loads((running.folder / "reader-home.json").read_text("utf-8"))
    assert content["profile"] == "cards/midori"
    assert running.tray.delete("/readers/home/card").json() == {"person": None}
    assert running.tray.put("/readers/home/card", json={"person": "nobody"}).status_code == 404
    assert running.tray.put("/readers/home/card", json={"person": 3}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("PUT", "/reader/card", b'{"person": "nobody"}', 404, "unknown person 'nobody'; known: midori"),
        ("PUT", "/reader/card", b"{", 400, "not JSON"),
        ("PUT", "/reader/card", b"\xff", 400, "not JSON"),
        ("PUT", "/reader/card", b"[" * 8000, 400, "not JSON"),
        ("PUT", "/reader/card", b"[]", 400, "not a JSON object"),
        ("PUT", "/reader/card", b"{}", 400, "person is missing"),
        ("PUT", "/reader/card", b'{"person": 3}', 400, "person is a number, and has to be text"),
        ("PUT", "/readers/home/card", b'{"person": true}', 400, "person is true or false, and has to be text"),
        ("PUT", "/reader/card", b'{"person": null}', 400, "person is null, and has to be text"),
        ("PUT", "/reader/card", b'{"person": "midori", "x": 1}', 400, "unknown key 'x'"),
        ("PUT", "/reader/card", b'{"person": "midori", "person": "taro"}', 400, "twice"),
        ("PUT", "/reader/card", b" " * 9000, 400, "too long"),
        ("PUT", "/faults", b'{"card": "nothing"}', 400, "valid: remove_while_reading, "),
        ("PUT", "/faults", b'{"ocsp": "nothing"}', 400, "valid: stale, unknown, "),
        ("PUT", "/faults", b'{"ocsp": 3}', 400, "name of a fault"),
        ("PUT", "/faults", b'{"card": "mute", "ocsp": "nothing"}', 400, "unknown ocsp fault"),
        ("POST", "/people/nobody/renew", b"", 404, "unknown person"),
        ("POST", "/people/midori/marry", b"", 404, "unknown command"),
        ("POST", "/people/midori/revoke", b'{"reason": "bored"}', 400, "unknown reason"),
        ("POST", "/people/midori/move", b"{}", 400, "address is missing"),
        ("POST", "/people/midori/move", b'{"address": []}', 400, "address is a list, and has to be text"),
        ("POST", "/people/midori/move", b'{"address": ""}', 400, "address has 0 characters"),
        ("POST", "/people/sakura/revoke", b"", 409, "already revoked"),
        ("POST", "/people/library-card/renew", b"", 409, "not a My Number Card"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(
    standing: Running, method: str, path: str, body: bytes, status: int, words: str
) -> None:
    before = standing.tray.get("/state").json()
    reply = standing.tray.request(method, path, content=body)
    assert reply.status_code == status
    assert words in reply.json()["error"]
    assert standing.tray.get("/state").json() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "tray.example"},
        {"host": "127.0.0.1.example:80"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_site_may_change_nothing(standing: Running, headers: dict[str, str]) -> None:
    reply = standing.tray.put("/reader/card", json={"person": "midori"}, headers=headers)
    assert reply.status_code == 403
    assert standing.tray.get("/reader/card").json() == {"person": None}


def test_the_page_itself_and_programs_may_change(running: Running) -> None:
    own = {"origin": running.ready.tray, "sec-fetch-site": "same-origin"}
    assert running.tray.put("/reader/card", json={"person": "midori"}, headers=own).status_code == 200
    port = running.ready.tray.rpartition(":")[2]
    named = {"host": f"localhost:{port}", "origin": f"http://localhost:{port}"}
    assert running.tray.delete("/reader/card", headers=named).status_code == 200


@pytest.mark.parametrize("name", CARD_FAULTS)
def test_a_card_fault_stands_in_every_card_until_it_is_cleared(standing: Running, name: str) -> None:
    path = standing.folder / "cards/midori/card.json"
    before = path.read_bytes()
    assert standing.tray.put("/faults", json={"card": name}).json() == {"card": name, "ocsp": None}
    assert path.read_bytes() != before
    standing.tray.put("/faults", json={"card": None}).raise_for_status()
    assert path.read_bytes() == before


def test_a_missing_key_leaves_that_fault_as_it_is(running: Running) -> None:
    running.tray.put("/faults", json={"card": "mute", "ocsp": "stale"}).raise_for_status()
    assert running.tray.put("/faults", json={"ocsp": "unknown"}).json() == {"card": "mute", "ocsp": "unknown"}
    assert running.tray.put("/faults", json={}).json() == {"card": "mute", "ocsp": "unknown"}
    assert running.tray.get("/faults").json() == {"card": "mute", "ocsp": "unknown"}
    running.tray.post("/restore").raise_for_status()
    assert running.tray.get("/faults").json() == {"card": None, "ocsp": None}


def test_a_refusing_responder_refuses_connections_and_comes_back_on_its_port(running: Running) -> None:
    for back in (lambda: running.tray.put("/faults", json={"ocsp": None}), lambda: running.tray.post("/restore")):
        assert running.ocsp.get("/healthz").status_code == 200
        running.tray.put("/faults", json={"ocsp": "refused"}).raise_for_status()
        with pytest.raises(httpx2.ConnectError):
            running.ocsp.get("/healthz")
        back().raise_for_status()
    assert running.ocsp.get("/healthz").status_code == 200


def test_what_the_office_does_shows_on_the_page(running: Running) -> None:
    (running.folder / "cards/midori/counters.json").write_text('{"version": 1, "auth_pin": 1}')
    running.tray.post("/people/midori/hold").raise_for_status()
    running.tray.post("/people/ken/release").raise_for_status()
    running.tray.post("/people/taro/move", json={"address": "群馬県見本町１番地"}).raise_for_status()
    running.tray.post("/people/kyoko/revoke", json={"reason": "superseded"}).raise_for_status()
    state = running.tray.get("/state").json()
    assert state["tries"]["midori"] == 1
    assert {p: state["certificates"][p] for p in ("midori", "ken", "kyoko", "taro")} == {
        "midori": "on_hold",
        "ken": "good",
        "kyoko": "revoked",
        "taro": "expiring",
    }
    assert running.tray.post("/restore").json() == {"restored": 14}
    state = running.tray.get("/state").json()
    assert state["tries"]["midori"] == 3
    assert state["certificates"]["midori"] == state["certificates"]["kyoko"] == "good"


@pytest.mark.parametrize("path", ["/", "/?lang=en"])
def test_the_page_has_no_inline_code_and_a_policy_without_exception(standing: Running, path: str) -> None:
    reply = standing.tray.get(path).raise_for_status()
    assert reply.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    html = reply.text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", html)
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', html):
        assert standing.tray.get(address).status_code == 200
    assert all(f'value="{name}"' in html for name in [*CARD_FAULTS, *OCSP_FAULTS])
    assert html.count('data-action="place"') == 13


def test_the_page_speaks_both_languages(standing: Running) -> None:
    japanese, english = standing.tray.get("/").text, standing.tray.get("/?lang=en").text
    assert '<html lang="ja">' in japanese
    assert "暗証番号" in japanese
    assert "PIN" not in japanese
    assert '<html lang="en">' in english
    assert "Put" not in japanese
    assert "Certificate revoked" in english


def test_the_register_answers_what_a_verifier_may_ask(standing: Running) -> None:
    lists = {entry["name"]: entry for entry in standing.ocsp.get("/crl").json()["lists"]}
    key_id = lists["authca03"]["authority_key_id"]
    assert standing.ocsp.post("/services/standing", json={"issuer_key_id": key_id, "serial": 1}).status_code == 404
    for body in (
        {"serial": 1},
        {"issuer_key_id": "zz", "serial": 1},
        {"issuer_key_id": key_id, "serial": True},
        {"x": 1},
    ):
        assert standing.ocsp.post("/services/standing", json=body).status_code == 400


def test_the_staff_of_a_demo_show_what_an_authenticator_would(running: Running) -> None:
    assert running.tray.get("/staff").status_code == 404
    assert running.tray.get("/state").json()["staff"] is None
    secret = "JBSWY3DPEHPK3PXP" * 2
    content = {"name": "見本 花子", "number": "1001", "secret": secret}
    (running.folder / "staff.json").write_text(json.dumps(content), "utf-8")
    shown = running.tray.get("/staff").raise_for_status().json()
    assert set(shown) == {"number", "code"}
    assert shown["number"] == "1001"
    assert pyotp.TOTP(secret).verify(shown["code"], valid_window=1)
    assert secret not in running.tray.get("/").text + running.tray.get("/state").text
    (running.folder / "staff.json").write_text("{", "utf-8")
    assert running.tray.get("/staff").status_code == 404

"""What must give no session and no verdict: each attack on the wire, played out."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_web.services.ports.terminals import PageRecord
from kiosk_web.services.visit.sessions import Snapshot
from tests.support.jpki import Issued, rsa_key
from tests.support.kiosk_server import Stand
from tests.support.terminal import Stage, Terminal, encode, read_claims

pytestmark = pytest.mark.anyio


async def ready_to_sign(stand: Stand) -> tuple[Terminal, Issued]:
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    await terminal.submit_pin()
    return terminal, card


def count(stand: Stand, table: str) -> int:
    connection = sqlite3.connect(stand.data / "kiosk.sqlite3")
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        connection.close()


async def test_a_page_without_a_cookie_gets_nothing(stand: Stand) -> None:
    terminal = await stand.terminal()
    stage = await terminal.send("service_chosen", service="library")
    assert (stage.status, stage.state, stage.code) == (401, "out_of_service", "bridge_untrusted")
    stream = await terminal.client.get("/k/stream")
    assert (stream.status_code, "out_of_service" in stream.text) == (401, True)


async def test_a_made_up_cookie_gets_nothing(stand: Stand) -> None:
    terminal = await stand.terminal()
    terminal.client.cookies.set("kiosk_terminal", encode(bytes(32)))
    assert (await terminal.send("cancelled")).status == 401


async def test_an_unknown_terminal_gets_no_ticket(stand: Stand) -> None:
    terminal = await stand.terminal()
    assert (await terminal.hello(terminal="nobody")).status_code == 404


async def test_a_terminal_that_has_not_enrolled_gets_no_ticket(stand: Stand) -> None:
    invitation = await stand.server.enrolment.add_terminal("waiting")
    terminal = await stand.terminal()
    assert (await terminal.hello(terminal=invitation.terminal)).status_code == 404


@pytest.mark.parametrize("lie", ["key", "address", "ticket", "nonce"])
async def test_a_forged_welcome_gets_no_cookie(stand: Stand, lie: str) -> None:
    terminal = await stand.terminal()
    ticket = (await terminal.hello()).json()["ticket"]
    if lie == "nonce":
        terminal.bridge_nonce = bytes(32)
    signature = {
        "key": terminal.sign_welcome(ticket, key=Ed25519PrivateKey.generate()),
        "address": terminal.sign_welcome(ticket, address="127.0.0.1:9999"),
        "ticket": terminal.sign_welcome(ticket + "A"),
        "nonce": terminal.sign_welcome(ticket),
    }[lie]
    answer = await terminal.welcome(ticket, signature)
    assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None)
    assert count(stand, "pages") == 0


async def test_a_hello_ticket_is_used_once(stand: Stand) -> None:
    terminal = await stand.terminal()
    ticket = (await terminal.hello()).json()["ticket"]
    signature = terminal.sign_welcome(ticket)
    assert (await terminal.welcome(ticket, signature)).status_code == 200
    assert (await terminal.welcome(ticket, signature)).status_code == 403


async def test_a_hello_ticket_lives_a_minute(stand: Stand) -> None:
    terminal = await stand.terminal()
    ticket = (await terminal.hello()).json()["ticket"]
    stand.clock.advance(61)
    assert (await terminal.welcome(ticket, terminal.sign_welcome(ticket))).status_code == 403


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stand: Stand) -> None:
    terminal = await stand.terminal()
    ticket = (await terminal.hello()).json()["ticket"]
    answer = await terminal.welcome(ticket, terminal.sign_welcome(ticket))
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


async def test_the_cookie_is_not_sent_to_whoever_holds_the_port_of_the_bridge(stand: Stand) -> None:
    """Cookies know no port: one for the path `/` would go along with `ws://127.0.0.1:8481/card` too."""
    terminal = await stand.terminal()
    ticket = (await terminal.hello()).json()["ticket"]
    answer = await terminal.welcome(ticket, terminal.sign_welcome(ticket))
    assert "path=/k;" in answer.headers["set-cookie"].lower() + ";"


async def test_the_newest_page_wins(stand: Stand) -> None:
    terminal = await stand.opened()
    older = Terminal(stand.client(), terminal.key)
    older.client.cookies = terminal.client.cookies.__class__(terminal.client.cookies)
    terminal.client.cookies.clear()
    await terminal.open_page()
    stage = await older.send_as(99, "service_chosen", service="library")
    assert (stage.status, stage.state, stage.refusal) == (409, "superseded", "superseded")
    assert (await terminal.send("service_chosen", service="library")).state == "awaiting_card"


async def test_a_new_page_in_the_middle_of_a_visit_ends_the_visit(stand: Stand) -> None:
    terminal, card = await ready_to_sign(stand)
    reopened = await terminal.open_page(again=True)
    assert (reopened.state, reopened.code, reopened.commands) == ("refused", "bridge_lost", [])
    assert (await terminal.sign(card)).status == 409
    assert count(stand, "persons") == 0


async def test_a_page_loaded_anew_is_not_shown_the_visit_before(stand: Stand) -> None:
    terminal, card = await ready_to_sign(stand)
    reopened = await terminal.open_page()
    assert (reopened.state, reopened.commands) == ("choosing_service", [])
    assert (await terminal.sign(card)).status == 409
    assert count(stand, "persons") == 0


async def test_nobody_is_the_page_before_without_its_cookie(stand: Stand) -> None:
    terminal, _card = await ready_to_sign(stand)
    terminal.client.cookies.clear()
    assert (await terminal.open_page(again=True)).state == "choosing_service"


async def test_a_page_that_was_overtaken_while_it_proved_itself_gets_no_session(stand: Stand) -> None:
    """Two pages at once: the session goes to the newest one, in whatever order the two open it."""
    terminal = await stand.opened()
    newer = Terminal(stand.client(), terminal.key)
    newer.id = terminal.id
    open_session = stand.server.sessions.open_session
    overtaken: list[Stage] = []

    async def overtake(page: PageRecord, *, again: bool) -> Snapshot:
        if not overtaken:
            overtaken.append(Stage(""))
            overtaken[0] = await newer.open_page()
        return await open_session(page, again=again)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "kiosk_web.services.visit.sessions.SessionService.open_session", lambda _, *a, **k: overtake(*a, **k)
        )
        late = await terminal.open_page(again=True)
    assert (late.state, overtaken[0].state) == ("superseded", "choosing_service")
    assert (await newer.send("service_chosen", service="library")).state == "awaiting_card"


async def test_a_flood_of_hellos_leaves_no_more_than_a_few_rows(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk_web.adapters.store.terminals.OPEN_HELLOS", 3)
    monkeypatch.setattr("kiosk_web.adapters.store.terminals.OLDER_PAGES", 2)
    terminal, other = await stand.terminal(), await stand.terminal("other")
    kept = (await other.hello()).json()["ticket"]
    tickets = []
    for _ in range(8):
        stand.clock.advance(0.001)
        tickets.append((await terminal.hello()).json()["ticket"])
    assert count(stand, "hello_tickets") == 4
    assert (await terminal.welcome(tickets[0], terminal.sign_welcome(tickets[0]))).status_code == 403
    assert (await terminal.welcome(tickets[-1], terminal.sign_welcome(tickets[-1]))).status_code == 200
    assert (await other.welcome(kept, other.sign_welcome(kept))).status_code == 200
    for _ in range(6):
        stand.clock.advance(0.001)
        await terminal.open_page()
    assert count(stand, "pages") == 1 + 3
    assert (await terminal.send("service_chosen", service="library")).state == "awaiting_card"


async def test_a_revoked_terminal_loses_its_cookie_at_once(stand: Stand) -> None:
    terminal, card = await ready_to_sign(stand)
    await stand.server.enrolment.revoke_terminal("library-1")
    stage = await terminal.sign(card)
    assert (stage.status, stage.state, stage.code) == (401, "out_of_service", "terminal_revoked")
    assert (await terminal.hello()).status_code == 404
    await stand.server.sessions.sweep()
    assert (await stand.server.sessions.load(terminal.id)).state.name == "out_of_service"
    assert count(stand, "persons") == 0


async def test_the_cookie_of_another_terminal_cannot_use_a_challenge(stand: Stand) -> None:
    terminal, card = await ready_to_sign(stand)
    other = await stand.opened("other")
    other.ticket, other.counter = terminal.ticket, terminal.counter
    stage = await other.sign(card)
    assert (stage.status, stage.state) == (409, "choosing_service")
    assert (await terminal.sign(card)).state == "result"


async def test_a_certificate_countersigned_by_another_key_is_refused(stand: Stand) -> None:
    terminal = await stand.opened()
    await terminal.begin()
    stage = await terminal.read_card(stand.card(), key=Ed25519PrivateKey.generate())
    assert (stage.state, stage.code) == ("refused", "evidence_refused")
    assert stand.responder.questions == 0


async def test_the_number_of_tries_is_part_of_the_countersignature(stand: Stand) -> None:
    terminal = await stand.opened()
    await terminal.begin()
    evidence = {**terminal.build_certificate(stand.card(), tries_left=0), "tries_left": 3}
    assert (await terminal.send("certificate_read", **evidence)).code == "evidence_refused"


async def test_a_result_countersigned_by_another_key_is_refused(stand: Stand) -> None:
    terminal, card = await ready_to_sign(stand)
    stage = await terminal.sign(card, key=Ed25519PrivateKey.generate())
    assert (stage.state, stage.code) == ("refused", "evidence_refused")
    assert count(stand, "persons") == 0


@pytest.mark.parametrize("counter", [0, 1])
async def test_a_counter_that_does_not_rise_is_refused(stand: Stand, counter: int) -> None:
    terminal, card = await ready_to_sign(stand)
    stage = await terminal.sign(card, counter=counter)
    assert (stage.state, stage.code) == ("refused", "evidence_refused")


async def test_another_certificate_at_the_end_is_refused(stand: Stand) -> None:
    terminal, _ = await ready_to_sign(stand)
    stage = await terminal.sign(stand.card(serial=77))
    assert (stage.state, stage.code) == ("refused", "certificate_changed")
    assert count(stand, "persons") == 0


@pytest.mark.parametrize(
    "change",
    [
        {"service": "library"},
        {"session": "other"},
        {"terminal": "other"},
        {"origin": "http://127.0.0.1:1"},
        {"nonce": bytes(32)},
        {"method": "kazashi"},
        {"purpose": "enrol"},
        {"certificate": bytes(32)},
        {"lease": "x"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_signature_over_anything_else_is_refused(stand: Stand, change: dict[str, Any]) -> None:
    terminal, card = await ready_to_sign(stand)
    stage = await terminal.sign(card, signature=terminal.sign_card_message(card, **change))
    assert (stage.state, stage.code) == ("refused", "evidence_refused")
    assert count(stand, "persons") == 0


async def test_a_signature_by_another_card_is_refused(stand: Stand) -> None:
    terminal, card = await ready_to_sign(stand)
    thief = Issued(rsa_key("thief"), card.certificate)
    stage = await terminal.sign(card, signature=terminal.sign_card_message(thief))
    assert (stage.state, stage.code) == ("refused", "evidence_refused")


async def test_one_nonce_redeemed_many_times_at_once_gives_one_result(stand: Stand) -> None:
    terminal, card = await ready_to_sign(stand)
    bodies = [terminal.build_signed(card) for _ in range(6)]
    answers: list[Stage] = await asyncio.gather(
        *(terminal.send_as(100 + number, "signed", **body) for number, body in enumerate(bodies))
    )
    refusals = sorted((answer.status, answer.refusal) for answer in answers)
    assert refusals == [(200, ""), *[(409, "challenge_used")] * 5]
    assert count(stand, "audit") == 1


async def test_a_redeemed_nonce_is_never_redeemed_again(stand: Stand) -> None:
    terminal, card = await ready_to_sign(stand)
    assert (await terminal.sign(card)).state == "result"
    again = await terminal.sign(card)
    assert (again.status, again.state, again.refusal) == (409, "result", "challenge_used")


async def test_a_failed_proof_uses_the_nonce_up(stand: Stand) -> None:
    terminal, card = await ready_to_sign(stand)
    await terminal.sign(card, signature=bytes(256))
    assert (await terminal.sign(card)).refusal == "challenge_used"


async def test_a_challenge_that_ran_out_ends_the_visit(stand: Stand) -> None:
    terminal, card = await ready_to_sign(stand)
    stand.clock.advance(181)
    stage = await terminal.sign(card)
    assert (stage.state, stage.code) == ("refused", "session_timeout")
    assert count(stand, "persons") == 0


async def test_a_signature_without_a_challenge_gives_nothing(stand: Stand) -> None:
    terminal = await stand.opened()
    await terminal.begin()
    stage = await terminal.sign(stand.card())
    assert (stage.status, stage.state) == (409, "reading_card")


async def test_a_certificate_of_another_issuer_is_untrusted(stand: Stand) -> None:
    from tests.support.jpki import build_root, issue

    terminal = await stand.opened()
    await terminal.begin()
    stage = await terminal.read_card(issue(build_root(2023, label="forged")))
    assert (stage.state, stage.code) == ("refused", "certificate_untrusted")


async def test_garbage_for_a_certificate_has_its_own_name(stand: Stand) -> None:
    terminal = await stand.opened()
    await terminal.begin()

    class Garbage:
        der = b"\x30\x82\xff\xff garbage"

    stage = await terminal.read_card(Garbage())  # type: ignore[arg-type]  # garbage on purpose
    assert (stage.state, stage.code) == ("refused", "certificate_malformed")
    assert (await terminal.take_card()).state == "choosing_service"


@pytest.mark.parametrize("code", ["certificate_revoked", "certificate_on_hold", "status_unknown"])
async def test_only_the_server_says_what_became_of_a_certificate(stand: Stand, code: str) -> None:
    terminal = await stand.opened()
    await terminal.begin()
    challenge = read_claims(terminal.ticket)["jti"]
    stage = await terminal.send("bridge_failed", challenge=challenge, code=code, tries_left=None)
    assert (stage.state, stage.code) == ("refused", "internal")


async def test_a_bridge_cannot_invent_a_code(stand: Stand) -> None:
    terminal = await stand.opened()
    await terminal.begin()
    challenge = read_claims(terminal.ticket)["jti"]
    stage = await terminal.send("bridge_failed", challenge=challenge, code="you_have_won", tries_left=None)
    assert (stage.state, stage.code) == ("refused", "internal")

"""かざし利用 on the real server: who may tap, what an enrolment keeps, and every way in which a tap is not enough."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text as sql

from kiosk_web.log import configure_log
from kiosk_web.pki.plan import FetchFailure
from kiosk_web.settings.server import Settings
from kiosk_web.simulator.card_issuer import CardIssuer
from kiosk_web.wiring.kazashi import load_kazashi_rules
from tests.support.api_client import register
from tests.support.jpki import rsa_key
from tests.support.kazashi import (
    DECLINED,
    Body,
    Desk,
    begin_tap,
    build_kazashi,
    continue_by_pin,
    enrol,
    enrolled,
    identify_by_pin,
    reach_birth,
    sign_enrolment,
    take_ticket,
    tap,
)
from tests.support.kiosk_server import Stand, run_stand
from tests.support.terminal import Stage, Terminal, read_claims

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, kazashi=build_kazashi(tmp_path)) as running:
        yield running


@pytest.fixture
def body(stand: Stand) -> Body:
    return Body(stand.card())


async def lift(terminal: Terminal) -> None:
    """Take the card in the middle of a visit, and begin anew."""
    assert (await terminal.take_card()).code == "card_removed"
    assert (await terminal.send("finished")).state == "choosing_service"


def identifier(stage: Stage) -> str:
    found = re.search(r'id="identifier">(.*?)</dd>', stage.html)
    assert found is not None
    return re.sub("<.*?>", "", found.group(1))


# --- the way it is meant ----------------------------------------------------------------------------------------------


async def test_an_enrolled_card_is_confirmed_by_a_tap_and_by_a_fresh_answer(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    by_pin = identifier(await identify_by_pin(stand, terminal, body))
    assert (await enrol(stand, terminal, body)).state == "kazashi_set"
    await terminal.take_card()
    await (await Desk.opened(stand)).attend(terminal)
    asked = stand.responder.questions
    stage = await tap(stand, terminal, body)
    assert stage.state == "result"
    assert identifier(stage) == by_pin
    assert stand.responder.questions == asked + 1
    rows = stand.query("SELECT outcome, method, lease != '' FROM audit ORDER BY id")
    assert rows == [("done", "pin", 0), ("enrolled", "kazashi", 0), ("done", "kazashi", 1)]


async def test_an_unattended_terminal_asks_for_the_pin_as_ever(stand: Stand, terminal: Terminal, body: Body) -> None:
    await identify_by_pin(stand, terminal, body)
    await enrol(stand, terminal, body)
    await terminal.take_card()
    await terminal.begin("facility")
    assert (read_claims(terminal.ticket)["method"], read_claims(terminal.ticket)["lease"]) == ("pin", "")
    stage = await terminal.read_card(body.issued)
    assert stage.state == "awaiting_pin"
    assert DECLINED not in stage.html


async def test_a_service_without_kazashi_and_screen_cannot_be_chosen_also_while_attended(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    """Type 2: there is no terminal for it at all, so there is no tap that could be for it."""
    await enrolled(stand, terminal, body)
    chosen = await terminal.send("service_chosen", service="online")
    assert (chosen.status, chosen.refusal, chosen.commands) == (409, "service_by_api_only", [])


async def test_a_tap_where_nothing_was_ever_typed_asks_for_the_terms_under_its_lease(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    """Enrolled at one system, tapped at another: no screen of a 暗証番号 has named the terms for that one."""
    await enrolled(stand, terminal, body)
    stage = await tap(stand, terminal, body, "library")
    assert stage.state == "agreeing"
    assert "demo-1" in stage.html
    assert stand.query("SELECT count(*) FROM mykey_ids") == [(0,)]
    assert (await terminal.send("terms_agreed")).state == "result"
    accepted = "SELECT document, version FROM accepted_terms WHERE system = 'city-library' ORDER BY document"
    assert stand.query(accepted) == [("privacy-policy", "demo-1"), ("terms-of-use", "demo-1")]
    await terminal.take_card()
    assert (await tap(stand, terminal, body, "library")).state == "result"


async def test_a_tap_whose_lease_ended_while_the_terms_were_read_goes_on_by_pin(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    await enrolled(stand, terminal, body)
    assert (await tap(stand, terminal, body, "library")).state == "agreeing"
    async with stand.server.store.write() as transaction:
        await stand.server.sessions._leases.end(transaction, terminal.id, "idle", stand.clock.now)
    stage = await continue_by_pin(stand, terminal, body, await terminal.send("terms_agreed"))
    assert stage.state == "result"  # the first visit by 暗証番号 at this system: typing it agrees


async def test_the_resident_reads_what_is_kept_and_the_card_signs_what_was_read(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    assert 'id="kazashi"' in (await identify_by_pin(stand, terminal, body)).html
    shown = await terminal.send("kazashi_wanted")
    assert "かざし利用を登録しますか" in shown.html
    claims = take_ticket(terminal, await terminal.send("consent_given"))
    assert (claims["purpose"], claims["method"], claims["lease"]) == ("enrol", "kazashi", "")
    assert len(claims["consent"]) == 43


async def test_who_does_not_agree_goes_back_to_the_result(stand: Stand, terminal: Terminal, body: Body) -> None:
    result = await identify_by_pin(stand, terminal, body)
    await terminal.send("kazashi_wanted")
    again = await terminal.send("cancelled")
    assert again.state == "result"
    assert identifier(again) == identifier(result)


async def test_the_resident_switches_it_off_and_is_asked_for_the_pin_again(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    await enrolled(stand, terminal, body)
    await terminal.send("staff_signed_out")
    assert 'id="kazashi-stop"' in (await identify_by_pin(stand, terminal, body)).html
    assert (await terminal.send("kazashi_stopped")).state == "kazashi_set"
    assert stand.query("SELECT * FROM kazashi_enrolments") == []


# --- an enrolment -----------------------------------------------------------------------------------------------------


async def test_it_is_registered_only_beside_the_card_whose_pin_was_right(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    assert 'id="kazashi"' in (await identify_by_pin(stand, terminal, body)).html
    await terminal.open_page(again=True)  # nobody knows yet what lies there
    refused = await terminal.send("kazashi_wanted")
    assert (refused.status, refused.state) == (409, "result")


async def test_an_enrolment_needs_the_certificate_that_the_pin_proved(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    await identify_by_pin(stand, terminal, body)
    await terminal.send("kazashi_wanted")
    take_ticket(terminal, await terminal.send("consent_given"))
    stage = await terminal.read_card(stand.card(0x99), tries_left=10)
    assert (stage.state, stage.code) == ("refused", "certificate_changed")


@pytest.mark.parametrize("case", ["own issuer", "record of another key", "signature of another key", "another consent"])
async def test_an_enrolment_that_no_issuer_vouches_for_keeps_nothing(
    stand: Stand, terminal: Terminal, body: Body, case: str
) -> None:
    own = CardIssuer(rsa_key("own authority"), rsa_key("own issuer"))
    other = replace(body, surface=rsa_key("another surface"))
    await identify_by_pin(stand, terminal, body)
    assert (await reach_birth(stand, terminal, body)).state == "awaiting_birth"
    await terminal.submit_pin()
    changes = {
        "own issuer": lambda: {"issuer": own.build_certificate()},
        "record of another key": lambda: {"record": other.record},
        "signature of another key": lambda: {"card_signature": other.sign(terminal)},
        "another consent": lambda: {"card_signature": body.sign(terminal, consent=b"x" * 32)},
    }[case]()
    stage = await sign_enrolment(terminal, body, **changes)
    code = "card_issuer_untrusted" if case == "own issuer" else "evidence_refused"
    assert (stage.state, stage.code) == ("refused", code)
    assert "かざし利用だけが登録されませんでした" in stage.html
    assert stand.query("SELECT * FROM kazashi_enrolments") == []


async def test_an_enrolment_never_goes_by_list(stand: Stand, terminal: Terminal, body: Body) -> None:
    await identify_by_pin(stand, terminal, body)
    stand.responder.failure = FetchFailure("refused")
    await stand.server.fallback.open(stand.clock.now.replace(hour=23), "試験", "見本")
    stage = await reach_birth(stand, terminal, body)
    assert (await terminal.send("extended")).code == "status_unavailable"
    assert stage.state == "awaiting_birth"
    assert stand.query("SELECT * FROM kazashi_enrolments") == []


async def test_the_birth_date_is_nowhere(stand: Stand, terminal: Terminal, body: Body) -> None:
    stream = io.StringIO()
    configure_log(stream)
    await enrolled(stand, terminal, body)
    stored = b"".join(path.read_bytes() for path in stand.data.glob("kiosk.sqlite3*"))
    for text in (b"19800217", b"550217"):
        assert text not in stored
        assert text.decode() not in stream.getvalue()
    assert body.record not in stored


# --- a tap that is not enough -----------------------------------------------------------------------------------------


async def test_a_card_that_was_never_enrolled_goes_on_by_pin_in_place(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    await (await Desk.opened(stand)).attend(terminal)
    stage = await tap(stand, terminal, body)
    assert (await continue_by_pin(stand, terminal, body, stage)).state == "result"


async def test_a_cloned_certificate_on_another_card_is_told_nothing_else(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    await enrolled(stand, terminal, body)
    clone = replace(body, surface=rsa_key("another surface"))
    declined = await tap(stand, terminal, clone)
    assert declined.state == "reading_card"
    take_ticket(terminal, declined)
    of_clone = await terminal.read_card(clone.issued)
    await lift(terminal)
    stranger = Body(stand.card(0x77), rsa_key("another surface"))
    take_ticket(terminal, await tap(stand, terminal, stranger))
    of_stranger = await terminal.read_card(stranger.issued)

    def words(stage: Stage) -> str:
        return re.sub(r'data-(version|deadline|commands)="[^"]*"', "", stage.html)

    assert DECLINED in of_clone.html
    assert words(of_clone) == words(of_stranger)


async def test_another_enrolled_persons_card_is_its_own_and_no_other(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    await enrolled(stand, terminal, body)
    other = Body(stand.card(0x77), rsa_key("another surface"))
    await terminal.send("staff_signed_out")
    mine = identifier(await identify_by_pin(stand, terminal, other))
    assert (await enrol(stand, terminal, other)).state == "kazashi_set"
    await terminal.take_card()
    await (await Desk.opened(stand)).attend(terminal)
    mixed = Body(body.issued, other.surface)
    assert (await tap(stand, terminal, mixed)).state == "reading_card"
    await lift(terminal)
    assert identifier(await tap(stand, terminal, other)) == mine


@pytest.mark.parametrize("why", ["renewed", "check again", "twelve months"])
async def test_what_needs_one_visit_by_pin_first(stand: Stand, terminal: Terminal, body: Body, why: str) -> None:
    desk = await enrolled(stand, terminal, body)
    card = body
    if why == "renewed":
        card = replace(body, issued=stand.card(0x55))
    elif why == "check again":
        async with stand.server.store.write() as transaction:
            (person,) = stand.query("SELECT person_id FROM kazashi_enrolments")[0]
            await transaction.persons.mark_check_again([str(person)])
    elif why == "twelve months":
        stand.clock.advance(366 * 86400)
        await desk.attend(terminal)
    stage = await tap(stand, terminal, card)
    assert (await continue_by_pin(stand, terminal, card, stage)).state == "result"


async def test_a_tap_counts_as_use(stand: Stand, terminal: Terminal, body: Body) -> None:
    desk = await enrolled(stand, terminal, body)
    for _ in range(2):
        stand.clock.advance(200 * 86400)
        await desk.attend(terminal)
        assert (await tap(stand, terminal, body)).state == "result"
        await terminal.take_card()


async def test_an_enrolment_keeps_nothing_for_a_certificate_that_is_nobodys_any_more(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    """The person was deleted while the birth date was typed."""
    await identify_by_pin(stand, terminal, body)
    await reach_birth(stand, terminal, body)
    async with stand.server.store.write() as transaction:
        await transaction.connection.execute(sql("DELETE FROM person_certificates"))
    stage = await sign_enrolment(terminal, body)
    assert (stage.state, stage.code) == ("refused", "internal")
    assert stand.query("SELECT * FROM kazashi_enrolments") == []


async def test_a_lease_that_ends_between_challenge_and_consumption_confirms_nobody(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    await enrolled(stand, terminal, body)
    await begin_tap(stand, terminal, body)
    async with stand.server.store.write() as transaction:
        lease = await transaction.leases.find_open(terminal.id)
        assert lease is not None
        await transaction.leases.end(lease.id, "signed_out", stand.clock.now)
    stage = await terminal.sign(body.issued, signature=body.sign(terminal))
    assert (await continue_by_pin(stand, terminal, body, stage)).state == "result"


@pytest.mark.parametrize("status", ["revoked", "on hold"])
async def test_a_revoked_or_suspended_card_is_refused_and_asked_for_the_pin_should_it_come_back(
    stand: Stand, terminal: Terminal, body: Body, status: str
) -> None:
    await enrolled(stand, terminal, body)
    reason = x509.ReasonFlags.cessation_of_operation if status == "revoked" else x509.ReasonFlags.certificate_hold
    stand.responder.shape = replace(stand.responder.shape, status="revoked", reason=reason)
    await begin_tap(stand, terminal, body)
    stage = await terminal.send("extended")
    code = "certificate_revoked" if status == "revoked" else "certificate_on_hold"
    assert (stage.state, stage.code) == ("refused", code)
    await terminal.take_card()
    assert stand.query("SELECT check_again FROM persons") == [(1,)]


@pytest.mark.parametrize("where", ["card taken before the answer", "by API"])
async def test_a_suspension_that_was_learned_elsewhere_asks_for_the_pin_too(
    stand: Stand, terminal: Terminal, body: Body, where: str
) -> None:
    await enrolled(stand, terminal, body)
    on_hold = replace(stand.responder.shape, status="revoked", reason=x509.ReasonFlags.certificate_hold)
    in_force, stand.responder.shape = stand.responder.shape, on_hold
    if where == "by API":
        client = await (await register(stand)).sign_in()
        assert (await client.validate(body.issued))["outcome"] == "on_hold"
    else:
        await terminal.begin()
        await terminal.read_card(body.issued, tries_left=0)
        await lift(terminal)
        await stand.server.sessions.settle()
    stand.clock.advance(120)
    stand.responder.shape = in_force
    stage = await tap(stand, terminal, body)
    assert (await continue_by_pin(stand, terminal, body, stage)).state == "result"


async def test_a_tap_is_never_confirmed_without_an_answer(stand: Stand, terminal: Terminal, body: Body) -> None:
    await enrolled(stand, terminal, body)
    stand.responder.failure = FetchFailure("refused")
    await stand.server.fallback.open(stand.clock.now.replace(hour=23), "試験", "見本")
    await begin_tap(stand, terminal, body)
    assert (await terminal.send("extended")).code == "status_unavailable"


async def test_a_replayed_or_relayed_tap_is_refused(stand: Stand, terminal: Terminal, body: Body) -> None:
    await enrolled(stand, terminal, body)
    await begin_tap(stand, terminal, body)
    signed = terminal.build_signed(body.issued, signature=body.sign(terminal))
    assert (await terminal.send("signed", **signed)).state == "result"
    assert (await terminal.send("signed", **signed)).status == 409
    await terminal.take_card()
    old = body.sign(terminal)
    await begin_tap(stand, terminal, body)
    assert (await terminal.sign(body.issued, signature=old)).state == "reading_card"  # of the challenge before
    await lift(terminal)
    await begin_tap(stand, terminal, body)
    relayed = body.sign(terminal, terminal="another-terminal")
    assert (await terminal.sign(body.issued, signature=relayed)).state == "reading_card"


async def test_a_script_that_plays_a_terminal_without_its_key_gets_nowhere(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    await enrolled(stand, terminal, body)
    forged = Ed25519PrivateKey.generate()
    await terminal.begin()
    stage = await terminal.read_card(body.issued, tries_left=0, key=forged)
    assert (stage.state, stage.code) == ("refused", "evidence_refused")
    await terminal.take_card()
    await begin_tap(stand, terminal, body)
    stage = await terminal.sign(body.issued, signature=body.sign(terminal), key=forged)
    assert (stage.state, stage.code) == ("refused", "evidence_refused")


async def test_a_tap_is_not_accepted_where_the_pin_was_asked_for(stand: Stand, terminal: Terminal, body: Body) -> None:
    await enrolled(stand, terminal, body)
    await terminal.send("staff_signed_out")
    await stand.typing(terminal, body.issued)
    await terminal.submit_pin()
    stage = await terminal.sign(body.issued, signature=body.sign(terminal))
    assert (stage.state, stage.code) == ("refused", "evidence_refused")


async def test_production_without_a_legal_basis_has_no_kazashi(tmp_path: Path) -> None:
    off = load_kazashi_rules(Settings(deployment="production", kazashi=build_kazashi(tmp_path)))
    assert (off.permitted, dict(off.issuers)) == (False, {})


async def test_where_it_is_not_permitted_neither_tap_nor_enrolment_is_offered(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    await enrolled(stand, terminal, body)
    service = stand.server.sessions._effects._kazashi
    service._rules = replace(service._rules, permitted=False)
    await terminal.begin()
    assert read_claims(terminal.ticket)["method"] == "pin"
    await terminal.read_card(body.issued)
    await stand.server.sessions.settle()
    await terminal.submit_pin()
    assert 'id="kazashi' not in (await terminal.sign(body.issued)).html

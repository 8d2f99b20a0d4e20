"""A whole visit with the basic 4 information: consent, second proof, secret, sealed at once, told once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from kiosk_web.session import states as s
from kiosk_web.settings.services import DEMO_SERVICES, DEMO_SYSTEMS
from kiosk_web.web.catalogue import load_catalogue
from tests.support.api_client import SYSTEM, register
from tests.support.basic_four import (
    ADDRESS,
    FOUR,
    NAME,
    build_basic_four,
    build_services,
    find_plain,
    hand_over,
    reach_consent,
    reach_proof,
    reach_text,
    tell_tries,
)
from tests.support.jpki import Issued, build_root
from tests.support.kazashi import take_ticket
from tests.support.kiosk_server import Stand, build_settings, run_stand
from tests.support.ocsp_answers import AnswerShape
from tests.support.readings import Counter, open_asker, told
from tests.support.receiver import build_systems, unseal
from tests.support.terminal import decode, encode, fields, read_claims

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, systems=build_systems(), services=build_services()) as running:
        yield running


async def load(stand: Stand, terminal: str) -> s.State:
    return (await stand.server.sessions.load(terminal)).state


async def open_reading(stand: Stand, reference: str) -> tuple[dict[str, object], dict[str, object]]:
    mine = await (await register(stand)).sign_in()
    answer = await mine.post("sealed-readings", {"system": SYSTEM, "reference": reference})
    assert answer.status_code == 200, answer.text
    header, plain = unseal(answer.json()["jwe"])
    return header, json.loads(plain)


async def test_from_consent_to_the_receiver_sign_for_sign(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    shown = await reach_consent(stand, terminal, card)
    assert shown.state == "consenting"
    for words in (
        "みほん市 施設予約システム",
        "氏名・住所・生年月日・性別",
        "体育館の利用者登録",
        "登録をやめるまで。",
    ):
        assert words in shown.html
    assert (await reach_proof(stand, terminal, card)).state == "checking"
    assert (await tell_tries(terminal)).state == "awaiting_text"
    sent = await hand_over(terminal, card)
    assert sent.state == "basic_four_sent"
    assert all(item in sent.html for item in (NAME, ADDRESS, "1980年2月17日", ">女<"))
    assert sent.headers["cache-control"] == "no-store"
    state = await load(stand, terminal.id)
    assert isinstance(state, s.BasicFourSent)
    header, statement = await open_reading(stand, state.visit.reference)
    assert header["reference"] == state.visit.reference
    assert statement["ppid"] == state.result.identifier
    items = statement["basic_four"]
    assert isinstance(items, dict)
    assert (items["name"], items["address"], items["birth"], items["sex"]) == FOUR
    result = await terminal.send("finished")
    assert (result.state, "基本4情報は、同意した相手に届きます" in result.html) == ("result", True)


async def test_the_items_are_in_the_one_answer_and_in_no_other_and_in_no_file(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await reach_text(stand, terminal, card)
    assert NAME in (await hand_over(terminal, card)).html
    for later in (
        await terminal.send("text_size_chosen", size="large"),
        await terminal.send("language_chosen", language="en"),
        await terminal.open_page(again=True),
    ):
        assert later.state == "basic_four_sent"
        assert not any(item in later.html for item in (NAME, ADDRESS, "1980"))
    async with stand.server.store.read() as transaction:
        record = await transaction.sessions.load(terminal.id)
    assert record is not None
    assert not any(item in record.state for item in (NAME, ADDRESS, "19800217"))
    assert find_plain(stand.data) == []


async def test_what_was_shown_is_what_the_card_signs(stand: Stand) -> None:
    """The bytes are put together anew, from the sentences on the screen."""
    terminal, card = await stand.opened(), stand.card()
    shown = await reach_consent(stand, terminal, card)
    words = load_catalogue("ja").messages
    said = [words["consent.basic_four.title"], words["consent.basic_four.lead"]]
    texts = {
        "receiver": "みほん市 施設予約システム",
        "items": words["consent.basic_four.items"],
        "purpose": "体育館の利用者登録",
        "here": words["consent.basic_four.here"].format(minutes=10),
        "there": "登録をやめるまで。",
        "never": words["consent.basic_four.never"],
    }
    for row, text in texts.items():
        said += [words[f"consent.basic_four.{row}.label"], text]
    said.append(words["consent.basic_four.sign"])
    assert all(sentence in shown.html for sentence in said)
    message = b"kiosk-consent/1\0" + fields("basic_four", "ja", "facility", "施設予約の利用者確認", *said)
    claims = take_ticket(terminal, await terminal.send("consent_given"))
    assert decode(claims["consent"]) == hashlib.sha256(message).digest()
    assert (claims["purpose"], claims["method"], claims["lease"]) == ("basic_four", "pin", "")


async def test_who_declines_keeps_the_result_and_nothing_is_sealed(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await reach_consent(stand, terminal, card)
    stage = await terminal.send("cancelled")
    assert stage.state == "result"
    assert "基本4情報は渡していません" in stage.html
    async with stand.server.store.read() as transaction:
        assert await transaction.readings.list_due(SYSTEM, stand.clock.now) == ()
    again = await terminal.send("basic_four_wanted")
    assert again.state == "consenting"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [("text_secret_wrong", "番号がカードと一致しません"), ("text_secret_guarded", "残り回数が少ない")],
)
async def test_a_secret_that_fails_returns_to_the_result_with_its_code(stand: Stand, code: str, sentence: str) -> None:
    terminal, card = await stand.opened(), stand.card()
    await reach_text(stand, terminal, card)
    await terminal.submit_pin()
    challenge = read_claims(terminal.ticket)["jti"]
    stage = await terminal.send("bridge_failed", challenge=challenge, code=code, tries_left=2)
    assert stage.state == "result"
    assert all(said in stage.html for said in (sentence, "残り2回"))


async def test_items_that_the_terminal_did_not_sign_are_sealed_for_nobody(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await reach_text(stand, terminal, card)
    forged = fields("別人", *FOUR[1:])
    told_by_terminal = build_basic_four(terminal, card)
    await terminal.submit_pin()
    stage = await terminal.send("basic_four_read", **{**told_by_terminal, "items": encode(forged)})
    assert stage.state == "result"
    state = await stand.read_result(terminal)
    assert state.basic_four_code == "evidence_refused"


@pytest.mark.parametrize(
    "items",
    [b"\x00", fields(*FOUR[:3]), fields("", *FOUR[1:]), fields(NAME, ADDRESS, "1980", "2"), fields(b"\xff", *FOUR[1:])],
)
async def test_malformed_items_are_not_sealed(stand: Stand, items: bytes) -> None:
    terminal, card = await stand.opened(), stand.card()
    await reach_text(stand, terminal, card)
    assert (await hand_over(terminal, card, items)).state == "result"
    assert (await stand.read_result(terminal)).basic_four_code == "card_data_malformed"


async def test_items_without_the_second_proof_have_no_place(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await reach_consent(stand, terminal, card)
    take_ticket(terminal, await terminal.send("consent_given"))
    await terminal.read_card(card)
    await stand.server.sessions.settle()
    stage = await terminal.send("basic_four_read", **build_basic_four(terminal, card))
    assert (stage.status, stage.state) == (409, "awaiting_pin")


async def test_another_certificate_on_the_same_stay_is_refused(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await reach_consent(stand, terminal, card)
    take_ticket(terminal, await terminal.send("consent_given"))
    stage = await terminal.read_card(stand.card(serial=0x77))
    assert (stage.state, stage.code) == ("refused", "certificate_changed")


async def test_a_card_taken_meanwhile_takes_its_result_from_the_screen(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await reach_consent(stand, terminal, card)
    consenting = await load(stand, terminal.id)
    assert isinstance(consenting, s.Consenting)
    await reach_proof(stand, terminal, card)
    assert (await tell_tries(terminal)).state == "awaiting_text"
    stage = await terminal.take_card()
    assert (stage.state, stage.code) == ("refused", "card_removed")
    assert "基本4情報は渡していません" in stage.html
    assert consenting.result.identifier not in stage.html
    async with stand.server.store.read() as transaction:
        record = await transaction.sessions.load(terminal.id)
    assert record is not None
    assert consenting.result.identifier not in record.state


async def test_a_certificate_revoked_meanwhile_ends_the_visit(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await reach_consent(stand, terminal, card)
    stand.clock.advance(60)
    stand.responder.shape = AnswerShape(status="revoked")
    take_ticket(terminal, await terminal.send("consent_given"))
    await terminal.read_card(card)
    await stand.server.sessions.settle()
    stage = await terminal.send("extended")
    assert (stage.state, stage.code) == ("refused", "certificate_revoked")


async def test_a_receiver_that_is_gone_after_a_restart_is_named(tmp_path: Path) -> None:
    async with run_stand(tmp_path, systems=build_systems(), services=build_services()) as stand:
        terminal, card = await stand.opened(), stand.card()
        await reach_text(stand, terminal, card)
        stand.server.basic_four._receivers = {}  # the settings of another start
        assert (await hand_over(terminal, card)).state == "result"
        assert (await stand.read_result(terminal)).basic_four_code == "receiver_missing"


@pytest.mark.parametrize(
    ("profile", "name"), [("library", "basic_four_not_in_profile"), ("type2", "basic_four_not_in_profile")]
)
def test_a_service_of_another_profile_may_not_ask(tmp_path: Path, profile: str, name: str) -> None:
    facility, library, online = build_services()
    asking = {"library": library, "type2": online}[profile].model_copy(update={"basic_four": facility.basic_four})
    services = (facility, *(asking if it.id == asking.id else it for it in (library, online)))
    with pytest.raises(ValidationError, match=name):
        build_settings(tmp_path, build_root(2023), systems=build_systems(), services=services)


def test_a_service_asks_only_for_a_system_with_a_key(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="basic_four_without_receiver"):
        build_settings(tmp_path, build_root(2023), systems=DEMO_SYSTEMS, services=build_services())


async def test_a_service_that_asks_on_request_only_leaves_the_resident_alone(tmp_path: Path) -> None:
    services = build_services(on_request_only=True)
    async with run_stand(tmp_path, systems=build_systems(), services=services) as stand:
        terminal = await stand.opened()
        assert (await stand.identify(terminal, stand.card())).state == "result"


# --- on request -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def counter(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Counter]:
    silent = DEMO_SERVICES[0].model_copy(update={"id": "silent"})
    services = (*build_services(on_request_only=True), silent)
    async with run_stand(tmp_path, systems=build_systems(), services=services) as stand:
        terminal = await stand.opened("library-1")
        with stand.server.monitoring.attend(terminal.id):
            yield Counter(stand, terminal, await open_asker(stand))


async def reach_request(counter: Counter) -> tuple[str, Issued]:
    """A request for the items too, up to the consent."""
    answer = await counter.asker.ask(basic_four=True)
    assert answer.status_code == 201, answer.text
    card = counter.stand.card()
    assert "同意した場合だけ" in (await counter.look()).html
    assert (await counter.read(card)).state == "consenting"
    reading = str(answer.json()["id"])
    assert told(await counter.asker.show(reading)) == "waiting"
    return reading, card


async def test_a_request_gets_verdict_and_items_together_once(counter: Counter) -> None:
    reading, card = await reach_request(counter)
    await reach_proof(counter.stand, counter.terminal, card)
    await tell_tries(counter.terminal)
    assert (await hand_over(counter.terminal, card)).state == "basic_four_sent"
    answer = (await counter.asker.show(reading)).json()
    claims = await counter.asker.open_result(answer["result"])
    assert claims["basic_four"]["outcome"] == "sent"
    header, plain = unseal(claims["basic_four"]["sealed"])
    assert header["reference"] == claims["reference"]
    statement = json.loads(plain)
    assert statement["ppid"] == claims["ppid"]
    assert statement["basic_four"]["name"] == NAME
    assert (await counter.asker.acknowledge(answer["receipt"])).status_code == 204
    late = await counter.asker.api.post("sealed-readings", {"system": SYSTEM, "reference": claims["reference"]})
    assert late.status_code == 409  # it was in the result
    assert find_plain(counter.stand.data) == []


@pytest.mark.parametrize(
    ("event", "outcome"),
    [({"kind": "cancelled"}, "declined"), ({"kind": "card_changed", "card": "none"}, "declined")],
)
async def test_a_request_without_consent_still_gets_the_verdict(
    counter: Counter, event: dict[str, str], outcome: str
) -> None:
    reading, _ = await reach_request(counter)
    if event["kind"] == "cancelled":
        assert (await counter.terminal.send("cancelled")).state == "result"
    else:
        assert (await counter.terminal.take_card()).state == "choosing_service"
    claims = await counter.asker.open_result((await counter.asker.show(reading)).json()["result"])
    assert (claims["accepted"], claims["basic_four"]) == (True, {"outcome": outcome, "sealed": None})
    assert claims["ppid"]


async def test_a_request_whose_card_is_taken_meanwhile_gets_the_verdict(counter: Counter) -> None:
    reading, card = await reach_request(counter)
    await reach_proof(counter.stand, counter.terminal, card)
    await tell_tries(counter.terminal)
    stage = await counter.terminal.take_card()
    assert (stage.state, "結果がみほん市 施設予約システムに伝わります" in stage.html) == ("refused", True)
    claims = await counter.asker.open_result((await counter.asker.show(reading)).json()["result"])
    assert (claims["accepted"], claims["basic_four"]) == (True, {"outcome": "failed", "sealed": None})


async def test_a_request_whose_reading_failed_gets_the_verdict(counter: Counter) -> None:
    reading, card = await reach_request(counter)
    await reach_proof(counter.stand, counter.terminal, card)
    await tell_tries(counter.terminal)
    challenge = read_claims(counter.terminal.ticket)["jti"]
    await counter.terminal.send("bridge_failed", challenge=challenge, code="text_secret_wrong", tries_left=2)
    claims = await counter.asker.open_result((await counter.asker.show(reading)).json()["result"])
    assert (claims["accepted"], claims["basic_four"]["outcome"]) == (True, "failed")


async def test_a_request_that_runs_out_gets_the_verdict_and_the_resident_keeps_the_result(counter: Counter) -> None:
    reading, _ = await reach_request(counter)
    for _ in range(5):  # somebody reads the consent for seven minutes
        counter.stand.clock.advance(85)
        assert (await counter.terminal.send("extended")).state == "consenting"
    await counter.stand.server.upkeep.sweep()
    assert (await counter.stand.read_result(counter.terminal)).basic_four_code == "reading_expired"
    async with counter.stand.server.store.read() as transaction:
        kept = await transaction.asked_readings.find(reading, "counter")
    assert kept is not None
    assert kept.result is not None
    assert (kept.state, json.loads(kept.result)["basic_four"]) == ("done", "failed")


async def test_a_page_that_is_loaded_anew_leaves_the_verdict_to_the_system(counter: Counter) -> None:
    reading, _ = await reach_request(counter)
    await counter.terminal.open_page()
    claims = await counter.asker.open_result((await counter.asker.show(reading)).json()["result"])
    assert (claims["accepted"], claims["basic_four"]["outcome"]) == (True, "failed")


async def test_a_request_taken_back_meanwhile_is_told_nothing(counter: Counter) -> None:
    reading, card = await reach_request(counter)
    await reach_proof(counter.stand, counter.terminal, card)
    await tell_tries(counter.terminal)
    assert told(await counter.asker.cancel(reading)) == "cancelled"
    assert (await counter.stand.read_result(counter.terminal)).basic_four_code == "reading_withdrawn"
    assert "結果がみほん市 施設予約システムに伝わります" not in (await counter.look()).html
    late = await counter.terminal.send("basic_four_read", **build_basic_four(counter.terminal, card))
    assert late.state == "result"
    assert told(await counter.asker.show(reading)) == "cancelled"


async def test_only_a_service_that_asks_may_be_asked_for_it(counter: Counter) -> None:
    assert told(await counter.asker.ask(service="silent", basic_four=True)) == "basic_four_not_permitted"

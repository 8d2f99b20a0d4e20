"""A card at a reader of a municipal system: a challenge, the signature, the verdict."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sqlite3
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from kiosk_web.pki.plan import FetchFailure
from tests.support.api_client import (
    ORIGIN,
    OTHER_SYSTEM,
    SYSTEM,
    ApiClient,
    count,
    encode,
    problem,
    register,
    sign_as_card,
)
from tests.support.jpki import NOW, rsa_key
from tests.support.kiosk_server import Stand
from tests.support.ocsp_answers import AnswerShape

pytestmark = pytest.mark.anyio


async def test_the_bytes_are_those_of_the_wire(client: ApiClient) -> None:
    challenge = await client.challenge()
    names = ("method", "purpose", "origin", "terminal", "session", "service")
    parts = [challenge["fields"][name].encode() for name in names]
    parts += [base64.b64decode(challenge["fields"]["nonce"]), b"h" * 32, b"", b""]
    expected = b"kiosk-card/1\0" + b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    before, after = (base64.b64decode(challenge[name]) for name in ("message_before", "message_after"))
    assert before + b"h" * 32 + after == expected
    assert challenge["fields"]["terminal"] == "portal"
    assert challenge["fields"]["session"] == challenge["challenge"]
    assert challenge["fields"]["service"] == SYSTEM


async def test_the_same_person_has_the_same_ppid_at_the_counter_and_at_home(stand: Stand) -> None:
    """Type 1 and Type 2 of one cooperating system; another system has another PPID."""
    terminal = await stand.opened()
    card = stand.card(key=rsa_key("card"))
    await stand.typing(terminal, card)
    await terminal.submit_pin()
    shown = (await terminal.sign(card)).html
    client = await (await register(stand, systems=[SYSTEM, OTHER_SYSTEM])).sign_in()
    at_home = await client.validate(card, SYSTEM)
    elsewhere = await client.validate(card, OTHER_SYSTEM)
    again = await client.validate(card, OTHER_SYSTEM)
    assert at_home["accepted"] is True
    groups = [at_home["ppid"][start : start + 4] for start in range(0, 24, 4)]
    assert [group for group in groups if group not in shown] == []
    assert elsewhere["ppid"] != at_home["ppid"]
    assert again["ppid"] == elsewhere["ppid"]
    assert await count(stand, "persons") == 1


async def test_a_good_answer_says_what_it_rests_on(stand: Stand, client: ApiClient) -> None:
    verdict = await client.validate(stand.card())
    assert (verdict["outcome"], verdict["reason"], verdict["expires_soon"]) == ("good", None, False)
    evidence = verdict["evidence"]
    assert (evidence["method"], evidence["fallback"]) == ("ocsp", None)
    assert evidence["this_update"] == "2026-11-23T02:57:00.000Z"
    assert len(evidence["sha256"]) == 64
    async with stand.server.store.read() as transaction:
        rows = (await transaction.connection.execute(text("SELECT * FROM remote_visits"))).mappings().all()
    assert [(row["reference"], row["outcome"], row["status_method"]) for row in rows] == [
        (verdict["reference"], "accepted", "ocsp")
    ]


REFUSALS: dict[str, tuple[dict[str, Any], AnswerShape | FetchFailure | None, str, str | None]] = {
    "revoked": ({}, AnswerShape(status="revoked"), "revoked", None),
    "unknown": ({}, AnswerShape(status="unknown"), "unknown", None),
    "no answer": ({}, FetchFailure("timeout"), "unavailable", "timeout"),
    "expired": ({"not_after": NOW - timedelta(days=1)}, None, "expired", None),
    "not yet valid": ({"not_before": NOW + timedelta(days=1)}, None, "not_yet_valid", None),
    "another kind": ({"policy": "1.2.392.200149.8.5.1.1.20"}, None, "wrong_kind", None),
    "another authority": ({"signing_key": rsa_key("stranger")}, None, "untrusted", None),
}


@pytest.mark.parametrize(("changes", "said", "outcome", "reason"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_has_its_word_and_no_ppid(
    stand: Stand,
    client: ApiClient,
    changes: dict[str, Any],
    said: AnswerShape | FetchFailure | None,
    outcome: str,
    reason: str | None,
) -> None:
    if isinstance(said, FetchFailure):
        stand.responder.failure = said
    elif said is not None:
        stand.responder.shape = said
    verdict = await client.validate(stand.card(**changes))
    assert (verdict["accepted"], verdict["outcome"], verdict["ppid"]) == (False, outcome, None)
    assert reason is None or verdict["reason"] == reason
    assert (await count(stand, "persons"), await count(stand, "pairwise_ids")) == (0, 0)
    assert stand.responder.questions == (0 if said is None else 1)


async def test_without_the_cards_signature_nothing_is_asked_and_nobody_is_looked_up(
    stand: Stand, client: ApiClient
) -> None:
    """A copied certificate: its holder was here before, and the answer does not show it."""
    card = stand.card()
    assert (await client.validate(card))["accepted"]
    asked, marks = stand.responder.questions, await count(stand, "high_water_marks")
    wrong = {
        "another key's": encode(sign_as_card(stand.card(key=rsa_key("thief")), b"x")),
        "over other bytes": encode(sign_as_card(card, b"another challenge")),
        "garbage": encode(b"\0" * 256),
        "short": encode(b"x"),
    }
    for signature in wrong.values():
        verdict = await client.validate(card, signature=signature)
        assert verdict == verdict | {
            "accepted": False, "outcome": "signature_invalid", "reason": None, "ppid": None, "expires_soon": None,
            "evidence": None,
        }  # fmt: skip
    assert stand.responder.questions == asked
    assert await count(stand, "high_water_marks") == marks


async def test_bytes_that_are_no_certificate_are_malformed(client: ApiClient) -> None:
    for junk in (b"\x30\x00\x00", b"no certificate", b"\x30\x82\xff\xff" + b"x" * 100):
        challenge = await client.challenge()
        body = {"challenge": challenge["challenge"], "certificate": encode(junk), "signature": encode(b"s" * 256)}
        answer = await client.post("validations", body)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "malformed")


async def test_a_challenge_is_good_for_one_signature_however_many_come_at_once(stand: Stand, client: ApiClient) -> None:
    challenge = await client.challenge()
    body = client.build_validation(challenge, stand.card())
    answers = await asyncio.gather(*(client.post("validations", body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert {problem(answer) for answer in answers if answer.status_code == 409} == {(409, "challenge_not_usable")}
    assert await count(stand, "remote_visits") == 1


async def test_nothing_is_answered_that_is_not_on_the_disk(stand: Stand, client: ApiClient) -> None:
    """The commit that uses the challenge up fails, because of somebody who shares it."""
    body = client.build_validation(await client.challenge(), stand.card())

    async def write_what_cannot_be_committed() -> None:
        async with stand.server.store.write() as transaction:
            await transaction.connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            await transaction.persons.add_certificate("nobody", b"issuer", 7, NOW)

    stand.responder.gate.clear()
    asking = asyncio.create_task(client.post("validations", body))
    breaking = asyncio.create_task(write_what_cannot_be_committed())
    await stand.responder.asked.wait()
    with pytest.raises(sqlite3.IntegrityError):
        await breaking
    stand.responder.gate.set()
    assert problem(await asking) == (500, "internal")
    assert [await count(stand, table) for table in ("persons", "remote_visits")] == [0, 0]
    assert (await client.post("validations", body)).json()["accepted"] is True
    assert await count(stand, "remote_visits") == 1


async def test_a_wrong_signature_uses_the_challenge_up_too(stand: Stand, client: ApiClient) -> None:
    challenge = await client.challenge()
    right = client.build_validation(challenge, stand.card())
    wrong = await client.post("validations", {**right, "signature": encode(b"x" * 256)})
    assert wrong.json()["outcome"] == "signature_invalid"
    assert problem(await client.post("validations", right)) == (409, "challenge_not_usable")


async def test_unknown_foreign_used_and_old_challenges_answer_alike(stand: Stand, client: ApiClient) -> None:
    other = await (await register(stand, "other")).sign_in()
    card = stand.card()
    foreign, used, old = await other.challenge(), await client.challenge(), await client.challenge()
    assert (await client.post("validations", client.build_validation(used, card))).status_code == 200
    answers = [await client.post("validations", client.build_validation(one, card)) for one in (foreign, used)]
    unknown = {**foreign, "challenge": "A" * 22}
    answers.append(await client.post("validations", client.build_validation(unknown, card)))
    stand.clock.advance(181)
    answers.append(await client.post("validations", client.build_validation(old, card)))
    bodies = [{name: value for name, value in answer.json().items() if name != "instance"} for answer in answers]
    assert [problem(answer) for answer in answers] == [(409, "challenge_not_usable")] * 4
    assert all(body == bodies[0] for body in bodies)
    stand.clock.advance(-181)
    assert (await other.post("validations", other.build_validation(foreign, card))).json()["accepted"]


async def test_a_challenge_is_of_no_use_once_its_system_is_not_the_clients_any_more(
    stand: Stand, client: ApiClient
) -> None:
    challenge = await client.challenge()
    async with stand.server.store.write() as transaction:
        await transaction.connection.execute(text("UPDATE api_clients SET systems = :other"), {"other": OTHER_SYSTEM})
    answer = await client.post("validations", client.build_validation(challenge, stand.card()))
    assert problem(answer) == (409, "challenge_not_usable")
    assert (stand.responder.questions, await count(stand, "persons")) == (0, 0)


async def test_only_a_revocation_or_a_hold_asks_for_the_pin_at_the_next_tap(stand: Stand, client: ApiClient) -> None:
    assert (await client.validate(stand.card()))["accepted"]
    stand.responder.failure = FetchFailure("timeout")
    assert (await client.validate(stand.card()))["outcome"] == "unavailable"
    assert await count(stand, "persons WHERE check_again") == 0
    stand.responder.failure = None
    stand.responder.shape = AnswerShape(status="revoked")
    assert (await client.validate(stand.card()))["outcome"] == "revoked"
    assert await count(stand, "persons WHERE check_again") == 1


async def test_a_signature_for_one_challenge_is_none_for_another(stand: Stand, client: ApiClient) -> None:
    """Same client, same card, another system or just another nonce."""
    card = stand.card()
    one, two = await client.challenge(), await client.challenge()
    crossed = {**client.build_validation(one, card), "challenge": two["challenge"]}
    answer = await client.post("validations", crossed)
    assert answer.json()["outcome"] == "signature_invalid"


async def test_the_method_is_one_that_the_client_may_use(stand: Stand) -> None:
    client = await (await register(stand, methods=["crl"])).sign_in()
    by_list = await client.validate(stand.card())
    assert (by_list["outcome"], by_list["reason"], stand.responder.questions) == ("unavailable", "no_list", 0)
    challenge = await client.challenge()
    body = client.build_validation(challenge, stand.card(), policy="ocsp")
    assert problem(await client.post("validations", body)) == (403, "method_not_permitted")
    del body["policy"]
    assert (await client.post("validations", body)).status_code == 200  # it lost nothing


async def test_kazashi_is_refused_by_name(client: ApiClient) -> None:
    answer = await client.post("challenges", {"system": SYSTEM, "origin": ORIGIN, "method": "kazashi"})
    assert problem(answer) == (403, "kazashi_not_offered")


MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"system",
    "a list": b"[]",
    "a number": b"7",
    "a name twice": b'{"system":"facility-booking","system":"health-points","origin":"https://a.example"}',
    "a field too many": b'{"system":"facility-booking","origin":"https://a.example","ppid":"x"}',
    "a field missing": b'{"system":"facility-booking"}',
    "a number as text": b'{"system":7,"origin":"https://a.example"}',
    "NaN": b'{"system":NaN,"origin":"https://a.example"}',
    "half a character": b'{"system":"facility-booking","origin":"https://\\ud800"}',
    "deep": b"[" * 60_000,
    "not UTF-8": b'{"system":"\xff"}',
    "UTF-16": json.dumps({"system": SYSTEM, "origin": ORIGIN}).encode("utf-16"),
    "another purpose": b'{"system":"facility-booking","origin":"https://a.example","purpose":"enrol"}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_body_is_refused_without_being_repeated(client: ApiClient, body: bytes) -> None:
    answer = await client.post("challenges", body)
    assert problem(answer) == (400, "malformed_request")
    assert "ppid" not in answer.text
    assert "a.example" not in answer.text


async def test_a_large_body_and_another_media_type_are_refused(client: ApiClient) -> None:
    assert problem(await client.post("validations", b" " * 65_537)) == (413, "body_too_large")
    answer = await client.post("validations", b"{}", Content_Type="text/plain")
    assert problem(answer) == (415, "media_type_refused")
    assert problem(await client.post("challenges?a=b", b"{}")) == (400, "malformed_request")


async def test_no_certificate_is_kept(stand: Stand, client: ApiClient) -> None:
    card = stand.card()
    assert (await client.validate(card))["accepted"]
    files = [path.read_bytes() for path in stand.data.rglob("*") if path.is_file()]
    assert not [data for data in files if card.der in data or hashlib.sha256(card.der).digest() in data]

"""The server builds exactly the bytes of `docs/wire.md` 4 and 7. The bridge is held to the same file."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.strict_json import decode_base64url as raw
from kiosk_web.identity.basic_four import BasicFour
from kiosk_web.pki.signature import build_card_message
from kiosk_web.pki.terminal import (
    build_basic_four_evidence_bytes,
    build_certificate_evidence_bytes,
    build_enrolment_evidence_bytes,
    build_result_evidence_bytes,
    build_welcome_bytes,
    judge_ed25519,
)
from kiosk_web.services.links.output_ticket import OUTPUT_TYPE, build_output_claims, can_hand_over
from kiosk_web.services.readings.basic_four import read_items
from tests.contract.vectors.make_vectors import FILE

VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="ascii"))
EVIDENCE = VECTORS["evidence"]
TERMINAL_KEY = raw(VECTORS["keys"]["terminal"]["public"])


@pytest.mark.parametrize("vector", VECTORS["card"], ids=lambda vector: vector["name"])
def test_the_message_whose_digest_the_card_signs(vector: dict[str, str]) -> None:
    message = build_card_message(
        method=vector["method"],
        purpose=vector["purpose"],
        origin=VECTORS["origin"],
        terminal=VECTORS["terminal"],
        session=vector["session"],
        service=vector["service"],
        nonce=raw(vector["nonce"]),
        certificate_sha256=hashlib.sha256(raw(vector["certificate"])).digest(),
        consent=raw(vector["consent"]),
        lease=vector["lease"],
    )
    assert message == raw(vector["bytes"])
    assert hashlib.sha256(message).digest() == raw(vector["digest"])


def test_the_welcome_of_a_bridge_verifies() -> None:
    welcome = build_welcome_bytes(
        ticket=VECTORS["tickets"]["hello"],
        terminal=VECTORS["terminal"],
        origin=VECTORS["origin"],
        address=VECTORS["address"],
        bridge_nonce=raw(VECTORS["welcome"]["bridge_nonce"]),
        page_key=raw(VECTORS["keys"]["page"]["public"]),
        bridge_key=raw(VECTORS["keys"]["bridge"]["public"]),
    )
    assert welcome == raw(VECTORS["welcome"]["bytes"])
    assert judge_ed25519(TERMINAL_KEY, welcome, raw(VECTORS["welcome"]["signature"]))


def test_the_countersignature_of_a_certificate_verifies() -> None:
    signed = build_certificate_evidence_bytes(
        ticket=EVIDENCE["ticket"],
        certificate_sha256=hashlib.sha256(raw(EVIDENCE["certificate"])).digest(),
        method=EVIDENCE["method"],
        tries_left=EVIDENCE["tries_left"],
        counter=EVIDENCE["certificate_counter"],
    )
    assert signed == raw(EVIDENCE["certificate_bytes"])
    assert judge_ed25519(TERMINAL_KEY, signed, raw(EVIDENCE["certificate_signature"]))
    assert not judge_ed25519(TERMINAL_KEY, signed, raw(EVIDENCE["result_signature"]))


def test_the_countersignature_of_a_result_verifies() -> None:
    signed = build_result_evidence_bytes(
        ticket=EVIDENCE["ticket"],
        certificate_sha256=hashlib.sha256(raw(EVIDENCE["certificate"])).digest(),
        method=EVIDENCE["method"],
        card_signature=raw(EVIDENCE["card_signature"]),
        counter=EVIDENCE["result_counter"],
    )
    assert signed == raw(EVIDENCE["result_bytes"])
    assert judge_ed25519(TERMINAL_KEY, signed, raw(EVIDENCE["result_signature"]))


def test_the_countersignature_of_an_enrolment_verifies() -> None:
    signed = build_enrolment_evidence_bytes(
        ticket=EVIDENCE["ticket"],
        certificate_sha256=hashlib.sha256(raw(EVIDENCE["certificate"])).digest(),
        method="kazashi",
        card_signature=raw(EVIDENCE["card_signature"]),
        record=raw(EVIDENCE["record"]),
        issuer=raw(EVIDENCE["issuer"]),
        counter=EVIDENCE["enrolment_counter"],
    )
    assert signed == raw(EVIDENCE["enrolment_bytes"])
    assert judge_ed25519(TERMINAL_KEY, signed, raw(EVIDENCE["enrolment_signature"]))


def test_the_countersignature_of_the_basic_four_verifies_and_they_are_read() -> None:
    signed = build_basic_four_evidence_bytes(
        ticket=EVIDENCE["ticket"],
        certificate_sha256=hashlib.sha256(raw(EVIDENCE["certificate"])).digest(),
        method="pin",
        items=raw(EVIDENCE["items"]),
        counter=EVIDENCE["basic_four_counter"],
    )
    assert signed == raw(EVIDENCE["basic_four_bytes"])
    assert judge_ed25519(TERMINAL_KEY, signed, raw(EVIDENCE["basic_four_signature"]))
    assert read_items(raw(EVIDENCE["items"])) == BasicFour("𠮷野\u3000髙子", "みほん市●", "19800217", "2")


def test_the_output_ticket_is_the_one_that_the_bridge_is_held_to() -> None:
    claims = VECTORS["tickets"]["output_claims"]
    built = build_output_claims(
        jti=claims["jti"],
        terminal=VECTORS["terminal"],
        origin=VECTORS["origin"],
        session=claims["session"],
        card=claims["card"],
        kind=claims["kind"],
        number=claims["number"],
        now=datetime.fromtimestamp(claims["iat"] + 0.9, UTC),
    )
    assert built == claims
    header, payload, _signature = VECTORS["tickets"]["output"].split(".")
    assert json.loads(raw(header))["typ"] == OUTPUT_TYPE
    assert json.loads(raw(payload)) == built


@pytest.mark.parametrize("number", ["", "12a", "1-2", "1" * 33, "１２"])
def test_a_number_that_no_bridge_would_type_gets_no_ticket(number: str) -> None:
    assert not can_hand_over(number)
    with pytest.raises(ValueError, match="not a number that may be handed over"):
        build_output_claims(
            jti="j",
            terminal="t",
            origin="o",
            session="s",
            card="c",
            kind="serial",
            number=number,
            now=datetime.now(UTC),
        )

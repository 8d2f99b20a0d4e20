"""The bridge builds and opens exactly the bytes of `docs/wire.md`. The server is held to the same file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bridge import evidence
from bridge.basic_four import build_items
from bridge.card.text import BasicFour
from bridge.enrolment import build_request, judge_answer, parse_code
from bridge.pinbox import PinBox
from bridge.strict_json import decode_base64url as raw
from bridge.strict_json import encode_base64url
from bridge.ticket import judge_challenge, judge_hello, judge_key_statement, judge_output
from tests.contract.vectors.make_vectors import FILE, build_text

VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="ascii"))
KEYS = {name: {half: raw(text) for half, text in pair.items()} for name, pair in VECTORS["keys"].items()}
EVIDENCE = VECTORS["evidence"]


def test_the_file_is_what_the_generator_makes() -> None:
    assert FILE.read_text(encoding="ascii") == build_text()


def test_welcome_bytes() -> None:
    welcome = evidence.build_welcome(
        ticket=VECTORS["tickets"]["hello"],
        terminal=VECTORS["terminal"],
        origin=VECTORS["origin"],
        address=VECTORS["address"],
        bridge_nonce=raw(VECTORS["welcome"]["bridge_nonce"]),
        page_key=KEYS["page"]["public"],
        bridge_key=KEYS["bridge"]["public"],
    )
    assert encode_base64url(welcome) == VECTORS["welcome"]["bytes"]
    assert _sign(welcome) == VECTORS["welcome"]["signature"]


def test_the_tickets_are_accepted_with_every_claim_understood() -> None:
    tickets, identity_key = VECTORS["tickets"], Ed25519PublicKey.from_public_bytes(KEYS["identity"]["public"])
    assert (
        judge_key_statement(tickets["statement"], identity_key).public_key.public_bytes_raw()
        == KEYS["ticket"]["public"]
    )
    hello = judge_hello(
        tickets["hello"],
        [tickets["statement"]],
        identity_key=identity_key,
        terminal=VECTORS["terminal"],
        origin=VECTORS["origin"],
        address=VECTORS["address"],
        bridge_nonce=raw(VECTORS["welcome"]["bridge_nonce"]),
        page_key=KEYS["page"]["public"],
    )
    assert (hello.jti, hello.issued_at) == (tickets["hello_claims"]["jti"], VECTORS["now"])
    challenge = judge_challenge(
        tickets["challenge"],
        hello.keys,
        terminal=VECTORS["terminal"],
        origin=VECTORS["origin"],
        now=VECTORS["now"] + 30,
    )
    output = judge_output(
        tickets["output"],
        hello.keys,
        terminal=VECTORS["terminal"],
        origin=VECTORS["origin"],
        now=tickets["output_claims"]["iat"] + 5,
    )
    for name in ("jti", "session", "card", "kind", "number"):
        assert getattr(output, name) == tickets["output_claims"][name]
    claims = tickets["challenge_claims"]
    for name in ("jti", "session", "service", "purpose", "method", "lease", "card"):
        assert getattr(challenge, name) == claims[name]
    assert (challenge.nonce, challenge.consent) == (raw(claims["nonce"]), raw(claims["consent"]))
    assert challenge.expires == claims["exp"]


@pytest.mark.parametrize("vector", VECTORS["card"], ids=lambda vector: vector["name"])
def test_the_digest_that_the_card_signs(vector: dict[str, str]) -> None:
    digest = evidence.build_card_digest(
        method=vector["method"],
        purpose=vector["purpose"],
        origin=VECTORS["origin"],
        terminal=VECTORS["terminal"],
        session=vector["session"],
        service=vector["service"],
        nonce=raw(vector["nonce"]),
        certificate=raw(vector["certificate"]),
        consent=raw(vector["consent"]),
        lease=vector["lease"],
    )
    assert encode_base64url(digest) == vector["digest"]


def test_the_countersignature_of_a_certificate() -> None:
    signed = evidence.build_certificate_evidence(
        ticket=EVIDENCE["ticket"],
        certificate=raw(EVIDENCE["certificate"]),
        method=EVIDENCE["method"],
        tries_left=EVIDENCE["tries_left"],
        counter=EVIDENCE["certificate_counter"],
    )
    assert encode_base64url(signed) == EVIDENCE["certificate_bytes"]
    assert _sign(signed) == EVIDENCE["certificate_signature"]


def test_the_countersignature_of_a_result() -> None:
    signed = evidence.build_result_evidence(
        ticket=EVIDENCE["ticket"],
        certificate=raw(EVIDENCE["certificate"]),
        method=EVIDENCE["method"],
        card_signature=raw(EVIDENCE["card_signature"]),
        counter=EVIDENCE["result_counter"],
    )
    assert encode_base64url(signed) == EVIDENCE["result_bytes"]
    assert _sign(signed) == EVIDENCE["result_signature"]


def test_the_countersignature_of_an_enrolment() -> None:
    signed = evidence.build_enrolment_evidence(
        ticket=EVIDENCE["ticket"],
        certificate=raw(EVIDENCE["certificate"]),
        method="kazashi",
        card_signature=raw(EVIDENCE["card_signature"]),
        record=raw(EVIDENCE["record"]),
        issuer=raw(EVIDENCE["issuer"]),
        counter=EVIDENCE["enrolment_counter"],
    )
    assert encode_base64url(signed) == EVIDENCE["enrolment_bytes"]
    assert _sign(signed) == EVIDENCE["enrolment_signature"]


def test_the_countersignature_of_the_basic_four_and_the_box_they_travel_in() -> None:
    items = raw(EVIDENCE["items"])
    assert build_items(BasicFour("𠮷野\u3000髙子", "みほん市●", "19800217", "2")) == items
    signed = evidence.build_basic_four_evidence(
        ticket=EVIDENCE["ticket"],
        certificate=raw(EVIDENCE["certificate"]),
        method="pin",
        items=items,
        counter=EVIDENCE["basic_four_counter"],
    )
    assert encode_base64url(signed) == EVIDENCE["basic_four_bytes"]
    assert _sign(signed) == EVIDENCE["basic_four_signature"]
    box = PinBox(
        X25519PrivateKey.from_private_bytes(KEYS["bridge"]["private"]),
        KEYS["page"]["public"],
        raw(VECTORS["welcome"]["bytes"]),
    )
    sealed = box.seal_items(items, challenge=EVIDENCE["basic_four_challenge"], counter=EVIDENCE["basic_four_counter"])
    assert encode_base64url(sealed) == EVIDENCE["sealed_items"]


def test_the_pin_box_opens() -> None:
    vector = VECTORS["pin"]
    box = PinBox(
        X25519PrivateKey.from_private_bytes(KEYS["bridge"]["private"]),
        KEYS["page"]["public"],
        raw(VECTORS["welcome"]["bytes"]),
    )
    pin = box.open_pin(
        raw(vector["iv"]), raw(vector["data"]), challenge=vector["challenge"], card=vector["card"], seq=vector["seq"]
    )
    assert pin.reveal() == vector["pin"].encode()


def test_enrolment_asks_and_believes_what_the_document_says() -> None:
    vector = VECTORS["enrolment"]
    code = parse_code(vector["code"])
    key = Ed25519PrivateKey.from_private_bytes(KEYS["terminal"]["private"])
    request = json.loads(build_request(code, KEYS["terminal"]["public"]))
    assert request == {
        "v": 1,
        "code_id": vector["code_id"],
        "public_key": VECTORS["keys"]["terminal"]["public"],
        "proof": vector["proof"],
    }
    answer = {
        "v": 1,
        "terminal": VECTORS["terminal"],
        "origin": VECTORS["origin"],
        "identity_key": VECTORS["keys"]["identity"]["public"],
        "confirmation": vector["confirmation"],
    }
    terminal = judge_answer(json.dumps(answer).encode(), code, key)
    assert (terminal.id, terminal.origin) == (VECTORS["terminal"], VECTORS["origin"])


def _sign(value: bytes) -> str:
    return encode_base64url(Ed25519PrivateKey.from_private_bytes(KEYS["terminal"]["private"]).sign(value))

"""The published vectors of the API are what the server asks a card to sign, to the last octet."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from kiosk_web.services.api.answers import build_remote_message
from kiosk_web.services.ports.remote import RemoteChallengeRecord
from kiosk_web.web.api.validation_handlers import build_challenge_answer
from tests.contract.vectors.make_api_vectors import FILE, build_text
from tests.support.jpki import NOW

VECTORS = json.loads(FILE.read_text(encoding="ascii"))["vectors"]


def test_the_file_is_what_its_script_makes() -> None:
    assert FILE.read_text(encoding="ascii") == build_text()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_server_builds_the_same_bytes(vector: dict[str, Any]) -> None:
    said = vector["fields"]
    challenge = RemoteChallengeRecord(
        id=said["session"],
        client=said["terminal"],
        system=said["service"],
        origin=said["origin"],
        purpose=said["purpose"],
        nonce=base64.b64decode(said["nonce"]),
        reference="7KQP-29XA",
        issued_at=NOW,
        expires_at=NOW,
    )
    certificate_sha256 = hashlib.sha256(base64.b64decode(vector["certificate"])).digest()
    assert build_remote_message(challenge, certificate_sha256) == base64.b64decode(vector["message"])
    answer = build_challenge_answer(challenge)
    assert answer.fields.model_dump() == said
    assert (answer.message_before, answer.message_after) == (vector["message_before"], vector["message_after"])

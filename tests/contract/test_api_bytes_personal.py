"""The bytes of the API's published vectors are what a resident's own bridge has the card sign."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bridge.personal.messages import Identify, parse_personal_message
from bridge.personal.request import build_challenge
from bridge.procedure import build_digest

VECTORS = json.loads((Path(__file__).parent / "vectors/api_bytes.json").read_text(encoding="ascii"))["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_bridge_builds_the_same_bytes(vector: dict[str, Any]) -> None:
    said = {"v": 1, "type": "identify", "fields": vector["fields"], "expires_in": 180}
    request = parse_personal_message(json.dumps(said))
    assert isinstance(request, Identify)
    challenge = build_challenge(request, vector["fields"]["origin"], "card")
    digest = build_digest(challenge, base64.b64decode(vector["certificate"]))
    assert digest == base64.b64decode(vector["digest"])

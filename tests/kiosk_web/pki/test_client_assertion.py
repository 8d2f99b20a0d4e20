"""The assertion by which a client proves itself: the algorithm is the key's, the claims are judged by our time."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import import_key

from kiosk_web.pki.client_assertion import Assertion, RefusedAssertion, Unproven, judge_assertion, read_claimed_client
from kiosk_web.pki.client_keys import ClientKey, read_client_key
from tests.kiosk_web.pki.test_client_keys import KEYS, public_pem
from tests.support.jpki import NOW, rsa_key

AUDIENCE = "https://kiosk.example/api/v1/token"
CLIENT = "portal"
START = int(NOW.timestamp())
KEY = KEYS["EdDSA"]


def registered(key: Any) -> ClientKey:
    return read_client_key(public_pem(key))


def claims(**changes: Any) -> dict[str, Any]:
    usual = {"iss": CLIENT, "sub": CLIENT, "aud": AUDIENCE, "exp": START + 60, "iat": START, "jti": "one"}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def sign(key: Any = KEY, algorithm: str = "EdDSA", headers: dict[str, Any] | None = None, **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def judge(compact: str, *keys: Any, late: float = 0) -> Assertion | Unproven | RefusedAssertion:
    known = [registered(key) for key in keys or (KEY,)]
    return judge_assertion(compact, CLIENT, known, AUDIENCE, NOW + timedelta(seconds=late))


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # RFC 9864 names the curve instead
@pytest.mark.parametrize("algorithm", KEYS)
def test_what_another_library_signs_is_right(algorithm: str) -> None:
    key = KEYS[algorithm]
    kind = {"EdDSA": "OKP", "ES256": "EC", "PS256": "RSA"}[algorithm]
    compact = private_key_jwt_sign(
        import_key(dump(key), kind),
        CLIENT,
        AUDIENCE,
        alg=algorithm,
        issued_at=START,
        expires_in=60,
    )
    assert read_claimed_client(compact) == CLIENT
    judged = judge(compact, key)
    assert isinstance(judged, Assertion)
    assert (judged.client, judged.key_id, judged.expires_at) == (
        CLIENT,
        registered(key).id,
        NOW + timedelta(seconds=60),
    )
    assert len(judged.jti) >= 16


def dump(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def test_each_of_several_keys_counts_and_is_named() -> None:
    other = Ed25519PrivateKey.generate()
    judged = judge(sign(other), KEY, other)
    assert isinstance(judged, Assertion)
    assert judged.key_id == registered(other).id


def forge(header: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims()).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


UNPROVEN = {
    "another key": sign(Ed25519PrivateKey.generate()),
    "no algorithm": forge({"alg": "none"}),
    "the public key as a password": jwt.PyJWS().encode(
        json.dumps(claims()).encode(), b"a password of at least thirty-two octets", algorithm="HS256"
    ),
    "no signature": forge({"alg": "EdDSA"}),
    "a key in the header": sign(headers={"jwk": {"kty": "OKP"}}),
    "an address of keys": sign(headers={"jku": "https://evil.example/keys"}),
    "something critical": sign(headers={"crit": ["exp"], "exp": 1}),
    "cut off": sign()[:-4],
    "two parts": sign().rpartition(".")[0],
    "text": "nothing.of.this",
    "beyond ASCII": "図.書.館",
}


@pytest.mark.parametrize("compact", UNPROVEN.values(), ids=UNPROVEN)
def test_what_the_client_did_not_sign_proves_nothing(compact: str) -> None:
    assert judge(compact) == Unproven()


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS384", "PS512"])
def test_an_rsa_key_signs_with_ps256_and_nothing_else(algorithm: str) -> None:
    assert judge(sign(rsa_key("client"), algorithm), rsa_key("client")) == Unproven()
    assert isinstance(judge(sign(rsa_key("client"), "PS256"), rsa_key("client")), Assertion)


REFUSED = {
    "another issuer": ({"iss": "other"}, "claims"),
    "another subject": ({"sub": "other"}, "claims"),
    "no issuer": ({"iss": None}, "claims"),
    "no end": ({"exp": None}, "claims"),
    "an end in words": ({"exp": "soon"}, "claims"),
    "an end that is true": ({"exp": True}, "claims"),
    "an end beyond all calendars": ({"exp": 1 << 60}, "claims"),
    "a negative end": ({"exp": -1}, "claims"),
    "a beginning in words": ({"iat": "now"}, "claims"),
    "another audience": ({"aud": "https://evil.example/token"}, "audience"),
    "two audiences": ({"aud": [AUDIENCE, "https://evil.example"]}, "audience"),
    "a part of the audience": ({"aud": "https://kiosk.example"}, "audience"),
    "no audience": ({"aud": None}, "audience"),
    "over": ({"exp": START}, "expired"),
    "an hour": ({"exp": START + 3600}, "too_long"),
    "a second too long": ({"exp": START + 61}, "too_long"),
    "issued tomorrow": ({"iat": START + 86400}, "not_yet_valid"),
    "not yet": ({"nbf": START + 6}, "not_yet_valid"),
    "no jti": ({"jti": None}, "jti"),
    "an empty jti": ({"jti": ""}, "jti"),
    "a number as jti": ({"jti": 7}, "jti"),
    "a long jti": ({"jti": "j" * 129}, "jti"),
}


@pytest.mark.parametrize(("changes", "why"), REFUSED.values(), ids=REFUSED)
def test_a_signed_assertion_is_refused_by_the_claim_that_is_wrong(changes: dict[str, Any], why: str) -> None:
    payload = json.dumps(claims(**changes)).encode()
    compact = jwt.PyJWS().encode(payload, KEY, algorithm="EdDSA", headers={"typ": "JWT"})
    assert judge(compact) == RefusedAssertion(why)  # type: ignore[arg-type]  # one of the words


def test_a_header_in_which_a_name_stands_twice_proves_nothing() -> None:
    """What we read of it and what the library reads need not be the same."""
    header = b'{"alg": "EdDSA", "jku": "https://evil.example/keys", "alg": "EdDSA"}'
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, json.dumps(claims()).encode()))
    signature = base64.urlsafe_b64encode(KEY.sign(signed)).rstrip(b"=")
    assert judge((signed + b"." + signature).decode()) == Unproven()


def test_the_time_is_ours_and_not_the_computers() -> None:
    assert isinstance(judge(sign()), Assertion)
    assert judge(sign(), late=60) == RefusedAssertion("expired")
    assert judge(sign(), late=-1) == RefusedAssertion("too_long")


def test_a_list_with_one_audience_and_a_fraction_of_a_second_are_usual() -> None:
    assert isinstance(judge(sign(aud=[AUDIENCE], exp=START + 59.5, iat=START - 0.5)), Assertion)


def test_a_claim_that_stands_twice_counts_for_nothing() -> None:
    text = json.dumps(claims())[:-1] + ', "aud": "https://kiosk.example/api/v1/token"}'
    compact = jwt.PyJWS().encode(text.encode(), KEY, algorithm="EdDSA")
    assert judge(compact) == RefusedAssertion("claims")
    assert read_claimed_client(compact) is None


@pytest.mark.parametrize("compact", ["", "a.b", "a.b.c.d", "a." + "b" * 9000 + ".c", forge({}).replace(".", "..", 1)])
def test_what_is_no_assertion_names_nobody(compact: str) -> None:
    assert read_claimed_client(compact) is None

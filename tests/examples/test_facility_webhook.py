"""The booking system takes a reading from its kiosk and from nobody else, once, and says what it does not take."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import http.server
import json
import string
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc import jwe
from joserfc.jwk import ECKey

from examples.facility.__main__ import Server
from examples.facility.webhook import PublishedKeys, WebhookGate, WebhookRefused

SYSTEM = "facility-booking"
ITEMS = {"name": "𠮷野　髙子", "address": "千葉県みほん市﨑浜一丁目", "birth": "19461011", "sex": "2"}
BODY = b"sealed"


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Kiosk:
    """Plays the signer: its key, and the JWK set that it publishes."""

    def __init__(self, kid: str = "one") -> None:
        self.key = Ed25519PrivateKey.generate()
        self.kid = kid
        self.fetched = 0
        self.down = False

    def publish(self) -> dict[str, Any]:
        self.fetched += 1
        raw = self.key.public_key().public_bytes_raw()
        return {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": self.kid, "x": encode(raw)}]}

    def sign(self, body: bytes = BODY, *, at: int | None = None, typ: str = "kiosk-webhook+jwt", **changes: Any) -> str:
        now = int(time.time()) if at is None else at
        digest = hashlib.sha256(body).hexdigest()
        claims = {"iss": "kiosk", "aud": SYSTEM, "jti": "r1", "iat": now, "exp": now + 60, "body_sha256": digest}
        said = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(said, self.key, algorithm="EdDSA", headers={"kid": self.kid, "typ": typ})


@dataclass
class Clock:
    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@contextmanager
def publishing(kiosk: Kiosk) -> Iterator[str]:
    """A real server with the kiosk's keys, and nothing else."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(HTTPStatus.SERVICE_UNAVAILABLE if kiosk.down else HTTPStatus.OK)
            self.end_headers()
            if not kiosk.down and self.path == "/api/v1/keys":
                self.wfile.write(json.dumps(kiosk.publish()).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the standard library
            """Nothing is logged."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def kiosk() -> Kiosk:
    return Kiosk()


@pytest.fixture
def address(kiosk: Kiosk) -> Iterator[str]:
    with publishing(kiosk) as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(address: str, clock: Clock) -> WebhookGate:
    return WebhookGate(PublishedKeys(address, clock), SYSTEM, clock)


def refusal(gate: WebhookGate, signature: str | None, body: bytes = BODY) -> str:
    with pytest.raises(WebhookRefused) as caught:
        gate.admit(signature, body)
    return caught.value.code


def test_what_the_kiosk_signed_just_now_is_admitted_once(gate: WebhookGate, kiosk: Kiosk, clock: Clock) -> None:
    signature = kiosk.sign()
    assert gate.admit(signature, BODY) == "r1"
    assert refusal(gate, signature) == "signature_repeated"
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    twin = signature[:-1] + letters[letters.index(signature[-1]) ^ 1]  # the same bytes, written in another way
    assert refusal(gate, twin) in ("signature_repeated", "signature_wrong")
    clock.now += 2
    assert gate.admit(kiosk.sign(at=int(clock.now)), BODY) == "r1", "the kiosk itself may send again"


@pytest.mark.parametrize("seconds", [-6, 66, 3600])
def test_what_is_not_of_this_minute_is_old(gate: WebhookGate, kiosk: Kiosk, clock: Clock, seconds: int) -> None:
    signature = kiosk.sign(at=int(clock.now))
    clock.now += seconds
    assert refusal(gate, signature) == "signature_old"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "health-points"}, "signature_wrong"),
        ({"iss": "somebody"}, "signature_wrong"),
        ({"typ": "kiosk-reading+jwt"}, "signature_wrong"),
        ({"jti": None}, "signature_wrong"),
        ({"iat": None}, "signature_wrong"),
        ({"body_sha256": None}, "signature_wrong"),
        ({"exp": 4_000_000_000}, "signature_wrong"),
        ({"exp": "soon"}, "signature_wrong"),
        ({"body": b"another"}, "body_changed"),
    ],
)
def test_what_the_kiosk_did_not_sign_for_this_body_and_system_is_refused(
    gate: WebhookGate, kiosk: Kiosk, changes: dict[str, Any], code: str
) -> None:
    assert refusal(gate, kiosk.sign(**changes)) == code
    assert gate.admit(kiosk.sign(), BODY) == "r1", "a refused one uses nothing up"


def test_another_key_is_refused_whatever_name_and_algorithm_it_claims(gate: WebhookGate, kiosk: Kiosk) -> None:
    stranger = Kiosk()
    assert refusal(gate, stranger.sign()) == "signature_wrong"
    stranger.kid = "two"
    assert refusal(gate, stranger.sign()) == "key_unknown"
    head, claims, _ = kiosk.sign().split(".")
    nothing = encode(json.dumps({"alg": "none", "kid": "one", "typ": "kiosk-webhook+jwt"}).encode())
    secret = kiosk.key.public_key().public_bytes_raw()
    shared = jwt.encode(
        jwt.decode(kiosk.sign(), options={"verify_signature": False}), secret, "HS256", headers={"kid": "one"}
    )
    for forged in (f"{nothing}.{claims}.", shared, f"{head}.{claims}.", "a.b", "ü"):
        assert refusal(gate, forged) == "signature_wrong"
    assert refusal(gate, None) == refusal(gate, "") == "signature_missing"


def test_new_keys_are_fetched_and_a_stranger_does_not_make_us_ask_all_the_time(
    gate: WebhookGate, kiosk: Kiosk, clock: Clock
) -> None:
    gate.admit(kiosk.sign(), BODY)
    for number in range(5):
        refusal(gate, Kiosk(f"unknown{number}").sign())
    assert kiosk.fetched == 1
    clock.now += 4
    kiosk.key, kiosk.kid = Ed25519PrivateKey.generate(), "two"
    assert gate.admit(kiosk.sign(at=int(clock.now)), BODY) == "r1"
    assert kiosk.fetched == 2


def test_without_the_kiosks_keys_nothing_is_admitted(gate: WebhookGate, kiosk: Kiosk) -> None:
    kiosk.down = True
    assert refusal(gate, kiosk.sign()) == "keys_unavailable"
    kiosk.down = False
    assert gate.admit(kiosk.sign(), BODY) == "r1"


def seal(server: Server, *, reading: str = "r1", system: str = SYSTEM, life: int = 600) -> bytes:
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "typ": "kiosk-basic-four+jwe", "system": system}
    header |= {"reading": reading, "reference": "7KQP-29XA", "exp": int(time.time()) + life}
    key = ECKey.import_key(server.inbox.public_key)
    load_pem_public_key(server.inbox.public_key.encode())
    registry = jwe.JWERegistry(algorithms=["ECDH-ES+A256KW", "A256GCM"], strict_check_header=False)
    statement = json.dumps({"ppid": "B2P6K7QX" * 3, "basic_four": ITEMS}).encode()
    return jwe.encrypt_compact(header, statement, key, registry=registry).encode()


@pytest.fixture
def server(address: str) -> Iterator[Server]:
    with Server(0, None, address) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def deliver(server: Server, body: bytes, signature: str | None) -> tuple[int, str]:
    headers = {"Content-Type": "application/jose"} | ({} if signature is None else {"Kiosk-Signature": signature})
    with contextlib.closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)) as connection:
        connection.request("POST", "/readings", body, headers)
        with connection.getresponse() as answer:
            content = answer.read()
            return answer.status, json.loads(content)["code"] if content else ""


def test_the_running_program_shows_what_was_signed_and_nothing_that_was_not(server: Server, kiosk: Kiosk) -> None:
    body, now = seal(server), int(time.time())  # one moment for all: a signature of the same second is the same one
    assert deliver(server, body, None) == (401, "signature_missing")
    assert deliver(server, body, Kiosk().sign(body)) == (401, "signature_wrong")
    assert deliver(server, body, kiosk.sign(body, at=now - 300)) == (401, "signature_old")
    assert deliver(server, seal(server), kiosk.sign(body)) == (401, "body_changed")
    assert deliver(server, body, kiosk.sign(body, jti="r2")) == (400, "not_our_reading")
    late, foreign = seal(server, life=-1), seal(server, system="health-points")
    assert deliver(server, late, kiosk.sign(late, at=now - 1)) == (400, "not_our_reading")
    assert deliver(server, foreign, kiosk.sign(foreign, at=now - 2)) == (400, "not_our_reading")
    assert server.inbox.newest() is None
    assert server.users.count() == 0

    signature = kiosk.sign(body, at=now - 3)
    assert deliver(server, body, signature) == (204, "")
    assert deliver(server, body, signature) == (409, "signature_repeated")
    newest = server.inbox.newest()
    assert newest is not None
    assert (newest.items["name"], server.inbox.count(), server.users.count()) == ("𠮷野　髙子", 1, 1)
    assert deliver(server, body, kiosk.sign(body, at=now - 4)) == (204, ""), "the kiosk may send again"
    assert server.inbox.count() == 1

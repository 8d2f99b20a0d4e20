"""The checks of a linkage test that ask over the network: responder, register, running server, API as a client."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kiosk_web.adapters.anchor_files import AnchorFileRefused, load_trust_store
from kiosk_web.adapters.fetch import HttpFetcher
from kiosk_web.adapters.own_server import ask_server
from kiosk_web.adapters.register_http import HttpRegister
from kiosk_web.linkage.checks import Failed, NotApplicable, Stand
from kiosk_web.pki.anchors import Anchor
from kiosk_web.pki.ocsp import NONCE_LENGTH, OcspResponderPolicy
from kiosk_web.pki.ocsp_probe import build_probe, judge_probe
from kiosk_web.pki.plan import FetchFailure
from kiosk_web.services.persons.register import RegisterSilent
from kiosk_web.services.ports.clients import ClientRecord

ASSERTION_SECONDS = 50
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NOT_IN_USE = "system_not_in_use"


@dataclass(frozen=True, repr=False)
class TestClient:
    """A client of the API whose private key is at hand for the test. The key is read, used and kept nowhere."""

    name: str
    key: Path

    __test__ = False  # it is no test of pytest's


async def check_responder(stand: Stand, policy: OcspResponderPolicy) -> str:
    """Asks about a serial number drawn at random, so about nobody."""
    if all(service.status_policy == "crl" for service in stand.services):
        raise NotApplicable("its services are confirmed by lists alone")
    if policy.url is None:
        raise Failed("ocsp_url is not set, so there is nobody to ask")
    current = _load_authorities(stand)
    answered = []
    async with HttpFetcher() as fetcher:
        for anchor in current:
            nonce = secrets.token_bytes(NONCE_LENGTH)
            serial = int.from_bytes(secrets.token_bytes(8)) | 1
            answer = await fetcher.fetch_ocsp(policy.url, build_probe(anchor, serial, nonce, policy))
            if isinstance(answer, FetchFailure):
                raise Failed(f"the responder cannot be reached: {answer.kind} {answer.detail}".rstrip())
            trouble = judge_probe(answer, nonce, policy)
            if trouble is None:
                answered.append(anchor.label)
    if not answered:
        raise Failed("the responder answers for no authority that is trusted here, or does not echo the nonce")
    return f"answers for {len(answered)} of {len(current)} authorities"


async def check_register(stand: Stand) -> str:
    """Asks which certificate one with a random serial number replaced, so about nobody. "Unknown" is an answer."""
    if not any(service.terms.linked_signature_state for service in stand.services):
        raise NotApplicable("its profile is told nothing by the register")
    service = stand.settings.register_service
    if service.url is None:
        raise Failed("register_service.url is not set: changes and the signature certificate stay unknown")
    authority = _load_authorities(stand)[-1]
    serial = int.from_bytes(secrets.token_bytes(8)) | 1
    async with HttpRegister(service.url, budget=service.budget_seconds, clock=lambda: stand.now) as register:
        answer = await register.find_predecessor(authority.key_id, serial)
    if isinstance(answer, RegisterSilent) and answer.why != "unknown_certificate":
        raise Failed(f"the register at register_service.url does not answer as it should: {answer.why}")
    return "answers, and both roles of the verifier are named"


def _load_authorities(stand: Stand) -> list[Anchor]:
    """The user-authentication CAs that are trusted here and in their validity. Raises `Failed`."""
    settings = stand.settings
    try:
        anchors = load_trust_store(
            settings.anchors, production=not settings.demo, confirmed_fingerprints=settings.confirmed_fingerprints
        ).anchors
    except AnchorFileRefused as error:
        raise Failed(str(error)) from None
    current = [a for a in anchors if a.authority == "user_authentication" and a.not_before <= stand.now < a.not_after]
    if not current:
        raise Failed("no anchor of a user-authentication CA is in its validity")
    return current


async def check_server(stand: Stand) -> str:
    """The resident page of the running server."""
    status, _ = await _ask("GET", f"{stand.settings.origin}/readyz")
    if status != 200:
        raise Failed(f"the server says {status} on /readyz: kiosk doctor")
    return "runs and is ready"


async def check_api(stand: Stand, client: TestClient | None) -> str:
    """A client of the system gets a token, and a challenge for its first origin."""
    if not any(service.profile == "type2" for service in stand.services):
        raise NotApplicable("no service of Type 2")
    url = stand.settings.api_url
    if url is None:
        raise Failed("api.url is not set: the API is not served")
    record = await _find_client(stand, client)
    key = await asyncio.to_thread(_load_key, client.key) if client else None
    if client is None or key is None:
        raise Failed("not tested: give --client and --client-key")
    assertion = _sign_assertion(client.name, f"{url}/api/v1/token", key, stand)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    status, body = await _ask("POST", f"{url}/api/v1/token", data=form)
    if status != 200 or "access_token" not in body:
        raise Failed(f"no token: {status} {body.get('code', '')}".rstrip())
    asked = {"system": stand.system.id, "origin": record.origins[0]}
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    status, body = await _ask("POST", f"{url}/api/v1/challenges", json=asked, headers=bearer)
    if status == 403 and body.get("code") == NOT_IN_USE:
        raise Failed("challenges are refused before the stage linkage_test: kiosk system advance")
    if status != 201 or "challenge" not in body:
        raise Failed(f"no challenge: {status} {body.get('code', '')}".rstrip())
    return f"{client.name} got a token and a challenge"


async def _find_client(stand: Stand, client: TestClient | None) -> ClientRecord:
    async with stand.store.read() as transaction:
        records = await transaction.clients.list_all()
    own = [one for one in records if one.revoked_at is None and stand.system.id in one.systems and one.origins]
    if not own:
        raise Failed("no client in force speaks for the system and has an origin: kiosk client add")
    named = [one for one in own if client is not None and one.name == client.name]
    if client is not None and not named:
        raise Failed(f"{client.name} is no such client")
    return (named or own)[0]


def _load_key(path: Path) -> Any:
    try:
        return load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise Failed(f"{path.name}: {error.strerror or 'cannot be read'}") from None
    except (ValueError, TypeError):
        raise Failed(f"{path.name}: no private key in PEM without a password") from None


def _sign_assertion(name: str, audience: str, key: Any, stand: Stand) -> str:
    algorithm = "PS256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        algorithm = "EdDSA"
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = "ES256"
    now = int(stand.now.timestamp())
    claims = {"iss": name, "sub": name, "aud": audience, "iat": now, "exp": now + ASSERTION_SECONDS}
    return jwt.encode({**claims, "jti": secrets.token_urlsafe(16)}, key, algorithm=algorithm)


async def _ask(method: str, url: str, **given: Any) -> tuple[int, dict[str, Any]]:
    """Status and JSON. Raises `Failed` when nobody answers."""
    answer = await ask_server(method, url, **given)
    if isinstance(answer, FetchFailure):
        raise Failed(f"nobody answers at {url} ({answer.kind}): is kiosk serve running, and on this port?")
    return answer

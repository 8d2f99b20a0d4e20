"""The register over HTTP, as the simulator answers it: `POST /predecessor` and `POST /standing` (`docs/simulator.md`).

The real service is J-LIS's and its interface is not public; an adapter for it takes this one's place. Nothing that goes
wrong is an answer: it is named and stays unknown.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import aiohttp

from kiosk_web.adapters.http_session import is_longer, is_plain, open_session, read_address
from kiosk_web.identity.persons import CertificateName
from kiosk_web.identity.standing import SIGNATURE_STATES, HolderStanding, Silence, judge_items
from kiosk_web.services.persons.register import Predecessor, RegisterSilent

MOST_ANSWER = 4096
CONNECTIONS = 16


class _Malformed(Exception):
    """The answer is not what `docs/simulator.md` describes."""


class HttpRegister:
    """Implements `services.persons.register.Register`. An asynchronous context manager. `budget` in seconds."""

    def __init__(self, url: str, *, budget: float, clock: Callable[[], datetime]) -> None:
        self._url = url.rstrip("/")
        self._budget = budget
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpRegister:
        self._session = open_session(
            phase=self._budget,
            connections=CONNECTIONS,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            most=4 * MOST_ANSWER,
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def find_predecessor(self, issuer_key_id: bytes, serial: int) -> Predecessor | RegisterSilent:
        answer = await self._ask("predecessor", {"issuer_key_id": issuer_key_id.hex(), "serial": serial})
        if isinstance(answer, RegisterSilent):
            return answer
        try:
            return Predecessor(_read_certificate(_take(answer, "predecessor")))
        except _Malformed:
            return RegisterSilent("malformed")

    async def fetch_standing(self, issuer_key_id: bytes, serial: int, since: date | None) -> HolderStanding:
        answer = await self._ask("standing", {"issuer_key_id": issuer_key_id.hex(), "serial": serial})
        if isinstance(answer, RegisterSilent):
            return HolderStanding(since=since, why=answer.why)
        try:
            signature = _take(answer, "signature_certificate")
            if signature not in SIGNATURE_STATES or signature == "unknown":
                raise _Malformed
            changed_at = _read_moment(_take(answer, "items_changed_at"))
        except _Malformed:
            return HolderStanding(since=since, why="malformed")
        return HolderStanding(signature, judge_items(changed_at, since), since, self._clock())

    async def _ask(self, service: str, question: dict[str, object]) -> dict[str, Any] | RegisterSilent:
        try:
            async with asyncio.timeout(self._budget):
                return await self._post(f"{self._url}/{service}", json.dumps(question).encode())
        except TimeoutError:  # aiohttp's are of this kind too
            return RegisterSilent("timeout")
        except aiohttp.ClientError:
            return RegisterSilent("unreachable")
        except _Malformed:
            return RegisterSilent("malformed")

    async def _post(self, url: str, question: bytes) -> dict[str, Any] | RegisterSilent:
        address = read_address(url)
        if address is None or self._session is None:
            return RegisterSilent("unreachable")
        response = await self._session.post(address, data=aiohttp.BytesPayload(question), allow_redirects=False)
        try:
            if response.status != 200:
                silence: Silence = "unknown_certificate" if response.status == 404 else "refused"
                return RegisterSilent(silence)
            if not is_plain(response, ("application/json",)) or is_longer(response, MOST_ANSWER):
                raise _Malformed
            body = b""
            while chunk := await response.content.readany():
                body += chunk
                if len(body) > MOST_ANSWER:
                    raise _Malformed
        finally:
            response.release()
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            raise _Malformed from None
        if not isinstance(content, dict):
            raise _Malformed
        return content


def _take(answer: dict[str, Any], key: str) -> Any:
    if key not in answer:
        raise _Malformed
    return answer[key]


def _read_certificate(value: Any) -> CertificateName | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _Malformed
    key_id, serial = value.get("issuer_key_id"), value.get("serial")
    if not isinstance(key_id, str) or not isinstance(serial, int) or isinstance(serial, bool) or serial <= 0:
        raise _Malformed
    try:
        return CertificateName(bytes.fromhex(key_id), serial)
    except ValueError:
        raise _Malformed from None


def _read_moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Malformed from None
    if moment.tzinfo is None:
        raise _Malformed
    return moment

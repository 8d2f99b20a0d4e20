"""A card body in software for tests of the server: its surface key, what its issuer signed, and who attends."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyotp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk_web.services.staff.members import StaffService
from kiosk_web.settings.kazashi import KazashiSettings
from kiosk_web.simulator.card_issuer import AUTHORITY_KEY_ID, CardIssuer
from kiosk_web.wiring.kazashi import load_seal
from tests.support.jpki import Issued, rsa_key
from tests.support.kiosk_server import Stand
from tests.support.terminal import Stage, Terminal, decode, fields, read_claims

ISSUER = CardIssuer(rsa_key("card authority"), rsa_key("card issuer"))
BIRTH = date(1980, 2, 17)
STAFF = "見本 花子"
DECLINED = "かざし利用では確認できませんでした。暗証番号を入力してください。"


def write_card_issuers(folder: Path) -> Path:
    """The folder that `kazashi.card_issuers` names."""
    folder.mkdir(exist_ok=True)
    pem = ISSUER.authority.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{AUTHORITY_KEY_ID.hex()}.pem").write_bytes(pem)
    return folder


def build_kazashi(folder: Path) -> KazashiSettings:
    """Settings with which cards of `ISSUER` can be enrolled."""
    return KazashiSettings(card_issuers=write_card_issuers(folder / "issuers"))


@dataclass(frozen=True)
class Body:
    """One card: its certificate, and the key of its surface application."""

    issued: Issued
    surface: rsa.RSAPrivateKey = field(default_factory=lambda: rsa_key("surface"))
    issuer: CardIssuer = ISSUER

    @property
    def record(self) -> bytes:
        return self.issuer.build_age_record(BIRTH, self.surface.public_key())

    def sign(self, at: Terminal, /, **changes: str | bytes) -> bytes:
        """The surface key's signature over what the ticket asks for."""
        claims = read_claims(at.ticket)
        names = ("method", "purpose", "origin", "terminal", "session", "service")
        values: dict[str, str | bytes] = {name: claims[name] for name in names}
        values |= {"nonce": decode(claims["nonce"]), "certificate": hashlib.sha256(self.issued.der).digest()}
        values |= {"consent": decode(claims["consent"]), "lease": claims["lease"], **changes}
        message = b"kiosk-card/1\0" + fields(*values.values())
        return self.surface.sign(message, padding.PKCS1v15(), hashes.SHA256())


@dataclass
class Desk:
    """A member of staff with an authenticator, and a stand whose clock gives the codes."""

    stand: Stand
    secret: str = ""
    number: str = ""

    @classmethod
    async def opened(cls, stand: Stand, facility: str = "main", name: str = STAFF) -> Desk:
        service = StaffService(
            store=stand.server.store,
            seal=load_seal(stand.data, secrets.token_bytes),
            clock=stand.clock,
            entropy=lambda count: b"\x17" * count,
        )
        member = await service.add(name, facility)
        return cls(stand, member.secret, member.number)

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.stand.clock.now)

    async def attend(self, terminal: Terminal) -> Stage:
        """Sign in at the terminal with a code that was not used yet."""
        assert (await terminal.send("staff_asked")).state == "staff_sign_in"
        return await self.attend_here(terminal)

    async def attend_here(self, terminal: Terminal) -> Stage:
        """The same where the terminal already asks."""
        self.stand.clock.advance(30)
        return await terminal.send("staff_identified", number=self.number, code=self.code())


def take_ticket(terminal: Terminal, stage: Stage) -> dict[str, Any]:
    """Keep the ticket of the newest order to read; returns its claims."""
    (command,) = [command for command in stage.commands if command["name"] == "read_certificate"]
    terminal.ticket = command["arguments"]["ticket"]
    return read_claims(terminal.ticket)


async def identify_by_pin(stand: Stand, terminal: Terminal, body: Body, service: str = "facility") -> Stage:
    """A whole visit by 暗証番号, up to its result."""
    await stand.typing(terminal, body.issued, service)
    await terminal.submit_pin()
    return await terminal.sign(body.issued)


async def reach_birth(stand: Stand, terminal: Terminal, body: Body) -> Stage:
    """From a result up to the birth date, with the status known."""
    assert (await terminal.send("kazashi_wanted")).state == "consenting"
    take_ticket(terminal, await terminal.send("consent_given"))
    stage = await terminal.read_card(body.issued, tries_left=10)
    await stand.server.sessions.settle()
    return stage


async def enrol(stand: Stand, terminal: Terminal, body: Body) -> Stage:
    """From a result by 暗証番号 to the end of the enrolment."""
    await reach_birth(stand, terminal, body)
    await terminal.submit_pin()
    return await sign_enrolment(terminal, body)


async def sign_enrolment(terminal: Terminal, body: Body, **changes: bytes) -> Stage:
    return await terminal.send("enrolment_signed", **terminal.build_enrolment(body, **changes))


async def tap(stand: Stand, terminal: Terminal, body: Body, service: str = "facility", **changes: Any) -> Stage:
    """Choose and lay the card; what the terminal shows once signature and status are there."""
    stage = await begin_tap(stand, terminal, body, service)
    if stage.state != "checking_card":
        return stage
    return await terminal.sign(body.issued, signature=body.sign(terminal), **changes)


async def begin_tap(stand: Stand, terminal: Terminal, body: Body, service: str = "facility") -> Stage:
    """Up to the moment at which the card signs; the ticket is kept."""
    await terminal.begin(service)
    stage = await terminal.read_card(body.issued, tries_left=0)
    await stand.server.sessions.settle()
    return stage


async def enrolled(stand: Stand, terminal: Terminal, body: Body) -> Desk:
    """The card is enrolled and taken, and staff attend the terminal."""
    assert (await identify_by_pin(stand, terminal, body)).state == "result"
    assert (await enrol(stand, terminal, body)).state == "kazashi_set"
    await terminal.take_card()
    desk = await Desk.opened(stand)
    assert (await desk.attend(terminal)).state == "choosing_service"
    return desk


async def continue_by_pin(stand: Stand, terminal: Terminal, body: Body, stage: Stage) -> Stage:
    """The same visit goes on: the card is asked for the 暗証番号 in place, and says why in the same words."""
    assert stage.state == "reading_card"
    assert take_ticket(terminal, stage)["method"] == "pin"
    stage = await terminal.read_card(body.issued)
    assert stage.state == "awaiting_pin"
    assert DECLINED in stage.html
    await stand.server.sessions.settle()
    await terminal.submit_pin()
    return await terminal.sign(body.issued)

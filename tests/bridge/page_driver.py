"""One page connection and the page that speaks to it, without a socket: what the tests of the machine drive."""

from __future__ import annotations

import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bridge import messages
from bridge.effects import Effect, Send
from bridge.evidence import build_pin_data, build_welcome, derive_hash
from bridge.messages import Reader
from bridge.protocol import PageConnection
from bridge.states import State
from bridge.strict_json import encode_base64url
from bridge.ticket import UsedTickets
from bridge.visit import CertificateRead, PinAccepted
from tests.bridge.authority import ADDRESS, Authority

AUTHORITY = Authority()
CARD = encode_base64url(b"c" * 16)
OURS = Reader("ready", "ours", CARD)
CERTIFICATE = b"stands for a certificate"
PAGE_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PAGE = PAGE_KEY.public_key().public_bytes_raw()


class Driver:
    """One machine and the page that speaks to it. `now` is the machine's clock."""

    def __init__(self, reader: Reader = OURS, used: UsedTickets | None = None) -> None:
        self.now = 1000.0
        self.seq = 0
        self.nonce = secrets.token_bytes(32)
        self.bridge_key = X25519PrivateKey.generate()
        self.machine = PageConnection(
            terminal=AUTHORITY.terminal,
            address=ADDRESS,
            version="test",
            nonce=self.nonce,
            bridge_key=self.bridge_key,
            used=used or UsedTickets(),
            reader=reader,
            now=self.now,
        )
        self.ticket = ""

    @property
    def challenge(self) -> str:
        challenge = self.machine.challenge
        assert challenge is not None
        return challenge

    @property
    def output(self) -> str:
        running = self.machine._output.running
        return "none" if running is None else running.jti

    def send(self, kind: str, **fields: Any) -> list[Effect]:
        return self.machine.receive(json.dumps({"v": 1, "type": kind, **fields}), self.now)

    def say(self, kind: str, **fields: Any) -> list[Effect]:
        self.seq += 1
        return self.send(kind, seq=self.seq, **fields)

    def open(self) -> list[Effect]:
        return self.send("open", page_key=encode_base64url(PAGE))

    def hello(self, **claims: Any) -> list[Effect]:
        self.ticket = AUTHORITY.hello(self.nonce, PAGE, **claims)
        return self.send("hello", ticket=self.ticket, keys=[AUTHORITY.statement()])

    def read(self, **claims: Any) -> list[Effect]:
        return self.say("read_certificate", ticket=AUTHORITY.challenge(claims.pop("card", CARD), **claims))

    def hand_over(self, number: str = "0123", **claims: Any) -> list[Effect]:
        return self.say("hand_over", ticket=AUTHORITY.output(claims.pop("card", CARD), number, **claims))

    def hold(self, tries_left: int = 3, *, keypad: bool = False) -> list[Effect]:
        read = CertificateRead(self.challenge, CERTIFICATE, tries_left, 4, 4, 1, keypad=keypad)
        return self.machine.report(read, self.now)

    def pin(self, pin: bytes = b"1234") -> list[Effect]:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        welcome = build_welcome(
            ticket=self.ticket,
            terminal=AUTHORITY.terminal_id,
            origin=AUTHORITY.origin,
            address=ADDRESS,
            bridge_nonce=self.nonce,
            page_key=PAGE,
            bridge_key=self.bridge_key.public_key().public_bytes_raw(),
        )
        shared = PAGE_KEY.exchange(self.bridge_key.public_key())
        key = HKDF(algorithm=SHA256(), length=32, salt=derive_hash(welcome), info=b"kiosk-pin/1").derive(shared)
        bound = build_pin_data(challenge=self.machine.challenge or "", card=CARD, seq=self.seq + 1)
        data = AESGCM(key).encrypt(bytes(12), pin.ljust(16, b"\0"), bound)
        return self.say("enter_pin", iv=encode_base64url(bytes(12)), data=encode_base64url(data))

    def reach(self, state: State) -> Driver:
        """Bring a fresh machine into `state` the ordinary way."""
        steps = {
            State.GREETED: self.open,
            State.IDLE: self.hello,
            State.READING: self.read,
            State.HOLDING: self.hold,
            State.VERIFYING: lambda: [*self.say("authenticate"), *self.pin()],
            State.SIGNING: lambda: self.machine.report(PinAccepted(self.challenge), self.now),
        }
        if state is State.CLOSED:
            self.machine.displace()
        elif state is State.HANDING_OVER:
            self.reach(State.IDLE).hand_over()
        elif state is not State.OPENED:
            for reached, step in steps.items():
                step()
                if reached is state:
                    break
        assert self.machine.state is state
        return self


def sent(effects: list[Effect]) -> list[messages.BridgeMessage]:
    return [effect.message for effect in effects if isinstance(effect, Send)]

"""The page's side of the card socket, and a whole bridge on a virtual reader to speak to."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from bridge.card.transport import ReaderSource
from bridge.counter import EvidenceCounter
from bridge.evidence import build_fields, build_pin_data, build_welcome, derive_hash
from bridge.output.desk import OutputDesk
from bridge.peer import PeerGate
from bridge.service import BridgeService
from bridge.strict_json import decode_base64url, encode_base64url
from bridge.terminal import store_terminal
from bridge.virtual.reader import VirtualSource
from tests.bridge.authority import Authority
from tests.support.profiles import PIN, write_profile, write_reader

Message = dict[str, Any]


class Bridge:
    """A running bridge on a virtual reader in `folder`."""

    def __init__(self, folder: Path, authority: Authority, service: BridgeService, port: int) -> None:
        self.folder = folder
        self.authority = authority
        self.service = service
        self.port = port
        self._serial = 100

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def lay(self, profile: str | None) -> None:
        """Put `cards/<person>` on the reader, or take what lies there."""
        self._serial += 1
        write_reader(self.folder, self._serial, profile)

    def tries_left(self, person: str = "taro") -> int:
        value = json.loads((self.folder / "cards" / person / "counters.json").read_text())
        return int(value["auth_pin"])


@asynccontextmanager
async def running_bridge(
    folder: Path,
    *,
    source: ReaderSource | None = None,
    authority: Authority | None = None,
    outputs: OutputDesk | None = None,
    peer: PeerGate | None = None,
    reader_keypad: bool = False,
    **card: Any,
) -> AsyncIterator[Bridge]:
    """A bridge with an empty virtual reader and the card `cards/taro` beside it."""
    authority = authority or Authority()
    write_profile(folder, **card)
    write_reader(folder, 100, None)
    state = folder / "state"
    state.mkdir(exist_ok=True)
    if not (state / "terminal.json").exists():
        store_terminal(state, authority.terminal)
    service = BridgeService(
        authority.terminal,
        source or VirtualSource(folder),
        EvidenceCounter(state),
        production=False,
        outputs=outputs,
        peer=peer,
        reader_keypad=reader_keypad,
    )
    port = await service.start(0)
    try:
        yield Bridge(folder, authority, service, port)
    finally:
        await service.stop()


class Page:
    """One socket. `seq` counts by itself; messages that no one asked for yet wait in order."""

    def __init__(self, socket: ClientConnection, bridge: Bridge) -> None:
        self.socket = socket
        self.bridge = bridge
        self.key = X25519PrivateKey.generate()
        self.seq = 0
        self.reader: Message = {}
        self._box: AESGCM | None = None
        self._items: AESGCM | None = None

    @classmethod
    @asynccontextmanager
    async def connected(cls, bridge: Bridge) -> AsyncIterator[Page]:
        async with connect(
            f"ws://{bridge.address}/card",
            origin=Origin(bridge.authority.origin),
            subprotocols=[Subprotocol("kiosk-card.v1")],
            compression=None,
            proxy=None,
        ) as socket:
            yield cls(socket, bridge)

    @classmethod
    @asynccontextmanager
    async def verified(cls, bridge: Bridge) -> AsyncIterator[Page]:
        """Connected, mutually proven and watching."""
        async with cls.connected(bridge) as page:
            await page.prove()
            await page.say("watch")
            await page.expect("reader")
            yield page

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"v": 1, "type": kind, **fields}))

    async def say(self, kind: str, **fields: Any) -> int:
        """Send a numbered message; returns its number."""
        self.seq += 1
        await self.send(kind, seq=self.seq, **fields)
        return self.seq

    async def receive(self) -> Message:
        async with asyncio.timeout(60):
            message: Message = json.loads(await self.socket.recv())
        if message["type"] == "reader":
            self.reader = message
        return message

    async def expect(self, kind: str) -> Message:
        """The next message of that kind; what else a visit says in between is passed over, `failed` never is."""
        while True:
            message = await self.receive()
            if message["type"] == kind:
                return message
            assert message["type"] in ("reader", "progress", "certificate"), message

    async def expect_card(self, card: str) -> str:
        """Wait until the reader message says `card`; returns the instance."""
        while self.reader.get("card") != card:
            await self.expect("reader")
        return str(self.reader["instance"])

    async def prove(self) -> None:
        page_key = self.key.public_key().public_bytes_raw()
        await self.send("open", page_key=encode_base64url(page_key))
        greeting = await self.expect("greeting")
        nonce = decode_base64url(greeting["bridge_nonce"])
        authority = self.bridge.authority
        ticket = authority.hello(nonce, page_key, self.bridge.address)
        await self.send("hello", ticket=ticket, keys=[authority.statement()])
        welcome = await self.expect("welcome")
        bridge_key = decode_base64url(welcome["bridge_key"])
        signed = build_welcome(
            ticket=ticket,
            terminal=greeting["terminal"],
            origin=authority.origin,
            address=self.bridge.address,
            bridge_nonce=nonce,
            page_key=page_key,
            bridge_key=bridge_key,
        )
        terminal_key: Ed25519PublicKey = authority.terminal_key.public_key()
        terminal_key.verify(decode_base64url(welcome["signature"]), signed)
        shared = self.key.exchange(X25519PublicKey.from_public_bytes(bridge_key))
        key = HKDF(algorithm=SHA256(), length=32, salt=derive_hash(signed), info=b"kiosk-pin/1").derive(shared)
        self._box = AESGCM(key)
        key = HKDF(algorithm=SHA256(), length=32, salt=derive_hash(signed), info=b"kiosk-items/1").derive(shared)
        self._items = AESGCM(key)

    def open_items(self, message: Message) -> bytes:
        """The four texts in `basic_four`, each with its length."""
        assert self._items is not None
        counter = int(message["counter"])
        bound = b"kiosk-items/1\0" + build_fields(str(message["challenge"]), counter)
        return self._items.decrypt(counter.to_bytes(12, "big"), decode_base64url(message["data"]), bound)

    async def read_certificate(self, **claims: Any) -> tuple[Message, Message]:
        """Ask for the certificate of the card that lies there; returns `certificate` and `need_pin`."""
        await self.say("read_certificate", ticket=self.challenge(**claims))
        return await self.expect("certificate"), await self.expect("need_pin")

    def challenge(self, **claims: Any) -> str:
        card = claims.pop("card", self.reader["instance"])
        return self.bridge.authority.challenge(card, **claims)

    async def enter_pin(self, pin: str, challenge: str) -> None:
        assert self._box is not None
        iv = secrets.token_bytes(12)
        bound = build_pin_data(challenge=challenge, card=self.reader["instance"], seq=self.seq + 1)
        data = self._box.encrypt(iv, pin.encode().ljust(16, b"\0"), bound)
        await self.say("enter_pin", iv=encode_base64url(iv), data=encode_base64url(data))


@asynccontextmanager
async def page_with_card(folder: Path, **card: Any) -> AsyncIterator[Page]:
    """A verified page and the card `cards/taro` on the reader, recognised."""
    async with running_bridge(folder, **card) as bridge, Page.verified(bridge) as page:
        bridge.lay("cards/taro")
        await page.expect_card("ours")
        yield page


async def expect_failure(page: Page, code: str) -> Message:
    """The next `failed`, which has this code."""
    failed = await page.expect("failed")
    assert failed["code"] == code
    return failed


async def lay_and_succeed(page: Page, profile: str) -> None:
    """Lift what lies there, lay another card and go through a whole visit."""
    page.bridge.lay(None)
    await page.expect_card("none")
    page.bridge.lay(profile)
    await page.expect_card("ours")
    certificate, _ = await page.read_certificate()
    await page.say("authenticate")
    await page.enter_pin(PIN, certificate["challenge"])
    await page.expect("result")

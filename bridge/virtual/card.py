"""A My Number Card in software: bytes in, bytes out. PURE: no clock, no file, no randomness of its own.

What it answers is `docs/card.md`; where the sources leave a question open, a switch of the profile decides.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo

from bridge.card.apdu import CommandApdu
from bridge.virtual.commands import LengthWrong, parse_command
from bridge.virtual.files import (
    AUTHENTICATION_CERTIFICATE,
    JPKI,
    CardApplication,
    CardFile,
    DataFile,
    KeyFile,
    ReferenceFile,
    build_applications,
)
from bridge.virtual.profile import CardProfile

Entropy = Callable[[int], bytes]
"""Gives so many unpredictable bytes."""

_SUCCESS: Final = 0x9000
_PAYLOAD_MAXIMUM: Final = 245
_AID_MINIMUM: Final = 5
_BLOCK: Final = 256
_SHA256_DIGEST_INFO: Final = bytes.fromhex("3031300D060960864801650304020105000420")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one command led to.

    `response` is data and status word. `milliseconds` is how long a card of this profile takes; whoever holds the card
    waits. `removed`: the card is gone from now on; `lost`: so early that the response never arrived; `swapped_for`: the
    path of the profile that took its place.
    """

    response: bytes
    milliseconds: int
    removed: bool = False
    lost: bool = False
    swapped_for: str | None = None


class _Refusal(Exception):
    """The status word of a command that fails."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


class VirtualCard:
    """One insertion of one card. `counters` are the tries left by name of the secret."""

    def __init__(self, profile: CardProfile, counters: Mapping[str, int], entropy: Entropy) -> None:
        self._profile = profile
        self._counters = dict(counters)
        self._entropy = entropy
        self._applications = build_applications(profile)
        self._exchanges = 0
        self._name: bytes | None = None
        self._current: int | None = None
        self._verified: set[str] = set()
        self._survivors: tuple[bytes | None, set[str]] = (None, set())
        self._sleepy = profile.switches.first_command_6f00

    @property
    def atr(self) -> bytes:
        """Empty for a mute card."""
        return b"" if self._profile.switches.mute else self._profile.atr

    @property
    def counters(self) -> dict[str, int]:
        return dict(self._counters)

    def power_off(self) -> None:
        """Power away: nothing is selected and nothing verified when it comes back."""
        self._name, self._current = None, None
        self._verified, self._survivors = set(), (None, set())
        self._sleepy = self._profile.switches.first_command_6f00

    def reset(self) -> None:
        """A warm reset: nothing selected; by a switch the verified PINs of that application outlive it."""
        survivors = self._name, self._verified
        self.power_off()
        if self._profile.switches.pin_state_over_reset:
            self._survivors = survivors

    def transmit(self, raw: bytes) -> Exchange:
        """Answer one command APDU."""
        self._exchanges += 1
        milliseconds = self._profile.exchange_ms
        moment = None
        try:
            if self._sleepy:
                self._sleepy = False
                raise _Refusal(0x6F00)
            command = parse_command(raw)
            moment = self._judge_moment(command)
            if moment == "sign":
                milliseconds += self._profile.sign_ms
            response = self._answer(command) + _SUCCESS.to_bytes(2, "big")
        except LengthWrong:
            response = b"\x67\x00"
        except _Refusal as refusal:
            response = refusal.status.to_bytes(2, "big")
        return self._judge_departure(response, milliseconds, moment)

    def _judge_departure(self, response: bytes, milliseconds: int, moment: str | None) -> Exchange:
        switches = self._profile.switches
        if moment is not None and switches.remove_on == moment:
            return Exchange(response, milliseconds, removed=True, lost=True)
        if switches.swap_on is not None and switches.swap_on.when == moment:
            return Exchange(response, milliseconds, removed=True, lost=True, swapped_for=switches.swap_on.profile)
        if switches.remove_after == self._exchanges:
            return Exchange(response, milliseconds, removed=True)
        if switches.swap_after is not None and switches.swap_after.when == self._exchanges:
            return Exchange(response, milliseconds, removed=True, swapped_for=switches.swap_after.profile)
        return Exchange(response, milliseconds)

    def _judge_moment(self, command: CommandApdu) -> str | None:
        """Which of the profile's moments this command is."""
        match (command.cla, command.instruction):
            case (0x00, 0xB0) if not command.p1 & 0x80 and (command.p1 << 8 | command.p2) >= _BLOCK:
                return "read" if (self._name, self._current) == (JPKI, AUTHENTICATION_CERTIFICATE) else None
            case (0x00, 0x20) if command.data:
                return "verify"
            case (0x80, 0x2A):
                return "sign"
        return None

    def _answer(self, command: CommandApdu) -> bytes:
        if command.cla & 0x03 and not command.cla & 0x70:
            raise _Refusal(0x6881)
        if command.cla & 0x0C and not command.cla & 0x70:
            raise _Refusal(0x6882)
        if command.cla not in (0x00, 0x80):
            raise _Refusal(0x6E00)
        match (command.cla, command.instruction):
            case (0x00, 0xA4):
                return self._select(command)
            case (0x00, 0xB0):
                return self._read(command)
            case (0x00, 0x20):
                return self._verify(command)
            case (0x00, 0x84):
                return self._challenge(command)
            case (0x80, 0x2A):
                return self._sign(command)
        raise _Refusal(0x6D00)

    def _select(self, command: CommandApdu) -> bytes:
        if command.p2 not in (0x00, 0x0C) or command.p1 not in (0x02, 0x04):
            raise _Refusal(0x6A86)
        if command.p1 == 0x04:
            self._select_application(command.data)
        else:
            self._select_file(command.data)
        return b"" if command.p2 else b"\x6f\x00"  # the control information of the real card is not recorded anywhere

    def _select_application(self, name: bytes) -> None:
        found = [known for known in self._applications if len(name) >= _AID_MINIMUM and known.startswith(name)]
        if not found:
            raise _Refusal(0x6A82)
        survivors, self._survivors = self._survivors, (None, set())
        self._name, self._current = found[0], None
        self._verified = survivors[1] if survivors[0] == found[0] else set()

    def _select_file(self, identifier: bytes) -> None:
        if len(identifier) != 2:
            raise _Refusal(0x6700)
        self._find(int.from_bytes(identifier, "big"))

    def _read(self, command: CommandApdu) -> bytes:
        if command.data or command.expected is None:
            raise _Refusal(0x6700)
        self._require_extended(command)
        offset = command.p1 << 8 | command.p2
        if command.p1 & 0x80:
            file, offset = self._find_short(command.p1), command.p2
        else:
            file = self._require_current()
        if not isinstance(file, DataFile):
            raise _Refusal(0x6981)
        if file.opened_by is not None and not file.opened_by & self._verified:
            raise _Refusal(0x6982)
        if offset >= len(file.content):
            raise _Refusal(0x6B00)
        return file.content[offset : offset + command.expected]

    def _verify(self, command: CommandApdu) -> bytes:
        if command.p1 or not command.p2 & 0x80:
            raise _Refusal(0x6A86)
        if command.expected is not None:
            raise _Refusal(0x6700)
        file = self._require_current() if command.p2 == 0x80 else self._find_short(command.p2)
        if not isinstance(file, ReferenceFile):
            raise _Refusal(0x6981)
        name = file.secret
        secret = self._profile.secrets[name]
        left = self._counters[name] if secret else 0
        if name == "birth_key" and self._profile.switches.birth_key_without_limit:
            return self._compare_without_limit(name, command.data)
        if not command.data:
            raise _Refusal(0x63C0 | left)
        if not left or secret is None:
            raise _Refusal(self._profile.switches.blocked_status)
        if hmac.compare_digest(command.data, secret.value.encode("ascii")):
            self._counters[name] = secret.tries
            self._verified.add(name)
            return b""
        self._counters[name] = left - 1
        self._verified.discard(name)
        raise _Refusal(0x63C0 | self._counters[name])

    def _compare_without_limit(self, name: str, data: bytes) -> bytes:
        """As JICSAP allows it: a question and a wrong value are both answered 6300, as often as one likes."""
        secret = self._profile.secrets[name]
        if not data or secret is None or not hmac.compare_digest(data, secret.value.encode("ascii")):
            raise _Refusal(0x6300)
        self._verified.add(name)
        return b""

    def _sign(self, command: CommandApdu) -> bytes:
        self._require_extended(command)
        key = self._require_key(command.p2)
        if command.p1 > 0x03:  # 04 and 05 are PSS on the real card; nobody uses them
            raise _Refusal(0x6A86)
        if command.expected is None or not 1 <= len(command.data) <= _PAYLOAD_MAXIMUM:
            raise _Refusal(0x6700)
        if key.opened_by is not None and key.opened_by not in self._verified:
            raise _Refusal(0x6982)
        return key.key.sign(_build_payload(command.p1, command.data), PKCS1v15(), NoDigestInfo())

    def _require_key(self, p2: int) -> KeyFile:
        if p2 == 0x00:
            application = self._application
            if application is None or application.default_key is None:
                raise _Refusal(0x6A88)
            return application.default_key
        if not p2 & 0x80:
            raise _Refusal(0x6A86)
        file = self._require_current() if p2 == 0x80 else self._find_short(p2)
        if not isinstance(file, KeyFile):
            raise _Refusal(0x6981)
        return file

    def _challenge(self, command: CommandApdu) -> bytes:
        if command.p1 or command.p2:
            raise _Refusal(0x6A86)
        if command.data or command.expected is None:
            raise _Refusal(0x6700)
        if command.extended:
            raise _Refusal(0x6985)
        return self._entropy(command.expected)

    def _require_extended(self, command: CommandApdu) -> None:
        if command.extended and not self._profile.switches.extended_length:
            raise _Refusal(0x6700)

    @property
    def _application(self) -> CardApplication | None:
        return self._applications.get(self._name) if self._name else None

    def _require_current(self) -> CardFile:
        if self._application is None or self._current is None:
            raise _Refusal(0x6986)
        return self._application.files[self._current]

    def _find_short(self, parameter: int) -> CardFile:
        if parameter & 0x60 or not self._profile.switches.short_ids:
            raise _Refusal(0x6A86)
        return self._find(parameter & 0x1F)

    def _find(self, identifier: int) -> CardFile:
        """Make a file the current one."""
        if self._application is None or identifier not in self._application.files:
            raise _Refusal(0x6A82)
        self._current = identifier
        return self._application.files[identifier]


def _build_payload(p1: int, data: bytes) -> bytes:
    """What the card pads and signs, by P1: as it is, a bare hash, or a DigestInfo of a hash given or made."""
    if p1 == 0x00:
        return data
    if p1 == 0x01:
        return hashlib.sha256(data).digest()
    digest = data if p1 == 0x02 else hashlib.sha256(data).digest()
    if len(digest) != hashlib.sha256().digest_size:
        raise _Refusal(0x6985)
    return _SHA256_DIGEST_INFO + digest

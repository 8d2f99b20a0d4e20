"""Messages of SIP2 (3M Standard Interchange Protocol 2.00) as bytes and back: the four that the kiosk uses. PURE.

93 login, 99 status of the terminal, 23 patron status, 35 end of the session, and their answers. There is no way here to
build 01 (block patron): it would take the person's card out of use. Of an answer only what decides is kept: names,
addresses and birth dates that a library sends along are dropped where they are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

END = b"\r"
MAXIMUM_BYTES = 4096
LIBRARY_ZONE = timezone(timedelta(hours=9))
JAPANESE = "001"  # the language code is the ACS's; 000 and 001 are understood everywhere
RESEND = "97"
Charset = Literal["utf-8", "cp932"]

_KEPT = frozenset({"AA", "BL", "BX"})
_ANSWERS: Mapping[str, int] = {"94": 1, "98": 34, "24": 35, "36": 19, "96": 0}
"""The length of the fixed part, in characters."""


class Sip2Malformed(ValueError):
    """Not a message of the protocol. Says no more: what was sent could be about a person."""


class Sip2Garbled(Sip2Malformed):
    """The checksum does not fit: asked for again."""


@dataclass(frozen=True, slots=True, repr=False)
class Sip2Answer:
    """`fixed` is the fixed part, `fields` those that are kept; `sequence` is "" where the ACS sends none."""

    code: str
    fixed: str
    fields: Mapping[str, str]
    sequence: str


@dataclass(frozen=True, slots=True, repr=False)
class PatronStatus:
    """`denied`: charge privileges are denied, or the card is reported lost. `valid` None: the ACS does not say."""

    number: str
    valid: bool | None
    denied: bool


def build_login(sequence: int, user: str, password: str, location: str, charset: Charset) -> bytes:
    """93. No algorithm: neither user nor password is encrypted, which is why the line has to be."""
    return _build(f"9300CN{user}|CO{password}|CP{location}|", sequence, charset)


def build_terminal_status(sequence: int, charset: Charset) -> bytes:
    """99: everything is well, 80 columns, protocol 2.00."""
    return _build("9900802.00", sequence, charset)


def build_patron_status_request(
    sequence: int, number: str, institution: str, terminal_password: str, now: datetime, charset: Charset
) -> bytes:
    """23, with an empty patron password."""
    head = f"23{JAPANESE}{_build_date(now)}"
    return _build(f"{head}AO{institution}|AA{number}|AC{terminal_password}|AD|", sequence, charset)


def build_end_session(
    sequence: int, number: str, institution: str, terminal_password: str, now: datetime, charset: Charset
) -> bytes:
    """35."""
    text = f"35{_build_date(now)}AO{institution}|AA{number}|AC{terminal_password}|AD|"
    return _build(text, sequence, charset)


def build_resend_request() -> bytes:
    """97: the last answer came garbled. It has a checksum and no sequence number."""
    return _seal(f"{RESEND}AZ".encode("ascii"))


def derive_checksum(message: bytes) -> str:
    """Four hexadecimal digits which, added to all bytes up to and with `AZ`, give zero in 16 bits."""
    return f"{-sum(message) & 0xFFFF:04X}"


def parse_answer(line: bytes, charset: Charset, *, checksum: bool = True) -> Sip2Answer:
    """One line; `checksum`: one without a checksum counts as garbled. Raises `Sip2Garbled`, `Sip2Malformed`."""
    line = line.strip(b"\r\n")
    if len(line) > MAXIMUM_BYTES or not line:
        raise Sip2Malformed("length")
    body, sequence = _open(line, checksum)
    try:
        text = body.decode(charset)  # before the fields are parted: the second byte of a sign in cp932 can be a |
    except UnicodeDecodeError:
        raise Sip2Malformed("charset") from None
    code, rest = text[:2], text[2:]
    if code not in _ANSWERS or len(rest) < _ANSWERS[code]:
        raise Sip2Malformed("code or fixed part")
    fixed, tail = rest[: _ANSWERS[code]], rest[_ANSWERS[code] :]
    fields: dict[str, str] = {}
    for part in tail.split("|"):
        name = part[:2]
        if name in _KEPT:
            if name in fields:
                raise Sip2Malformed("field twice")
            fields[name] = part[2:]
    return Sip2Answer(code, fixed, fields, sequence)


def judge_login(answer: Sip2Answer) -> bool:
    """94."""
    return answer.fixed == "1"


def judge_terminal_status(answer: Sip2Answer) -> bool:
    """98: the ACS is online and, where it lists what it supports, answers patron status."""
    supported = answer.fields.get("BX", "Y")
    return answer.fixed[:1] == "Y" and supported[:1] == "Y"


def judge_patron_status(answer: Sip2Answer) -> PatronStatus:
    """24. Raises `Sip2Malformed` for flags that are neither set nor empty."""
    flags = answer.fixed[:14]
    if set(flags) - {" ", "Y"}:
        raise Sip2Malformed("flags")
    valid = {"Y": True, "N": False}.get(answer.fields.get("BL", ""))
    return PatronStatus(answer.fields.get("AA", ""), valid, denied="Y" in (flags[0], flags[4]))


def _build_date(now: datetime) -> str:
    """Local time of the library, four blanks for the zone."""
    return now.astimezone(LIBRARY_ZONE).strftime("%Y%m%d    %H%M%S")


def _build(text: str, sequence: int, charset: Charset) -> bytes:
    return _seal(f"{text}AY{sequence % 10}AZ".encode(charset))


def _seal(message: bytes) -> bytes:
    return message + derive_checksum(message).encode("ascii") + END


def _open(line: bytes, checksum: bool) -> tuple[bytes, str]:
    """The message without its trailer, and its sequence number."""
    if line[-6:-4] != b"AZ":
        if checksum:
            raise Sip2Garbled("no checksum")
        return line, ""
    if derive_checksum(line[:-4]).encode("ascii") != line[-4:].upper():
        raise Sip2Garbled("checksum")
    body = line[:-6]
    if len(body) >= 3 and body[-3:-1] == b"AY" and body[-1:].isdigit():
        return body[:-3], body[-1:].decode("ascii")
    return body, ""

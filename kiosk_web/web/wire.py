"""What a browser or a bridge may send: strict JSON and exact fields (`docs/wire.md`, conventions and 8). PURE.

Every refusal is a `NotStrict` with fixed words: what was sent is never quoted.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, get_args

from kiosk_web.session import events as e
from kiosk_web.session import facts

MAXIMUM_BODY = 64 * 1024
MAXIMUM_DEPTH = 4
MAXIMUM_CERTIFICATE = 8 * 1024
MAXIMUM_SIGNATURE = 1024
MAXIMUM_RECORD = 1024
MAXIMUM_ITEMS = 4096  # the basic 4 information: 700 signs of at most 4 bytes, and their lengths
MAXIMUM_NUMBER = 2**53 - 1
VERSION = 1

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STAFF_NUMBER = re.compile(r"[0-9]{4,8}")
_USER_NUMBER = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_STAFF_CODE = re.compile(r"[0-9]{6}")


class NotStrict(ValueError):
    """Not what the wire allows."""


def read_object(body: bytes, *fields: str) -> dict[str, Any]:
    """The JSON object in `body` with `v` = 1 and exactly `fields` beside it. Raises `NotStrict`."""
    if len(body) > MAXIMUM_BODY:
        raise NotStrict("too long")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except NotStrict:
        raise
    except (ValueError, RecursionError):
        raise NotStrict("not JSON") from None
    if _depth(value) > MAXIMUM_DEPTH:
        raise NotStrict("too deep")
    require_fields(value, "v", *fields)
    if type(value["v"]) is not int or value["v"] != VERSION:
        raise NotStrict("another version")
    return dict(value)


def require_fields(value: object, *fields: str) -> None:
    """An object with exactly these keys. Raises `NotStrict`."""
    if not isinstance(value, dict):
        raise NotStrict("not an object")
    if value.keys() != set(fields):
        raise NotStrict("missing or unknown field")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotStrict("duplicate key")
    return value


def _refuse_constant(_name: str) -> NoReturn:
    raise NotStrict("not a number")


def _depth(value: object) -> int:
    """Nesting of objects and lists, level by level so that no depth exhausts the stack."""
    depth, level = 0, [value]
    while containers := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in containers for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def read_binary(value: object, *, minimum: int, maximum: int) -> bytes:
    """base64url without padding, in its one canonical spelling. Raises `NotStrict`."""
    if not isinstance(value, str) or len(value) > maximum * 2:
        raise NotStrict("not base64url")
    try:
        data = base64.b64decode(value.encode("ascii") + b"=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise NotStrict("not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii") != value:
        raise NotStrict("not base64url")
    if not minimum <= len(data) <= maximum:
        raise NotStrict("wrong length")
    return data


def read_text(value: object, pattern: re.Pattern[str]) -> str:
    """Text of exactly this form. Raises `NotStrict`."""
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise NotStrict("malformed text")
    return value


def read_flag(value: object) -> bool:
    """True or false. Raises `NotStrict`."""
    if not isinstance(value, bool):
        raise NotStrict("not true or false")
    return value


def read_number(value: object) -> int:
    """A whole number that is not negative. Raises `NotStrict`."""
    if type(value) is not int or not 0 <= value <= MAXIMUM_NUMBER:
        raise NotStrict("malformed number")
    return value


def _id(value: object) -> str:
    return read_text(value, _ID)


def _optional_id(value: object) -> str:
    return "" if value == "" else _id(value)


def _name(value: object) -> str:
    return read_text(value, _NAME)


def _tries(value: object) -> int:
    number = read_number(value)
    if number > 15:  # a status word 63Cx has no room for more
        raise NotStrict("malformed number")
    return number


def _optional_tries(value: object) -> int | None:
    return None if value is None else _tries(value)


def _certificate(value: object) -> bytes:
    return read_binary(value, minimum=1, maximum=MAXIMUM_CERTIFICATE)


def _card_signature(value: object) -> bytes:
    return read_binary(value, minimum=1, maximum=MAXIMUM_SIGNATURE)


def _card_record(value: object) -> bytes:
    return read_binary(value, minimum=1, maximum=MAXIMUM_RECORD)


def _items(value: object) -> bytes:
    return read_binary(value, minimum=1, maximum=MAXIMUM_ITEMS)


def _staff_number(value: object) -> str:
    return read_text(value, _STAFF_NUMBER)


def _user_number(value: object) -> str:
    """As somebody types it or a reader sends it: what it must be is the system's to say."""
    return read_text(value, _USER_NUMBER)


def _staff_code(value: object) -> str:
    return read_text(value, _STAFF_CODE)


def _signature(value: object) -> bytes:
    return read_binary(value, minimum=64, maximum=64)


def _one_of(values: tuple[object, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in values:
            raise NotStrict("unknown value")
        return value

    return read


_EVENTS: Mapping[str, tuple[type, Mapping[str, Callable[[object], object]]]] = {
    "service_chosen": (e.ServiceChosen, {"service": _name}),
    "card_changed": (
        e.CardChanged,
        {
            "reader": _one_of(get_args(facts.ReaderCondition)),
            "card": _one_of(get_args(facts.CardCondition)),
            "instance": _optional_id,
        },
    ),
    "certificate_read": (
        e.CertificateRead,
        {
            "challenge": _id,
            "certificate": _certificate,
            "tries_left": _tries,
            "counter": read_number,
            "signature": _signature,
        },
    ),
    "pin_submitted": (e.PinSubmitted, {"challenge": _id}),
    "pin_refused": (e.PinRefused, {"challenge": _id, "tries_left": _tries}),
    "last_try_confirmed": (e.LastTryConfirmed, {}),
    "signed": (
        e.Signed,
        {
            "challenge": _id,
            "certificate": _certificate,
            "card_signature": _card_signature,
            "counter": read_number,
            "signature": _signature,
        },
    ),
    "enrolment_signed": (
        e.EnrolmentSigned,
        {
            "challenge": _id,
            "certificate": _certificate,
            "card_signature": _card_signature,
            "record": _card_record,
            "issuer": _card_record,
            "counter": read_number,
            "signature": _signature,
        },
    ),
    "kazashi_wanted": (e.KazashiWanted, {}),
    "consent_given": (e.ConsentGiven, {}),
    "kazashi_stopped": (e.KazashiStopped, {}),
    "terms_agreed": (e.TermsAgreed, {}),
    "link_wanted": (e.LinkWanted, {}),
    "number_entered": (e.NumberEntered, {"number": _user_number}),
    "staff_asked": (e.StaffAsked, {}),
    "staff_identified": (e.StaffIdentified, {"number": _staff_number, "code": _staff_code}),
    "staff_signed_out": (e.StaffSignedOut, {}),
    "basic_four_wanted": (e.BasicFourWanted, {}),
    "text_ready": (e.TextReady, {"challenge": _id, "pin_tries_left": _tries, "code_tries_left": _tries}),
    "text_way_chosen": (e.TextWayChosen, {"way": _one_of(get_args(facts.TextWay))}),
    "basic_four_read": (
        e.BasicFourRead,
        {"challenge": _id, "items": _items, "counter": read_number, "signature": _signature},
    ),
    "bridge_failed": (e.BridgeFailed, {"challenge": _optional_id, "code": _name, "tries_left": _optional_tries}),
    "bridge_lost": (e.BridgeLost, {"cause": _name}),
    "cancelled": (e.Cancelled, {}),
    "finished": (e.Finished, {}),
    "extended": (e.Extended, {}),
    "help_called": (e.HelpCalled, {}),
    "language_chosen": (e.LanguageChosen, {"language": _one_of(get_args(facts.Language))}),
    "text_size_chosen": (e.TextSizeChosen, {"size": _one_of(get_args(facts.TextSize))}),
}
EVENT_NAMES: Mapping[str, type] = {name: kind for name, (kind, _) in _EVENTS.items()}


def read_event(body: bytes) -> tuple[int, e.PageEvent]:
    """(seq, event) of `POST /k/events`. Raises `NotStrict`."""
    message = read_object(body, "seq", "event")
    seq, value = read_number(message["seq"]), message["event"]
    if not isinstance(value, dict) or not isinstance(value.get("type"), str) or value["type"] not in _EVENTS:
        raise NotStrict("unknown event")
    kind, fields = _EVENTS[value["type"]]
    require_fields(value, "type", *fields)
    event: e.PageEvent = kind(**{name: read(value[name]) for name, read in fields.items()})
    return seq, event

"""JSON as the wire allows it: one object, no duplicate key, no NaN, little depth, exact types (`docs/wire.md`,
conventions). PURE.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NoReturn

MAXIMUM_DEPTH = 4


class NotStrict(ValueError):
    """The text is not what the wire allows. The reason is one of a few fixed words and never quotes the text."""


def parse_object(text: str | bytes, *, limit: int) -> dict[str, Any]:
    """The one JSON object in `text` of at most `limit` bytes of UTF-8. Raises `NotStrict`."""
    if isinstance(text, str):
        try:
            text = text.encode()
        except UnicodeEncodeError:
            raise NotStrict("not UTF-8") from None
    if len(text) > limit:
        raise NotStrict("too long")
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except NotStrict:
        raise
    except (ValueError, RecursionError):
        # from None: the exception of the parser holds the whole text, and the text may hold a secret
        raise NotStrict("not JSON") from None
    if not isinstance(value, dict):
        raise NotStrict("not an object")
    if _depth(value) > MAXIMUM_DEPTH:
        raise NotStrict("too deep")
    return value


def build_text(value: dict[str, Any]) -> str:
    """Compact JSON, ASCII only."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def encode_base64url(value: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """The bytes behind the one canonical spelling: without padding, without spare bits. Raises `NotStrict`."""
    try:
        value = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise NotStrict("not base64url") from None
    if encode_base64url(value) != text:
        raise NotStrict("not base64url")
    return value


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

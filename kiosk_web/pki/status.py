"""The status of a certificate: six outcomes that never fold into one another, each with the evidence it rests on.

"Could not confirm" (`Unknown`, `Unavailable`, `Stale`) is neither `Good` nor `Revoked`. The JSON form is for the
database during a session; it is strict both ways.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, assert_never

Method = Literal["ocsp", "crl"]
Cause = Literal["window", "manager", "automatic"]


@dataclass(frozen=True, slots=True)
class Opening:
    """Why a list was allowed to stand in for the responder, since when and until when (`pki/fallback.py`).

    `ask_responder`: False in a window that says that nobody is there to ask.
    """

    cause: Cause
    since: datetime
    until: datetime
    ask_responder: bool = True


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an outcome rests on. Times are aware; `sha256` is the hash of the answer's bytes, empty without one.

    `responder` is the address that was asked; `signer` says who signed: `issuer`, `delegate:` or `pinned:` with 16
    digits of a hash, or empty. `cached`: it was judged again from an answer kept since `checked_at`.
    `certificate_sha256` binds the outcome to one certificate. With method `crl` the answer is a list: its crlNumber,
    and the `opening` that let it stand in for the responder, None where the policy names lists themselves.
    `derive_kept_evidence` leaves out what leads to a person or to the municipality of a list.
    """

    method: Method
    this_update: datetime | None
    next_update: datetime | None
    produced_at: datetime | None
    responder: str
    sha256: bytes
    checked_at: datetime
    signer: str = ""
    certificate_sha256: bytes = b""
    crl_number: int | None = None
    opening: Opening | None = None
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Good:
    """The responder says, signed and fresh: in force."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Revoked:
    """No longer in force since `at`, for good. `reason`: the CRLReason as received (RFC 5280 5.3.1), or None."""

    at: datetime
    reason: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class OnHold:
    """Suspended since `at` (certificateHold); a newer answer may lift it."""

    at: datetime
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Unknown:
    """The responder says, signed and fresh, that it does not know the certificate."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No answer that counts. `why` is a stable lower-case word of `docs/validation.md`."""

    why: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Stale:
    """A well-signed answer that is too old, expired, or older than one already seen; `why` says which."""

    why: str
    evidence: Evidence


CertificateStatus = Good | Revoked | OnHold | Unknown | Unavailable | Stale


@dataclass(frozen=True, slots=True)
class HighWaterMark:
    """The newest signed statement about one certificate. Answers may not fall behind it; a revocation in it stays."""

    this_update: datetime
    held: bool = False
    revoked_at: datetime | None = None
    revoked_reason: str | None = None


def derive_mark(status: CertificateStatus, previous: HighWaterMark | None) -> HighWaterMark | None:
    """The mark after `status`: raised by what was signed and fresh, unchanged by everything else.

    Of a list that is `Good` only the lifting of a hold is kept: its thisUpdate is that of thousands of certificates and
    has a mark of its own, and the responder's answers follow another beat.
    """
    match status:
        case Good(evidence) if evidence.method == "crl" and (previous is None or not previous.held):
            return previous
        case Good(evidence):
            mark = _build_mark(evidence, held=False)
        case OnHold(_, evidence):
            mark = _build_mark(evidence, held=True)
        case Revoked(at, reason, evidence):
            mark = _build_mark(evidence, held=False, revoked_at=at, revoked_reason=reason)
        case Unknown(evidence):
            mark = _build_mark(evidence, held=previous is not None and previous.held)
        case Unavailable() | Stale():
            return previous
        case _:
            assert_never(status)
    return mark if previous is None else merge_marks(previous, mark)


def _build_mark(
    evidence: Evidence, *, held: bool, revoked_at: datetime | None = None, revoked_reason: str | None = None
) -> HighWaterMark:
    if evidence.this_update is None:
        raise ValueError("a signed status has a thisUpdate")
    return HighWaterMark(evidence.this_update, held, revoked_at, revoked_reason)


def merge_marks(one: HighWaterMark, other: HighWaterMark) -> HighWaterMark:
    """The higher of both: newest thisUpdate, its hold (either one's at the same moment), any revocation.

    The order of the two does not matter, so that several hosts may record at once.
    """
    older, newer = sorted((one, other), key=lambda mark: mark.this_update)
    held = older.held or newer.held if older.this_update == newer.this_update else newer.held
    revoked = sorted(
        (mark.revoked_at, mark.revoked_reason or "") for mark in (one, other) if mark.revoked_at is not None
    )
    at, reason = revoked[0] if revoked else (None, "")
    return HighWaterMark(newer.this_update, held, at, reason or None)


class StatusMalformed(ValueError):
    """A stored status cannot be read back: nothing may be concluded from it."""


_KINDS: dict[str, type[Good | Revoked | OnHold | Unknown | Unavailable | Stale]] = {
    "good": Good,
    "revoked": Revoked,
    "on_hold": OnHold,
    "unknown": Unknown,
    "unavailable": Unavailable,
    "stale": Stale,
}


def name_outcome(status: CertificateStatus) -> str:
    """The outcome as one word of a closed list: good, revoked, on_hold, unknown, unavailable, stale."""
    match status:
        case Good():
            return "good"
        case Revoked():
            return "revoked"
        case OnHold():
            return "on_hold"
        case Unknown():
            return "unknown"
        case Unavailable():
            return "unavailable"
        case Stale():
            return "stale"
        case _:
            assert_never(status)


def derive_kept_evidence(evidence: Evidence) -> Evidence:
    """What may be kept after the session: the evidence without what leads to a person, or to the municipality of a
    list. The lists of one day differ in number, hash and seconds, so their times are kept to the hour.
    """
    if evidence.method == "ocsp":
        return replace(evidence, certificate_sha256=b"")
    this_update, next_update = derive_kept_times(evidence)
    return replace(
        evidence,
        certificate_sha256=b"",
        sha256=b"",
        crl_number=None,
        this_update=this_update,
        next_update=next_update,
    )


def derive_kept_times(evidence: Evidence) -> tuple[datetime | None, datetime | None]:
    """thisUpdate and nextUpdate as `derive_kept_evidence` has them."""
    if evidence.method == "ocsp":
        return evidence.this_update, evidence.next_update
    return _floor_to_hour(evidence.this_update), _floor_to_hour(evidence.next_update)


def _floor_to_hour(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(minute=0, second=0, microsecond=0)


def to_json(status: CertificateStatus) -> str:
    """Write a status for the database."""
    document: dict[str, object] = {"version": 1, "outcome": name_outcome(status)}
    match status:
        case Revoked(at, reason, _):
            document |= {"at": _dump_time(at), "reason": reason}
        case OnHold(at, _):
            document |= {"at": _dump_time(at)}
        case Unavailable(why, _) | Stale(why, _):
            document |= {"why": why}
        case Good() | Unknown():
            pass
        case _:
            assert_never(status)
    document["evidence"] = _dump_evidence(status.evidence)
    return json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> CertificateStatus:
    """Read a status back. Raises `StatusMalformed` for anything `to_json` would not have written."""
    try:
        document = json.loads(text, object_pairs_hook=_refuse_duplicates)
        status = _load_status(document)
        written = to_json(status)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise StatusMalformed(f"not a stored status ({type(error).__name__})") from None
    if written != json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":")):
        raise StatusMalformed("not a stored status (another form)")
    return status


def _load_status(document: Any) -> CertificateStatus:
    evidence = _load_evidence(document["evidence"])
    kind = _KINDS[document["outcome"]]
    if kind is Revoked:
        return Revoked(_load_time(document["at"]), _load_reason(document["reason"]), evidence)
    if kind is OnHold:
        return OnHold(_load_time(document["at"]), evidence)
    if kind is Unavailable:
        return Unavailable(_load_text(document["why"]), evidence)
    if kind is Stale:
        return Stale(_load_text(document["why"]), evidence)
    return Good(evidence) if kind is Good else Unknown(evidence)


def _dump_evidence(evidence: Evidence) -> dict[str, object]:
    return {
        "method": evidence.method,
        "this_update": _dump_time(evidence.this_update) if evidence.this_update else None,
        "next_update": _dump_time(evidence.next_update) if evidence.next_update else None,
        "produced_at": _dump_time(evidence.produced_at) if evidence.produced_at else None,
        "responder": evidence.responder,
        "sha256": evidence.sha256.hex(),
        "checked_at": _dump_time(evidence.checked_at),
        "signer": evidence.signer,
        "certificate_sha256": evidence.certificate_sha256.hex(),
        "crl_number": evidence.crl_number,
        "opening": None if evidence.opening is None else _dump_opening(evidence.opening),
        "cached": evidence.cached,
    }


def _dump_opening(opening: Opening) -> dict[str, object]:
    return {
        "cause": opening.cause,
        "since": _dump_time(opening.since),
        "until": _dump_time(opening.until),
        "ask_responder": opening.ask_responder,
    }


def _load_evidence(fields: Any) -> Evidence:
    method = fields["method"]
    if method not in ("ocsp", "crl"):
        raise ValueError("method")
    return Evidence(
        method=method,
        this_update=_load_time(fields["this_update"]) if fields["this_update"] is not None else None,
        next_update=_load_time(fields["next_update"]) if fields["next_update"] is not None else None,
        produced_at=_load_time(fields["produced_at"]) if fields["produced_at"] is not None else None,
        responder=_load_text(fields["responder"]),
        sha256=bytes.fromhex(fields["sha256"]),
        checked_at=_load_time(fields["checked_at"]),
        signer=_load_text(fields["signer"]),
        certificate_sha256=bytes.fromhex(fields["certificate_sha256"]),
        crl_number=_load_number(fields["crl_number"]),
        opening=None if fields["opening"] is None else _load_opening(fields["opening"]),
        cached=_load_flag(fields["cached"]),
    )


def _load_opening(fields: Any) -> Opening:
    cause, ask_responder = fields["cause"], fields["ask_responder"]
    if cause not in ("window", "manager", "automatic") or not isinstance(ask_responder, bool):
        raise ValueError("opening")
    return Opening(cause, _load_time(fields["since"]), _load_time(fields["until"]), ask_responder)


def _dump_time(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError("naive time")
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _load_time(value: Any) -> datetime:
    time = datetime.fromisoformat(value)
    if time.utcoffset() is None:
        raise ValueError("naive time")
    return time


def _load_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _load_number(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise TypeError("number")
    return value


def _load_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("flag")
    return value


def _load_reason(value: Any) -> str | None:
    return None if value is None else _load_text(value)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("duplicate key")
    return fields

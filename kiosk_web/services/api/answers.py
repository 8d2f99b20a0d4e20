"""What a client is told of a card at its own reader, and what is recorded of it. Nothing is asked of anybody here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from kiosk_web.identity.standing import HolderStanding
from kiosk_web.pki.outcomes import OUTCOMES, Outcome
from kiosk_web.pki.signature import build_card_message
from kiosk_web.pki.status import (
    CertificateStatus,
    Evidence,
    OnHold,
    Revoked,
    Stale,
    Unavailable,
    derive_kept_times,
    name_outcome,
)
from kiosk_web.pki.verdict import Verdict
from kiosk_web.services.ports.remote import RemoteChallengeRecord, RemoteVisitRecord

METHOD: Literal["pin"] = "pin"
EXPIRES_SOON = timedelta(days=92)


@dataclass(frozen=True)
class NotPermitted:
    """What the client may not ask for. A system that does not exist is refused like one of somebody else's."""

    what: Literal["system", "origin", "method", "stage"]


@dataclass(frozen=True)
class ChallengeNotUsable:
    """Unknown, somebody else's, used before, or too old: which of these is not told."""


@dataclass(frozen=True)
class IdentifierUnknown:
    """There is no such PPID in this system; one of another system is answered alike."""


@dataclass(frozen=True)
class RemoteVerdict:
    """What a client is told. `ppid` is None unless the verdict accepted; `evidence` None where nobody was asked.

    `standing`: what the register says of the holder, None unless the client asked for it and the verdict accepted.
    """

    outcome: Outcome
    reason: str | None
    reference: str
    system: str
    judged_at: datetime
    ppid: str | None = None
    expires_soon: bool | None = None
    evidence: Evidence | None = None
    standing: HolderStanding | None = None


def build_remote_message(challenge: RemoteChallengeRecord, certificate_sha256: bytes) -> bytes:
    """What the card signs, rebuilt from the stored challenge: `terminal` is the client, `session` the challenge,
    `service` the cooperating system (docs/api.md).
    """
    return build_card_message(
        method=METHOD,
        purpose=challenge.purpose,
        origin=challenge.origin,
        terminal=challenge.client,
        session=challenge.id,
        service=challenge.system,
        nonce=challenge.nonce,
        certificate_sha256=certificate_sha256,
    )


def build_answer(
    challenge: RemoteChallengeRecord,
    verdict: Verdict,
    status: CertificateStatus | None,
    now: datetime,
    ppid: str | None,
    expires_soon: bool | None,
) -> RemoteVerdict:
    outcome = OUTCOMES[verdict.refusal_code]
    reason: str | None = None
    match outcome, status:
        case "revoked", Revoked(_, said, _):
            reason = said
        case "on_hold", OnHold():
            reason = "certificateHold"
        case "unavailable" | "stale", Unavailable(why, _) | Stale(why, _):
            reason = why
        case "unavailable", _:  # good when it was asked, and not on the way that holds now
            reason = "clock_unreliable" if verdict.refusal_code == "clock_unreliable" else "no_policy"
        case "stale", _:
            reason = "too_old"
        case _:
            pass
    evidence = None if status is None else status.evidence
    return RemoteVerdict(outcome, reason, challenge.reference, challenge.system, now, ppid, expires_soon, evidence)


def build_record(
    challenge: RemoteChallengeRecord, verdict: Verdict, status: CertificateStatus | None, now: datetime
) -> RemoteVisitRecord:
    evidence = None if status is None else status.evidence
    this_update, next_update = (None, None) if evidence is None else derive_kept_times(evidence)
    return RemoteVisitRecord(
        reference=challenge.reference,
        client=challenge.client,
        system=challenge.system,
        outcome="accepted" if verdict.accepted else "refused",
        code=verdict.refusal_code,
        status_outcome="" if status is None else name_outcome(status),
        status_method="" if evidence is None else evidence.method,
        fallback="" if evidence is None or evidence.opening is None else evidence.opening.cause,
        this_update=this_update,
        next_update=next_update,
        started_at=challenge.issued_at,
        ended_at=now,
    )

"""The diagram of `docs/session.md`, drawn from the table: every state and every event that changes it. PURE.

Where an event leads is found by trying it on one example of each state, so the picture cannot differ from the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.machine import IllegalEvent, step
from kiosk_web.session.table import TABLE
from kiosk_web.session.terms_change import TermsChange

_CHALLENGE = "c"
_HASH = "00" * 32
_HERE = facts.Presence("ready", "ours", "i")


def build_examples(now: datetime) -> tuple[s.State, ...]:
    """At least one value of every state; a state whose next step depends on its content comes in every such shape."""
    soon = now + timedelta(seconds=60)
    idle = s.Visit("p", 1)
    visit = s.Visit("p", 1, _HERE, service="x", reference="r", started_at=now)
    asked = replace(visit, reading=facts.AskedReading("r"))
    known = facts.StatusEvidence("{}", now)
    fresh = facts.CardEvidence(_CHALLENGE, _HASH, 3, known, status_asked=True)
    waiting = facts.CardEvidence(_CHALLENGE, _HASH, 3, None, status_asked=True)
    result = s.Result(visit, soon, "type1", "ppid", "x", False, now, "ocsp", now, True)
    enrolling = replace(visit, purpose="enrol", method="kazashi", consent="kazashi", proven_certificate=_HASH)
    tapping = replace(visit, method="kazashi")
    registered = replace(result, kazashi="on", certificate_sha256=_HASH, card="i")
    offered = replace(registered, kazashi="offered")
    linkable = replace(result, card="i", link="open")
    reading = replace(
        visit,
        purpose="basic_four",
        consent="basic_four",
        proven_certificate=_HASH,
        reached=replace(registered, kazashi=""),
    )
    tries = facts.TextTries(3, 10)
    refused = s.Refused(visit, soon, "cancelled", True)
    return (
        s.Connecting(),
        s.ChoosingService(idle),
        s.ChoosingService(visit, soon),
        s.AwaitingCard(replace(visit, presence=facts.Presence()), soon),
        s.AwaitingCard(replace(asked, presence=facts.Presence()), soon),
        s.ReadingCard(visit, soon, _CHALLENGE),
        s.AwaitingPin(visit, waiting, soon, soon),
        s.AwaitingPin(asked, waiting, soon, soon),
        s.ConfirmingLastPin(visit, waiting, soon, soon),
        s.CheckingPin(visit, waiting, soon, soon),
        s.AwaitingBirth(enrolling, waiting, soon, soon),
        s.CheckingCard(tapping, waiting, soon, None),
        s.CheckingCard(enrolling, waiting, soon, soon),
        s.Checking(visit, waiting, soon),
        s.Checking(visit, fresh, soon, proven=True),
        s.Checking(enrolling, fresh, soon, proven=True),
        s.Agreeing(visit, fresh, soon, (TermsChange("terms-of-use", "2", "1", now),)),
        s.Checking(reading, fresh, soon, proven=True, text=tries),
        s.Checking(reading, fresh, soon, proven=True, permitted=True),
        s.AwaitingText(reading, fresh, soon, tries),
        s.CheckingText(reading, fresh, soon),
        result,
        replace(result, card_held=False, visit=replace(visit, presence=facts.Presence())),
        offered,
        registered,
        replace(registered, basic_four="failed", basic_four_code="text_secret_wrong"),
        s.BasicFourSent(visit, registered, soon, soon, True),
        s.Consenting(visit, offered, soon),
        linkable,
        s.EnteringNumber(visit, linkable, soon),
        s.EnteringNumber(visit, replace(linkable, link_tries=4), soon),
        s.ConfirmingLink(visit, linkable, soon),
        s.Consenting(visit, registered, soon, "basic_four"),
        s.KazashiSet(visit, soon, True, True),
        s.StaffSigningIn(idle, soon),
        refused,
        replace(refused, card_held=False, visit=replace(visit, presence=facts.Presence())),
        s.TakingCard(visit),
        s.Superseded(),
        s.OutOfService("bridge_lost", visit),
    )


def build_example_events(now: datetime) -> tuple[e.Event, ...]:
    """At least one value of every event, in every shape that makes a difference."""
    return (
        e.ServiceChosen("x"),
        e.CardChanged("ready", "ours", "i"),
        e.CardChanged("ready", "ours", "other"),
        e.CardChanged("ready", "none", ""),
        e.CardChanged("ready", "unknown", "u"),
        e.CardChanged("missing", "none", ""),
        e.CertificateRead(_CHALLENGE, b"", 3, 1, b""),
        e.PinSubmitted(_CHALLENGE),
        e.PinRefused(_CHALLENGE, 2),
        e.PinRefused(_CHALLENGE, 1),
        e.PinRefused(_CHALLENGE, 0),
        e.LastTryConfirmed(),
        e.Signed(_CHALLENGE, b"", b"", 2, b""),
        e.EnrolmentSigned(_CHALLENGE, b"", b"", b"", b"", 2, b""),
        e.KazashiWanted(),
        e.ConsentGiven(),
        e.KazashiStopped(),
        e.LinkWanted(),
        e.NumberEntered("n"),
        e.TermsAgreed(),
        e.StaffAsked(),
        e.StaffIdentified("1234", "c"),
        e.StaffSignedOut(),
        e.BasicFourWanted(),
        e.TextReady(_CHALLENGE, 3, 10),
        e.TextWayChosen("code"),
        e.BasicFourRead(_CHALLENGE, b"", 3, b""),
        e.BridgeFailed(_CHALLENGE, "card_removed", None),
        e.BridgeFailed(_CHALLENGE, "card_error", None),
        e.BridgeLost("bridge_lost"),
        e.Cancelled(),
        e.Finished(),
        e.Extended(),
        e.HelpCalled(),
        e.LanguageChosen("en"),
        e.TextSizeChosen("large"),
        e.PageVerified("q"),
        e.PageVerified("q", again=True),
        e.ChallengeIssued(_CHALLENGE, "t", "r"),
        e.CertificateTrusted(_CHALLENGE, _HASH, 3, True),
        e.CertificateTrusted(_CHALLENGE, _HASH, 1, True),
        e.CertificateTrusted(_CHALLENGE, _HASH, 0, True),
        e.CertificateRejected(_CHALLENGE, "certificate_expired"),
        e.StatusChecked(_CHALLENGE, "", "{}", now),
        e.StatusChecked(_CHALLENGE, "certificate_revoked", "{}", now),
        e.ProofAccepted(_CHALLENGE),
        e.ProofRejected(_CHALLENGE, "evidence_refused"),
        e.ProofRejected(_CHALLENGE, "kazashi_unavailable"),
        e.VisitConcluded(_CHALLENGE, "type1", "ppid", "x", False, now, now),
        e.VisitRejected(_CHALLENGE, "status_stale"),
        e.TermsOutdated(_CHALLENGE, (TermsChange("terms-of-use", "2"),)),
        e.EnrolmentConcluded(_CHALLENGE),
        e.BasicFourPermitted(_CHALLENGE),
        e.BasicFourSealed(_CHALLENGE, now),
        e.BasicFourRejected(_CHALLENGE, "card_data_malformed"),
        e.KazashiEnded(),
        e.NumberAccepted(),
        e.NumberRefused("link_number_unknown"),
        e.NumberLinked(),
        e.LeaseOpened(),
        e.LeaseRefused("staff_code_refused"),
        e.ReadingRequested(facts.AskedReading("r"), "x", now + timedelta(seconds=120)),
        e.ReadingCancelled("r", "reading_withdrawn"),
        e.DeadlinePassed(),
        e.WorkInterrupted(),
        e.TerminalRevoked(),
    )


def derive_arrows(now: datetime) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """(from, to) → the events that lead there. Arrows from a state to itself are left out."""
    arrows: dict[tuple[str, str], dict[str, None]] = {}
    later = now + timedelta(seconds=3600)
    for state in build_examples(now):
        for event in build_example_events(now):
            if not TABLE[type(state)].legal.get(type(event)):
                continue
            try:
                after, _ = step(state, event, later if isinstance(event, e.DeadlinePassed) else now)
            except IllegalEvent:
                continue
            if after.name != state.name:
                arrows.setdefault((state.name, after.name), {})[name_event(type(event))] = None
    return {ends: tuple(names) for ends, names in arrows.items()}


def name_event(event: type) -> str:
    """`PinRefused` → `pin_refused`."""
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in event.__name__).lstrip("_")


def build_document(now: datetime) -> str:
    """The whole of `docs/session.md`."""
    arrows = derive_arrows(now)
    lines = [
        "# The session of a terminal",
        "",
        "Generated by `kiosk_web/session/diagram.py` from the table in `session/table/`; a test keeps it so.",
        "An event that is not in the table of its state is answered `409` and changes nothing.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> connecting",
        *(f"    {source} --> {target}: {_break(names)}" for (source, target), names in arrows.items()),
        "```",
        "",
        "| state | changes it | expected, without effect | refused |",
        "| --- | --- | --- | --- |",
    ]
    for kind, row in TABLE.items():
        name = next(state.name for state in build_examples(now) if type(state) is kind)
        lines.append(f"| `{name}` | {_list(row.legal)} | {_list(row.kept)} | {len(row.illegal)} |")
    lines += [
        "",
        "Times: " + "; ".join(_TIMES) + ".",
        "",
    ]
    return "\n".join(lines)


_TIMES = (
    "a step of the resident 120 s",
    "reading the card 30 s",
    "VERIFY waits at most 3 s for the status",
    "VERIFY and signature 60 s",
    "the verdict 20 s",
    "result and refusal 60 s",
)


def _break(names: Iterable[str]) -> str:
    return ", ".join(names)


def _list(kinds: Iterable[type]) -> str:
    return " ".join(f"`{name}`" for name in sorted(name_event(kind) for kind in kinds)) or "–"

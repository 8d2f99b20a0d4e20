"""The events of an ordinary visit, and what they lead to: what the tests of the session start from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.machine import step
from kiosk_web.session.terms_change import TermsChange

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HERE = facts.Presence("ready", "ours", "card-1")
GONE = e.CardChanged("ready", "none", "")
HERE_EVENT = e.CardChanged("ready", "ours", "card-1")
OTHER = e.CardChanged("ready", "ours", "card-2")
LATER = NOW + timedelta(seconds=3600)


def run(state: s.State, *events: e.Event, now: datetime = NOW) -> tuple[s.State, list[c.Command]]:
    commands: list[c.Command] = []
    for event in events:
        state, wanted = step(state, event, now)
        commands += wanted
    return state, commands


def start() -> s.State:
    return run(s.Connecting(), e.PageVerified("page"))[0]


READ = (
    e.ServiceChosen("library"),
    e.CardChanged("ready", "ours", "card-1"),
    e.ChallengeIssued("c1", "ticket", "ABCD-EFGH"),
)
TRUSTED = e.CertificateTrusted("c1", "ab" * 32, 3, True)
GOOD = e.StatusChecked("c1", "", "{}", NOW)
SIGNED = e.Signed("c1", b"certificate", b"signature", 2, b"terminal")
CONCLUDED = e.VisitConcluded("c1", "library", "mykey_id", "7KX2M9QD", False, NOW, NOW)


def hold(*more: e.Event) -> s.State:
    return run(start(), *READ, TRUSTED, *more)[0]


def orders(state: s.State) -> list[str]:
    return [order.name for order in s.derive_orders(state)]


CHANGES = (TermsChange("terms-of-use", "2", "1", NOW),)


def agreeing() -> s.State:
    return run(hold(GOOD, e.PinSubmitted("c1")), SIGNED, e.ProofAccepted("c1"), e.TermsOutdated("c1", CHANGES))[0]

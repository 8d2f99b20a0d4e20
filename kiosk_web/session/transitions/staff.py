"""Staff who attend a terminal: handlers of the table. PURE."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.transitions.step import STEP_SECONDS, Step, later, start_visit


def ask_staff(state: s.ChoosingService, event: e.StaffAsked, now: datetime) -> Step:
    return s.StaffSigningIn(state.visit, later(now, STEP_SECONDS)), ()


def identify_staff(state: s.StaffSigningIn, event: e.StaffIdentified, now: datetime) -> Step:
    return state, (c.OpenLease(state.visit.page, event.number, event.code),)


def open_lease(state: s.StaffSigningIn, event: e.LeaseOpened, now: datetime) -> Step:
    return start_visit(state.visit, now), ()


def refuse_staff(state: s.StaffSigningIn, event: e.LeaseRefused, now: datetime) -> Step:
    return replace(state, refused=event.code, deadline_at=later(now, STEP_SECONDS)), ()


def leave_staff(state: s.StaffSigningIn, event: e.Cancelled | e.DeadlinePassed, now: datetime) -> Step:
    return start_visit(state.visit, now), ()


def sign_staff_out(state: s.ChoosingService, event: e.StaffSignedOut, now: datetime) -> Step:
    return state, (c.CloseLease(),)


def notice_card_at_staff(state: s.StaffSigningIn, event: e.CardChanged, now: datetime) -> Step:
    presence = facts.Presence(event.reader, event.card, event.instance)
    return replace(state, visit=replace(state.visit, presence=presence)), ()

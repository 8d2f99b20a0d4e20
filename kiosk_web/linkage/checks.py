"""The checks of a linkage test that look at settings, files and database. Each can fail, and says what to mend.

A check is a coroutine from the stand to what it saw; `Failed` ends it. `NotApplicable` is for what the profiles of the
system do not have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from kiosk_web.adapters.clock_state import ClockState
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.commands.doctor import examine_anchors, examine_clock, examine_kazashi
from kiosk_web.errors import KioskError, SettingsError
from kiosk_web.identity.offer import Service
from kiosk_web.identity.systems import CooperatingSystem
from kiosk_web.identity.terms import derive_versions
from kiosk_web.identity.words import Words
from kiosk_web.linkage.report import Finding
from kiosk_web.services.lists.alarms import judge_alarms
from kiosk_web.settings.server import Settings
from kiosk_web.wiring.crl_index import build_limits, build_sources, load_source_states, open_shelf
from kiosk_web.wiring.terms import load_shown_terms


class Failed(Exception):
    """The check did not pass; the text says what to mend."""


class NotApplicable(Exception):
    """The system has nothing of the kind; the text says why."""


@dataclass(frozen=True)
class Stand:
    """What is tested: one system under these settings, with the database beside a server that may be running."""

    settings: Settings
    system: CooperatingSystem
    services: tuple[Service, ...]
    store: SqlStore
    now: datetime
    clock_state: ClockState

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(sorted({service.profile for service in self.services}))

    @property
    def has_screen(self) -> bool:
        """Whether residents use it at a terminal."""
        return any(service.terms.reading_screen for service in self.services)


Check = Callable[[Stand], Awaitable[str]]


async def run_check(name: str, check: Callable[[], Awaitable[str]]) -> Finding:
    """One check. What it did not foresee is a failure too."""
    try:
        return Finding(name, "passed", await check())
    except NotApplicable as why:
        return Finding(name, "not_applicable", str(why))
    except (Failed, KioskError) as why:
        return Finding(name, "failed", str(why))
    except Exception as error:
        return Finding(name, "failed", f"it broke off with {type(error).__name__}")


async def check_services(stand: Stand) -> str:
    if not stand.services:
        raise Failed("the system owns no service: write one into [[services]]")
    return f"{len(stand.services)}: {', '.join(service.id for service in stand.services)}"


async def check_name(stand: Stand) -> str:
    if stand.system.name == Words(stand.system.id, stand.system.id):
        raise Failed("residents would read the id: write its name into [[systems]]")
    return f"{stand.system.name.ja} / {stand.system.name.en}"


async def check_verifier(stand: Stand) -> str:
    settings = stand.settings
    if settings.demo and not settings.verifier.user_authentication.strip():
        raise NotApplicable("a demo asks no one who wants a registered verifier")
    try:
        settings.judge_verifier()
    except SettingsError as error:
        raise Failed(str(error)) from None
    return "named in all roles needed"


async def check_anchors(stand: Stand) -> str:
    settings = stand.settings
    found = examine_anchors(
        settings.anchors,
        production=not settings.demo,
        confirmed_fingerprints=settings.confirmed_fingerprints,
        now=stand.now,
    )
    errors = [line for line in found.lines if line.startswith("error: ")]
    if not found.healthy or errors:
        raise Failed("; ".join(errors) or "the anchors are not healthy: kiosk doctor")
    authorities = sum("user authentication CA" in line for line in found.lines)
    if not authorities:
        raise Failed("there is no anchor of a user-authentication CA")
    return f"{authorities} of user-authentication CAs, none in doubt"


async def check_clock(stand: Stand) -> str:
    """In production always; in a demo where its settings ask for it, as whoever confirms there does."""
    required = not stand.settings.demo or stand.settings.needs_synchronised_clock
    found = examine_clock(stand.clock_state, required=required)
    if not found.healthy:
        raise Failed(found.lines[0].removeprefix("error: "))
    return found.lines[0].removeprefix("clock: ")


async def check_terminals(stand: Stand) -> str:
    if not stand.has_screen:
        raise NotApplicable("no service of it is used at a terminal")
    async with stand.store.read() as transaction:
        records = await transaction.terminals.list_all()
    enrolled = [record for record in records if record.condition == "enrolled"]
    if not enrolled:
        raise Failed("no terminal is enrolled: kiosk terminal add, then kiosk-bridge enrol")
    return f"{len(enrolled)} enrolled"


async def check_lists(stand: Stand) -> str:
    if all(service.status_policy == "ocsp" for service in stand.services):
        raise NotApplicable("its services are confirmed by the responder alone")
    settings = stand.settings
    shelf = open_shelf(settings)
    marks = await SqlListMarks(stand.store).load_all()

    def judge() -> str:
        records = shelf.records()
        alarms = judge_alarms(
            records,
            damaged=shelf.damaged(),
            trouble=shelf.trouble,
            marks=marks,
            sources=[source.name for source in build_sources(settings.crl)],
            states=load_source_states(settings)(),
            limits=build_limits(settings.crl),
            now=stand.now,
        )
        if not records:
            raise Failed("no list is in force: kiosk crl import, or [[crl.sources]]")
        if alarms:
            raise Failed(", ".join(f"{alarm.name} ({alarm.count})" for alarm in alarms) + ": docs/crl.md")
        return f"{len(records)} in force and fresh"

    return await asyncio.to_thread(judge)


async def check_kazashi(stand: Stand) -> str:
    if not any(service.terms.kazashi for service in stand.services):
        raise NotApplicable("its profiles have no kazashi")
    settings = stand.settings
    if not settings.kazashi.is_permitted(production=not settings.demo):
        raise NotApplicable("kazashi is off: everybody is asked for the PIN")
    found = examine_kazashi(settings.kazashi, production=not settings.demo)
    troubles = [line for line in found.lines if line.startswith(("error: ", "warning: "))]
    if troubles:
        raise Failed("; ".join(troubles))
    async with stand.store.read() as transaction:
        staff = [member for member in await transaction.staff.list_all() if member.revoked_at is None]
    if not staff:
        raise Failed("nobody can attend a terminal: kiosk staff add")
    return f"on; {len(staff)} of staff may attend"


async def check_links(stand: Stand) -> str:
    """Numbers are handed over by whoever keeps them."""
    handover = stand.settings.handover
    own = handover.systems.get(stand.system.id)
    if stand.system.link_holder != "platform":
        if own is not None:
            raise Failed(f"[handover.systems.{stand.system.id}] is set, and the municipality keeps its numbers")
        raise NotApplicable("the municipality keeps the user numbers")
    outputs = [name for name, terminal in handover.terminals.items() if terminal.output != "none"]
    if own is None and not outputs:
        raise Failed("nothing says how a number reaches the system: [handover.systems] or [handover.terminals]")
    async with stand.store.read() as transaction:
        known = {record.name for record in await transaction.terminals.list_all()}
    strangers = sorted(set(handover.terminals) - known - {"*"})
    if strangers:
        raise Failed(f"[handover.terminals.{strangers[0]}]: there is no terminal of that name")
    ways = outputs + ([] if own is None or own.barcode == "none" else [own.barcode])
    ways += [] if own is None or own.sip2 is None else ["sip2"]
    if not ways:
        raise Failed("the hand-over of its numbers is configured as none")
    return f"kept here; handed over by {', '.join(ways)}"


async def check_terms(stand: Stand) -> str:
    if not stand.has_screen:
        raise NotApplicable("no service of it is used at a terminal")
    versions = derive_versions(load_shown_terms(stand.settings))
    if stand.settings.terms is None and not stand.settings.demo:
        raise Failed("the texts shown are those of the demo: write your own and set terms (docs/privacy.md)")
    return ", ".join(f"{kind} {version}" for kind, version in versions.items())


SETTLED: tuple[tuple[str, Check], ...] = (
    ("services", check_services),
    ("name", check_name),
    ("verifier", check_verifier),
    ("trust_anchors", check_anchors),
    ("clock", check_clock),
    ("terminals", check_terminals),
    ("revocation_lists", check_lists),
    ("kazashi", check_kazashi),
    ("links_and_handover", check_links),
    ("terms", check_terms),
)
"""In the order of the report; those that ask over the network follow (`linkage/inquiries.py`)."""

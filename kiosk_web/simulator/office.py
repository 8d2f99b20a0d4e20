"""The municipal office of the demo: issues cards and certificates, renews, revokes, holds, and restores everybody.

It is the only place that changes register and cards together: the register first, then the card, which is lifted off
the reader before its keys change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509

from kiosk_web.simulator import lifetimes
from kiosk_web.simulator.authority import (
    Authority,
    draw_serial,
    issue_authentication_certificate,
    issue_signature_certificate,
)
from kiosk_web.simulator.card_issuer import CardIssuer
from kiosk_web.simulator.cards import CardFolder, Credential
from kiosk_web.simulator.faults import FaultBoard
from kiosk_web.simulator.hierarchy import Hierarchy, KeySupply
from kiosk_web.simulator.names import Arc, Kind
from kiosk_web.simulator.people import Condition, Person
from kiosk_web.simulator.register import Entry, Reason, Register, RegisterError, State

#: "Expiring" and "good" are told apart here; renewal is possible from three months before expiry (pki.md 1.4).
_SOON = timedelta(days=92)
_NO_LONGER = {
    Condition.REVOKED: (State.REVOKED, Reason.CESSATION_OF_OPERATION),
    Condition.ON_HOLD: (State.ON_HOLD, Reason.CERTIFICATE_HOLD),
}


class UnknownPerson(LookupError):
    """No such person; the message lists the ids."""


class Office:
    """All commands. `clock` gives the time in UTC; not for two threads."""

    def __init__(
        self,
        *,
        people: Sequence[Person],
        hierarchy: Hierarchy,
        card_issuer: CardIssuer,
        register: Register,
        cards: CardFolder,
        faults: FaultBoard,
        keys: KeySupply,
        clock: Callable[[], datetime],
        arc: Arc = Arc.PRODUCTION,
    ) -> None:
        self.people = tuple(people)
        self.register = register
        self.cards = cards
        self.faults = faults
        self._hierarchy = hierarchy
        self._card_issuer = card_issuer
        self._keys = keys
        self._clock = clock
        self._arc = arc

    def find_person(self, person: str) -> Person:
        """The person of that id, with the address they have now. Raises `UnknownPerson`."""
        for candidate in self.people:
            if candidate.id == person:
                address = self.register.load_address(person)
                return candidate if address is None else replace(candidate, address=address)
        known = ", ".join(p.id for p in self.people if not p.hidden)
        raise UnknownPerson(f"unknown person {person!r}; known: {known}")

    def judge_certificate(self, person: Person) -> str:
        """For display: `good`, `expiring`, `expired`, `on_hold` or `revoked` for the authentication certificate."""
        entry = self._current(person, Kind.AUTHENTICATION)
        if entry.state is not State.GOOD:
            return str(entry.state.value)
        left = entry.not_after - self._clock()
        if left < timedelta(0):
            return "expired"
        return "expiring" if left < _SOON else "good"

    def restore(self) -> None:
        """Everybody as listed, faults off, reader empty, all tries back. A certificate that was revoked is replaced."""
        self.cards.lift()
        self.cards.lift("home")
        self.faults.card = self.faults.ocsp = None
        for person in self.people:
            self.cards.restore_counters(person)
            self.prepare(person)

    def prepare(self, person: Person) -> None:
        """Make register and card of one person agree with the list of people; what is right already stays."""
        now = self._clock()
        if self.register.load_address(person.id) is not None:
            self.register.forget_items(person.id)
        if not self._is_as_listed(person, now):
            self._bring_about(person, now)
        self.cards.write_items(person)
        self._write_surface_files(person)
        self.write_descriptions((person,))

    def write_descriptions(self, people: Sequence[Person] | None = None) -> None:
        """`card.json` of everybody (or of some), with the card fault that holds now."""
        cards = [p for p in self.people if not p.foreign and p.condition is Condition.GOOD and p.tries_left == 3]
        for person in people if people is not None else self.people:
            other = next(p.id for p in cards if p.id != person.id)
            self.cards.write_description(person, self.faults.card, f"cards/{other}")

    def issue(self, person_id: str) -> Entry:
        """A new card with new keys and certificates; the old ones end, and the register links nothing to them."""
        person = self._holder(person_id)
        now = self._clock()
        self._lift(person)
        with self.register.change():
            self._end(person, Kind.AUTHENTICATION, Reason.CESSATION_OF_OPERATION, now)
            self._end(person, Kind.SIGNATURE, Reason.CESSATION_OF_OPERATION, now)
            entry = self._issue(person, now)
        self.cards.write_surface_key(person, self._keys.take())
        self._write_surface_files(person)
        self.cards.restore_counters(person)
        return entry

    def renew(self, person_id: str) -> Entry:
        """New certificates on the same card; the register knows which one follows which."""
        person = self._holder(person_id)
        now = self._clock()
        self._lift(person)
        with self.register.change():
            return self._renew(person, now, now)

    def revoke(self, person_id: str, reason: Reason = Reason.CESSATION_OF_OPERATION) -> Entry:
        """Both certificates of a person end. Raises `RegisterError` when they have ended already."""
        if reason is Reason.CERTIFICATE_HOLD:
            raise RegisterError("a hold is not a revocation: use hold")
        return self._set_state(person_id, State.REVOKED, reason)

    def hold(self, person_id: str) -> Entry:
        """Both certificates are suspended, as after a call to the loss line."""
        return self._set_state(person_id, State.ON_HOLD, Reason.CERTIFICATE_HOLD)

    def release(self, person_id: str) -> Entry:
        """The suspension is lifted."""
        entry = self._current(self._holder(person_id), Kind.AUTHENTICATION)
        if entry.state is not State.ON_HOLD:
            raise RegisterError(f"the certificate is not on hold but {entry.state.value}")
        return self._set_state(person_id, State.GOOD, None)

    def move(self, person_id: str, address: str) -> Entry:
        """A new address: the text application has it, the signature certificate ends, authentication goes on."""
        person = self._holder(person_id)
        now = self._clock()
        with self.register.change():
            self.register.record_items(person.id, address, now)
            self._end(person, Kind.SIGNATURE, Reason.AFFILIATION_CHANGED, now)
        self.cards.write_items(replace(person, address=address))
        return self._current(person, Kind.AUTHENTICATION)

    def _holder(self, person_id: str) -> Person:
        person = self.find_person(person_id)
        if person.foreign:
            raise RegisterError(f"{person.id} is not a My Number Card")
        return person

    def _current(self, person: Person, kind: Kind) -> Entry:
        entry = self.register.find_current(person.id, kind)
        if entry is None:
            raise RegisterError(f"{person.id} has no such certificate")
        return entry

    def _set_state(self, person_id: str, state: State, reason: Reason | None) -> Entry:
        person = self._holder(person_id)
        now = self._clock()
        with self.register.change():
            self.register.record_state(self._current(person, Kind.AUTHENTICATION), state, reason, now)
            signature = self.register.find_current(person.id, Kind.SIGNATURE)
            if signature is not None and signature.state is not State.REVOKED:
                self.register.record_state(signature, state, reason, now)
        return self._current(person, Kind.AUTHENTICATION)

    def _end(self, person: Person, kind: Kind, reason: Reason, at: datetime) -> None:
        entry = self.register.find_current(person.id, kind)
        if entry is not None and entry.state is not State.REVOKED:
            self.register.record_state(entry, State.REVOKED, reason, at)

    def _lift(self, person: Person) -> None:
        if self.cards.load_placed() == person.id:
            self.cards.lift()
        if self.cards.load_placed("home") == person.id:
            self.cards.lift("home")

    def _renew(self, person: Person, issued: datetime, now: datetime) -> Entry:
        before = {kind: self.register.find_current(person.id, kind) for kind in Kind}
        for kind in Kind:
            self._end(person, kind, Reason.SUPERSEDED, now)
        entry = self._issue(person, issued)
        for kind, old in before.items():
            new = self.register.find_current(person.id, kind)
            if old is not None and new is not None and new != old:
                self.register.record_renewal(old, new)
        return entry

    def _issue(self, person: Person, issued: datetime) -> Entry:
        """Certificates of both kinds (one for a child), recorded and written to the card."""
        authentication, entry = self._issue_one(person, Kind.AUTHENTICATION, issued)
        signature = self._issue_one(person, Kind.SIGNATURE, issued)[0] if person.sign_pin is not None else None
        signature_authority = self._hierarchy.issuing(Kind.SIGNATURE, issued).certificate
        self.cards.write_credentials(person, authentication, signature, signature_authority)
        return entry

    def _issue_one(self, person: Person, kind: Kind, issued: datetime) -> tuple[Credential, Entry]:
        authority = self._hierarchy.issuing(kind, issued)
        lifetime = lifetimes.judge_lifetime(person.birth, issued, person.stay_until)
        serial = self._draw_serial(authority)
        key = self._keys.take()
        make = issue_authentication_certificate if kind is Kind.AUTHENTICATION else issue_signature_certificate
        certificate: x509.Certificate = make(authority, key.public_key(), person, lifetime, serial, self._arc)
        entry = Entry(
            authority.id,
            serial,
            kind,
            person.id,
            person.municipality.code,
            lifetime.not_before,
            lifetime.not_after,
        )
        self.register.record_issue(entry)
        return Credential(key, certificate, authority.certificate), entry

    def _draw_serial(self, authority: Authority) -> int:
        while self.register.find(authority.id, serial := draw_serial()) is not None:
            pass
        return serial

    def _derive_issue_time(self, person: Person, now: datetime, *, first: bool) -> datetime:
        """When the certificate of the person's condition was issued."""
        today = now.astimezone(lifetimes.JST).date()
        if person.condition is Condition.EXPIRED:
            return lifetimes.issue_time_for_expiry(lifetimes.last_birthday_before(person.birth, today))
        if person.condition is Condition.EXPIRING:
            return lifetimes.issue_time_for_expiry(lifetimes.next_birthday_after(person.birth, today))
        if not first:
            return now
        if person.condition is Condition.RENEWED:
            return now - timedelta(days=40)
        newest = self._hierarchy.issuing(Kind.AUTHENTICATION, now).lifetime.not_before
        if person.older_generation:
            return newest - timedelta(days=120)  # under the generation before
        return max(now - timedelta(days=400), newest + timedelta(days=1))

    def _is_as_listed(self, person: Person, now: datetime) -> bool:
        entry = self.register.find_current(person.id, Kind.AUTHENTICATION)
        if entry is None or not self.cards.is_complete(person):
            return False
        signature = self.register.find_current(person.id, Kind.SIGNATURE)
        for held, stem in ((entry, "auth"), (signature, "sign")):
            if held is not None and self.cards.load_serial(person.id, stem) != held.serial:
                return False
        wanted = _NO_LONGER.get(person.condition, (State.GOOD, None))[0]
        signature_wanted = State.REVOKED if person.condition is Condition.MOVED else wanted
        return (
            _is_in_time(person, entry, now)
            and entry.state is wanted
            and (signature is None or signature.state is signature_wanted)
        )

    def _bring_about(self, person: Person, now: datetime) -> None:
        first = self.register.find_current(person.id, Kind.AUTHENTICATION) is None
        issued = self._derive_issue_time(person, now, first=first)
        with self.register.change():
            if first and person.condition is Condition.RENEWED:
                self._issue(person, issued - timedelta(days=1700))
            if person.condition is not Condition.ON_HOLD:
                self._lift_hold(person, now)
            self._apply_condition(person, now)
            if not self._is_as_listed(person, now):
                self._renew(person, issued, max(issued, now - timedelta(days=20)))
                self._apply_condition(person, now)
        if not self.cards.is_complete(person):
            self.cards.write_surface_key(person, self._keys.take())

    def _write_surface_files(self, person: Person) -> None:
        """What the issuer of the card says of the key that is on it."""
        key = self.cards.load_surface_key(person).public_key()
        record = self._card_issuer.build_age_record(person.birth, key)
        self.cards.write_surface_files(person, record, self._card_issuer.build_certificate())

    def _lift_hold(self, person: Person, now: datetime) -> None:
        for kind in Kind:
            entry = self.register.find_current(person.id, kind)
            if entry is not None and entry.state is State.ON_HOLD:
                self.register.record_state(entry, State.GOOD, None, now)

    def _apply_condition(self, person: Person, now: datetime) -> None:
        at = now - timedelta(days=20)
        state, reason = _NO_LONGER.get(person.condition, (State.GOOD, None))
        for kind in Kind:
            entry = self.register.find_current(person.id, kind)
            if entry is not None and state is not State.GOOD and entry.state is State.GOOD:
                self.register.record_state(entry, state, reason, max(at, entry.not_before))
        if person.condition is Condition.MOVED:
            self.register.record_items(person.id, None, at)
            self._end(person, Kind.SIGNATURE, Reason.AFFILIATION_CHANGED, at)


def _is_in_time(person: Person, entry: Entry, now: datetime) -> bool:
    left = entry.not_after - now
    if person.condition is Condition.EXPIRED:
        return left < timedelta(0)
    if person.condition is Condition.EXPIRING:
        birthday = (entry.not_after.month, entry.not_after.day) == (person.birth.month, person.birth.day)
        return birthday and timedelta(days=1) < left < _SOON
    return left > _SOON

"""How a resident comes to each refusal: what goes wrong, by code. `tests/e2e/test_refusals.py` tells them one by one.

Every story begins on the first screen with an empty reader, and ends when the page shows what it should. What it
changed in files and database is taken back by the stand; what it changed elsewhere, by itself.
"""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from playwright.sync_api import Page, Route, WebSocketRoute

from bridge.card.pcsc_codes import Code
from kiosk_web.adapters.clock import read_clock
from kiosk_web.session.state_codec import StateCodec
from kiosk_web.session.states import AwaitingPin
from kiosk_web.simulator.authority import draw_serial, issue_authentication_certificate
from kiosk_web.simulator.hierarchy import KeySupply, load_hierarchy
from kiosk_web.simulator.lifetimes import Lifetime
from kiosk_web.simulator.names import Kind
from kiosk_web.simulator.people import derive_people
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.test_kazashi import set_birth
from tests.e2e.test_readings import System, register, run_kiosk
from tests.support.demo import RunningDemo
from tests.support.own_bridge import OwnBridge
from tests.support.scripted_reader import SCRIPT

PERSON, OTHER = "midori", "taro"
LINKED = "kyoko"


@dataclass
class Stand:
    """The running kiosk, its page and its bridge. `tampered` opens one more page, whose socket or requests a story may
    change; `pages` closes those.
    """

    demo: RunningDemo
    kiosk: KioskPage
    bridge: OwnBridge
    tampered: Callable[[], KioskPage]
    pages: ExitStack
    folder: Path

    @property
    def page(self) -> Page:
        return self.kiosk.page

    @property
    def card(self) -> Path:
        return self.demo.data / "simulator" / "cards" / PERSON

    def script(self, **told: str | int) -> None:
        """What the reader answers from now on."""
        path = self.demo.data / "simulator" / SCRIPT
        part = path.with_suffix(".part")
        part.write_text(json.dumps(told), encoding="utf-8")
        part.replace(path)

    def change_card(self, **changes: Any) -> None:
        """In `card.json`: a new value, or for a secret so many tries left."""
        path = self.card / "card.json"
        card = json.loads(path.read_text(encoding="utf-8"))
        for key, value in changes.items():
            if isinstance(value, int):
                card[key]["left"] = value
            else:
                card[key] |= value
        path.write_text(json.dumps(card), encoding="utf-8")

    def write(self, statement: str, *values: object) -> None:
        """Into the server's database."""
        path = self.demo.data / "kiosk" / "kiosk.sqlite3"
        with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
            connection.execute(statement, values)

    def read(self, statement: str, *values: object) -> list[Any]:
        path = self.demo.data / "kiosk" / "kiosk.sqlite3"
        with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
            return connection.execute(statement, values).fetchall()

    def put(self, person: str = PERSON, service: str = "facility", kiosk: KioskPage | None = None) -> None:
        """Choose a service and put a card."""
        (kiosk or self.kiosk).choose(service)
        self.demo.put_card(person)

    def reach_pin(self, person: str = PERSON, service: str = "facility", kiosk: KioskPage | None = None) -> KioskPage:
        self.put(person, service, kiosk)
        return (kiosk or self.kiosk).wait_for("awaiting_pin")

    def identify(self, person: str = PERSON, service: str = "facility") -> KioskPage:
        self.reach_pin(person, service).type_pin(self.demo.person(person).pin)
        return self.kiosk.wait_for("result")


Story = Callable[[Stand], KioskPage | None]
"""Gives the page on which the refusal is to be seen; None: the stand's own."""


# ---- the reader and the card on it ---------------------------------------------------------------------------------


def lose_readers(state: str) -> Story:
    def story(stand: Stand) -> None:
        stand.reach_pin()
        stand.script(readers=state)

    return story


def fail_to_connect(code: Code) -> Story:
    """The card was recognised before, and cannot be opened now."""

    def story(stand: Stand) -> None:
        stand.demo.put_card(PERSON)
        stand.kiosk.wait_for_text("カードを確認しました")
        stand.script(connect=code.value)
        stand.kiosk.choose("facility")

    return story


def fail_to_transmit(code: Code) -> Story:
    def story(stand: Stand) -> None:
        stand.reach_pin()
        stand.script(transmit=code.value)
        stand.kiosk.type_pin("1234")

    return story


def unplug_reader(stand: Stand) -> None:
    stand.reach_pin()
    (stand.demo.data / "simulator" / "reader.json").unlink()


def exchange_card(stand: Stand) -> None:
    stand.reach_pin()
    stand.demo.put_card(OTHER)


def put_foreign_card(stand: Stand) -> None:
    stand.put("library-card")


def take_certificate(stand: Stand) -> None:
    for name in ("auth-cert.der", "auth-key.pem"):
        (stand.card / name).unlink()
    stand.put()


# ---- the PIN and the other secrets ---------------------------------------------------------------------------------


def type_too_slowly(stand: Stand) -> None:
    """The time for the PIN is over: the database says since when the server has been waiting."""
    stand.reach_pin()
    past = read_clock() - timedelta(seconds=1)
    (text,) = stand.read("SELECT state FROM sessions")[0]
    state = StateCodec.decode(text)
    assert isinstance(state, AwaitingPin)
    moved = StateCodec.encode(replace(state, deadline_at=past))
    stand.write("UPDATE sessions SET state = ?, deadline_at = ?", moved, past.replace(tzinfo=None).isoformat(" "))


def change_messages(kiosk: KioskPage, change: Callable[[dict[str, Any]], None]) -> None:
    """What page and bridge say to each other from the next connection on goes through `change`."""

    def connect(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(to: WebSocketRoute, text: str | bytes) -> None:
            message = json.loads(text)
            change(message)
            to.send(json.dumps(message))

        socket.on_message(lambda text: pass_on(server, text))
        server.on_message(lambda text: pass_on(socket, text))

    kiosk.page.route_web_socket("**/card", connect)


def turn(text: str) -> str:
    """The same length, another value."""
    return ("B" if text[0] == "A" else "A") + text[1:]


def tamper(kind: str, field: str, change: Callable[[Any], Any], pin: str = "") -> Story:
    """Something between page and bridge changes this field of this message."""

    def story(stand: Stand) -> KioskPage:
        def apply(message: dict[str, Any]) -> None:
            if message["type"] == kind:
                message[field] = change(message[field])

        kiosk = stand.tampered()
        change_messages(kiosk, apply)
        stand.put(kiosk=kiosk.open())
        if pin:
            kiosk.wait_for("awaiting_pin").type_pin(pin)
        return kiosk

    return story


def spoil_ticket(ticket: str) -> str:
    head, _, signature = ticket.rpartition(".")
    return f"{head}.{turn(signature)}"


def enrol(stand: Stand, *, month: int = 4) -> None:
    stand.identify().page.locator("#kazashi").click()
    stand.kiosk.wait_for("consenting")
    stand.page.locator("#agree").click()
    if stand.kiosk.wait_for("awaiting_birth", "refused").state == "refused":
        return
    set_birth(stand.kiosk, year=63, month=month, day=17)
    stand.page.locator("#birth-confirm").click()


def mistake_birth_date(stand: Stand) -> None:
    enrol(stand, month=5)


def wear_out_birth_key(stand: Stand) -> None:
    stand.change_card(birth_key=1)
    enrol(stand)


def have_no_limit(stand: Stand) -> None:
    stand.change_card(switches={"birth_key_without_limit": True})
    enrol(stand)


def have_unknown_issuer(stand: Stand) -> None:
    path = stand.card / "surface-issuer.bin"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    enrol(stand)


def wear_out_text_secrets(stand: Stand) -> None:
    stand.change_card(text_pin=1, code_b=1)
    stand.reach_pin(service="facility-registration").type_pin("1234").wait_for("consenting")
    stand.page.locator("#agree").click()
    stand.kiosk.wait_for("awaiting_pin").type_pin("1234")


# ---- the certificate -----------------------------------------------------------------------------------------------


def begin_tomorrow(stand: Stand) -> None:
    """Issued as every other one, for a term that has not begun."""
    now = read_clock().replace(microsecond=0)
    authority = load_hierarchy(stand.demo.data / "simulator", KeySupply(), now).issuing(Kind.AUTHENTICATION, now)
    person = next(one for one in derive_people(now) if one.id == PERSON)
    key = load_pem_private_key((stand.card / "auth-key.pem").read_bytes(), None).public_key()
    term = Lifetime(now + timedelta(days=1), now + timedelta(days=1000))
    certificate = issue_authentication_certificate(authority, key, person, term, draw_serial())  # type: ignore[arg-type]  # RSA, as on every card
    (stand.card / "auth-cert.der").write_bytes(certificate.public_bytes(Encoding.DER))
    stand.put()


def garble_extension(stand: Stand) -> None:
    """Certificate enough for the bridge, which judges nothing, and a keyUsage that is none."""
    key: Any = load_pem_private_key((stand.card / "auth-key.pem").read_bytes(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "JP")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), draw_serial(), now, now + timedelta(days=9))
    usage = x509.UnrecognizedExtension(x509.ExtensionOID.KEY_USAGE, b"\x04\x01\x00")
    certificate = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    (stand.card / "auth-cert.der").write_bytes(certificate.public_bytes(Encoding.DER))
    stand.put()


def lag_behind(stand: Stand) -> None:
    """An answer that was verified once is an hour younger than the server's clock."""
    ahead = (read_clock() + timedelta(hours=1)).replace(tzinfo=None).isoformat(" ")
    stand.write("INSERT INTO high_water_marks (key, this_update, held) VALUES (?, ?, 0)", b"ahead", ahead)
    stand.put()
    stand.kiosk.wait_for("refused")
    stand.write("DELETE FROM high_water_marks WHERE key = ?", b"ahead")


# ---- the visit -----------------------------------------------------------------------------------------------------


def sign_too_late(stand: Stand) -> None:
    stand.reach_pin()
    stand.write("UPDATE challenges SET expires_at = issued_at WHERE consumed_at IS NULL")
    stand.kiosk.type_pin("1234")


def stop(stand: Stand) -> None:
    stand.reach_pin().page.locator("#stop").click()


def break_the_database(stand: Stand) -> None:
    stand.reach_pin()
    stand.write("CREATE TRIGGER broken BEFORE INSERT ON recent_visits BEGIN SELECT RAISE(ABORT, 'broken'); END")
    stand.kiosk.type_pin("1234").wait_for("refused")
    stand.write("DROP TRIGGER broken")


def exchange_certificate(stand: Stand) -> KioskPage:
    """The page tells of another certificate with the signature than it told of before."""
    other = (stand.card.parent / OTHER / "auth-cert.der").read_bytes()

    def tell(route: Route) -> None:
        body = json.loads(route.request.post_data or "{}")
        if body["event"]["type"] == "signed":
            body["event"]["certificate"] = base64.urlsafe_b64encode(other).rstrip(b"=").decode()
        route.continue_(post_data=json.dumps(body))

    kiosk = stand.tampered()
    kiosk.page.route("**/k/events", tell)
    return stand.reach_pin(kiosk=kiosk.open()).type_pin("1234")


def err_as_staff(times: int) -> Story:
    """A number that nobody has, and a code."""

    def story(stand: Stand) -> None:
        stand.page.locator("#staff").click()
        stand.kiosk.wait_for("staff_sign_in")
        for _ in range(times):
            before = stand.kiosk.stage.get_attribute("data-version")
            stand.page.locator("#staff-number").fill("987654")
            stand.page.locator("#staff-code").fill("000000")
            stand.page.locator("#staff-confirm").click()
            stand.page.wait_for_function("before => stage.dataset.version !== before", arg=before)

    return story


def wait_with_a_reading(stand: Stand) -> None:
    be_asked(stand, "counter")
    stand.write("UPDATE readings SET expires_at = created_at")


def lose_the_asker(stand: Stand) -> None:
    be_asked(stand, "former")
    run_kiosk(stand.demo, "client", "revoke", "former")


def be_asked(stand: Stand, client: str) -> None:
    """For a reading, by a new client, until it is shown."""
    system = System(stand.demo.staff.rstrip("/"), name=client)
    terminal = register(stand.demo, system, stand.folder)
    while system.ask(terminal).status_code != 201:  # until the stream of this page is known to be open
        stand.page.wait_for_timeout(50)
    stand.kiosk.wait_for("awaiting_card")


def bring_nothing_usable(stand: Stand) -> None:
    handle = "urn:ietf:params:oauth:request_uri:" + secrets.token_urlsafe(32)
    stand.page.goto(f"{stand.demo.kiosk}/?request_uri={handle}")


def type_number(stand: Stand, *, before_it: str = "") -> None:
    """`before_it`: a statement that runs while the number is being typed."""
    stand.page.locator("#link").click()
    stand.kiosk.wait_for("entering_number")
    if before_it:
        stand.write(before_it)
    stand.page.keyboard.type("2026041844")
    stand.page.locator("#number-confirm").click()


def have_unlisted_number(stand: Stand) -> None:
    stand.identify(LINKED, "library")
    stand.write("INSERT INTO valid_numbers VALUES ('city-library', '2026041851')")
    type_number(stand)


def have_number_of_another(stand: Stand) -> None:
    stand.identify(LINKED, "library")
    stand.write("INSERT INTO persons (id, created_at) VALUES ('other', '2026-01-01 00:00:00.000000')")
    stand.write(
        "INSERT INTO links (system, person_id, user_number, state, way, linked_at)"
        " VALUES ('city-library', 'other', '2026041844', 'active', 'desk', '2026-01-01 00:00:00.000000')"
    )
    type_number(stand)


def be_forgotten(stand: Stand) -> None:
    """Half an hour later nobody knows any more who was here."""
    stand.identify(LINKED, "library")
    type_number(stand, before_it="DELETE FROM recent_visits")


def be_stopped(stand: Stand) -> None:
    shown = stand.identify(LINKED, "library").stage.locator("#identifier").inner_text()
    identifier = "".join(shown.split())
    run_kiosk(stand.demo, "mykey", "stop", identifier, "--by=counter", "--reason=lost")
    stand.demo.lift_card()
    stand.kiosk.wait_for("choosing_service")
    stand.reach_pin(LINKED, "library").type_pin(stand.demo.person(LINKED).pin).wait_for("refused")
    stand.write("UPDATE mykey_ids SET state = 'issued' WHERE state = 'stopped'")


STORIES: dict[str, Story] = {
    "service_down": lose_readers("service_down"),
    "access_denied": lose_readers("denied"),
    "reader_missing": unplug_reader,
    "reader_busy": fail_to_connect(Code.SHARING_VIOLATION),
    "card_swapped": exchange_card,
    "card_reset": fail_to_transmit(Code.RESET_CARD),
    "card_mute": fail_to_connect(Code.UNRESPONSIVE_CARD),
    "not_my_number_card": put_foreign_card,
    "card_error": fail_to_transmit(Code.COMM_ERROR),
    "certificate_missing": take_certificate,
    "pin_timeout": type_too_slowly,
    "pin_undecryptable": tamper("enter_pin", "data", turn, "1234"),
    "pin_malformed": tamper("need_pin", "max", lambda _: 5, "12345"),
    "birth_date_wrong": mistake_birth_date,
    "birth_key_guarded": wear_out_birth_key,
    "birth_key_without_limit": have_no_limit,
    "text_secret_guarded": wear_out_text_secrets,
    "certificate_malformed": garble_extension,
    "certificate_not_yet_valid": begin_tomorrow,
    "card_issuer_untrusted": have_unknown_issuer,
    "clock_unreliable": lag_behind,
    "ticket_refused": tamper("read_certificate", "ticket", spoil_ticket),
    "evidence_refused": tamper("certificate", "signature", turn),
    "session_timeout": sign_too_late,
    "cancelled": stop,
    "internal": break_the_database,
    "certificate_changed": exchange_certificate,
    "staff_code_refused": err_as_staff(1),
    "staff_code_limit": err_as_staff(6),
    "reading_expired": wait_with_a_reading,
    "reading_client_revoked": lose_the_asker,
    "reading_unusable": bring_nothing_usable,
    "link_number_unknown": have_unlisted_number,
    "link_number_taken": have_number_of_another,
    "link_not_possible": be_forgotten,
    "mykey_id_stopped": be_stopped,
}

"""The course of a visit, of staff who sign in, and of a reading that a system asks for."""

from __future__ import annotations

import base64
import json
import secrets

from playwright.sync_api import Route

from tests.e2e.kiosk_page import KioskPage
from tests.e2e.refusals.stand import LINKED, OTHER, Stand, Story
from tests.e2e.test_readings import System, register, run_kiosk


def sign_too_late(stand: Stand) -> None:
    stand.reach_pin()
    stand.write("UPDATE challenges SET expires_at = issued_at WHERE consumed_at IS NULL")
    stand.kiosk.type_pin("1234")


def stop(stand: Stand) -> None:
    stand.reach_pin().page.locator("#stop").click()


def break_the_database(stand: Stand) -> None:
    stand.reach_pin()
    stand.write("CREATE TRIGGER broken BEFORE INSERT ON recent_visits BEGIN SELECT RAISE(ABORT, 'broken'); END")
    try:
        stand.kiosk.type_pin("1234").wait_for("refused")
    finally:
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


def be_stopped(stand: Stand) -> None:
    shown = stand.identify(LINKED, "library").stage.locator("#identifier").inner_text()
    identifier = "".join(shown.split())
    run_kiosk(stand.demo, "mykey", "stop", identifier, "--by=counter", "--reason=lost")
    try:
        stand.demo.lift_card()
        stand.kiosk.wait_for("choosing_service")
        stand.reach_pin(LINKED, "library").type_pin(stand.demo.person(LINKED).pin).wait_for("refused")
    finally:
        stand.write("UPDATE mykey_ids SET state = 'issued' WHERE state = 'stopped'")


STORIES: dict[str, Story] = {
    "session_timeout": sign_too_late,
    "cancelled": stop,
    "internal": break_the_database,
    "certificate_changed": exchange_certificate,
    "staff_code_refused": err_as_staff(1),
    "staff_code_limit": err_as_staff(6),
    "reading_expired": wait_with_a_reading,
    "reading_client_revoked": lose_the_asker,
    "reading_unusable": bring_nothing_usable,
    "mykey_id_stopped": be_stopped,
}

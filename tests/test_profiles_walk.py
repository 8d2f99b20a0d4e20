"""The table of profiles, walked cell by cell: 14 rows × 3 columns, and what each cell is in the running product.

A cell is observed here, or by a test named here: nothing is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from kiosk_web.identity.offer import CooperatingSystem, Offer, Service, Words
from kiosk_web.identity.profiles import PROFILES, Profile, ProfileName
from kiosk_web.identity.systems import SystemRefused
from tests.support.api_client import ORIGIN, SYSTEM, ApiClient, count, problem, register
from tests.support.jpki import SIGNATURE_POLICY, Issued
from tests.support.kazashi import Body, Desk, build_kazashi, enrol, identify_by_pin, tap
from tests.support.kiosk_server import Stand, run_stand
from tests.support.ocsp_answers import AnswerShape
from tests.support.readings import open_asker
from tests.support.register import ScriptedRegister
from tests.support.terminal import Stage

ROOT = Path(__file__).parent.parent
ROWS = tuple(field.name for field in fields(Profile) if field.name != "name")
CELLS = tuple((row, profile) for row in ROWS for profile in PROFILES)
TILES: dict[ProfileName, str] = {"library": "library", "type1": "facility"}
API_ONLY = "online"
"""Of Type 2: no tile."""
NAME = Words("あ", "a")

Cell = tuple[str, ProfileName]
Observation = Callable[[Stand, ProfileName], Awaitable[None]]


async def visit(stand: Stand, profile: ProfileName, **card: Any) -> Stage:
    async with stand.server.store.read() as transaction:
        count = len(await transaction.terminals.list_all())
    terminal = await stand.opened(f"t{count}")
    await terminal.begin(TILES[profile])
    certificate = stand.card(**card)
    stage = await terminal.read_card(certificate)
    await stand.server.sessions.settle()
    if stage.state == "refused" or (stage := await terminal.send("extended")).state == "refused":
        return stage
    await terminal.submit_pin()
    await terminal.sign(certificate)
    await stand.server.standings.settle()
    return await terminal.send("extended")


async def sign_in(stand: Stand) -> ApiClient:
    """How Type 2 is used: a client of the system's, with a reader of its own."""
    return await (await register(stand)).sign_in()


def offer(profile: ProfileName, **system: Any) -> Offer:
    service = Service("a", "s", profile, NAME, NAME, "service")
    return Offer((service,), [CooperatingSystem("s", NAME, **{"link_holder": "platform", **system})])


async def observe_scene(stand: Stand, profile: ProfileName) -> None:
    """1: the library profile is for the system of a municipal library, the others for any other."""
    wanted = profile == "library"
    assert offer(profile, municipal_library=wanted).find("a") is not None
    with pytest.raises(SystemRefused) as refusal:
        offer(profile, municipal_library=not wanted)
    assert refusal.value.name == ("not_a_municipal_library" if wanted else "library_with_other_profile")


async def observe_identifier(stand: Stand, profile: ProfileName) -> None:
    """3: a MyKey ID for the library; a PPID of the system for the others, the same in both."""
    terminal = await stand.opened()
    at_home = (await (await sign_in(stand)).validate(stand.card(1)))["ppid"]
    assert len(at_home) == 24
    place = TILES[profile] if PROFILES[profile].reading_screen else "facility"
    assert (await stand.identify(terminal, stand.card(1), place)).state == "result"
    result = await stand.read_result(terminal)
    if PROFILES[profile].ppid_per_system:
        assert (result.identifier_kind, result.identifier) == (PROFILES[profile].identifier_kind, at_home)
    else:
        assert (result.identifier_kind, len(result.identifier)) == (PROFILES[profile].identifier_kind, 8)


async def observe_kazashi(stand: Stand, profile: ProfileName) -> None:
    """4: an enrolled card taps at an attended terminal."""
    terminal, body = await stand.opened(), Body(stand.card())
    assert (await identify_by_pin(stand, terminal, body, TILES[profile])).state == "result"
    assert (await enrol(stand, terminal, body)).state == "kazashi_set"
    await terminal.take_card()
    await (await Desk.opened(stand)).attend(terminal)
    assert (await tap(stand, terminal, body, TILES[profile])).state == "result"


async def observe_no_kazashi(stand: Stand, profile: ProfileName) -> None:
    """4: refused by name, and an enrolled card's tap is no signature there."""
    terminal, body, client = await stand.opened(), Body(stand.card()), await sign_in(stand)
    assert (await identify_by_pin(stand, terminal, body)).state == "result"
    assert (await enrol(stand, terminal, body)).state == "kazashi_set"
    asked = {"system": SYSTEM, "origin": ORIGIN, "method": "kazashi"}
    assert problem(await client.post("challenges", asked)) == (403, "kazashi_not_offered")
    answer = await client.validate(Issued(body.surface, body.issued.certificate))
    assert (answer["accepted"], answer["outcome"], answer["ppid"]) == (False, "signature_invalid", None)


async def observe_reading_on_request(stand: Stand, profile: ProfileName) -> None:
    """2: the screen and the reading are there for a municipal system to ask for, and it gets the PPID."""
    terminal = await stand.opened()
    asker = await open_asker(stand)
    with stand.server.monitoring.attend(terminal.id):
        asked = await asker.ask(service=TILES[profile])
    assert asked.status_code == 201
    card = stand.card()
    terminal.ticket = (await terminal.put_card()).commands[0]["arguments"]["ticket"]
    await terminal.read_card(card)
    await stand.server.sessions.settle()
    await terminal.submit_pin()
    assert (await terminal.sign(card)).state == "result"
    claims = await asker.open_result((await asker.show(asked.json()["id"])).json()["result"])
    assert claims["ppid"] == (await stand.read_result(terminal)).identifier


async def observe_screen(stand: Stand, profile: ProfileName) -> None:
    """6: the reading screen is there: a tile, the pad, a result."""
    terminal = await stand.terminal()
    assert f'data-service="{TILES[profile]}"' in (await terminal.open_page()).html
    assert (await stand.identify(terminal, stand.card(1), TILES[profile])).state == "result"


async def observe_no_screen(stand: Stand, profile: ProfileName) -> None:
    """6: no tile, refused by name where it is chosen or asked for all the same; the API gives what the screen would."""
    terminal = await stand.terminal()
    page = await terminal.open_page()
    assert (page.state, f'data-service="{API_ONLY}"' in page.html) == ("choosing_service", False)
    chosen = await terminal.send("service_chosen", service=API_ONLY)
    assert (chosen.refusal, chosen.state) == ("service_by_api_only", "choosing_service")
    asker = await open_asker(stand)
    with stand.server.monitoring.attend(terminal.id):
        assert problem(await asker.ask(service=API_ONLY)) == (403, "service_not_permitted")
    assert (await (await sign_in(stand)).validate(stand.card()))["accepted"] is True


async def observe_no_handover(stand: Stand, profile: ProfileName) -> None:
    """5: a system of Type 1 or 2 takes part itself: nothing is typed into it, though its number be kept here."""
    with pytest.raises(SystemRefused) as refusal:
        offer(profile).require_handover(["s"])
    assert refusal.value.name == "handover_to_type1_or_type2"
    offer("library", municipal_library=True).require_handover(["s", "another"])
    terminal = await stand.opened()
    assert (await stand.identify(terminal, stand.card(), TILES[profile])).state == "result"
    async with stand.server.store.write() as transaction:
        visit = await transaction.links.find_visit((await stand.read_result(terminal)).visit.reference, stand.clock())
        assert visit is not None
        await transaction.links.add(visit.system, visit.person, "2026041828", "desk", stand.clock())
    assert (await terminal.client.get("/k/handover")).status_code == 204


async def observe_no_handover_by_api(stand: Stand, profile: ProfileName) -> None:
    """5: the same by API: the verdict has the PPID and no number that is kept under it, and nothing is typed."""
    with pytest.raises(SystemRefused) as refusal:
        offer(profile).require_handover(["s"])
    assert refusal.value.name == "handover_to_type1_or_type2"
    client = await sign_in(stand)
    ppid = (await client.validate(stand.card()))["ppid"]
    async with stand.server.store.write() as transaction:
        person = await transaction.persons.find_by_ppid(ppid, SYSTEM)
        assert person is not None
        await transaction.links.add(SYSTEM, person, "2026041828", "desk", stand.clock())
    again = await client.validate(stand.card())
    assert (again["ppid"], "2026041828" in str(again)) == (ppid, False)
    assert await count(stand, "handovers") == 0


async def observe_signature_certificate(stand: Stand, profile: ProfileName) -> None:
    """8: a signature certificate is none of ours, whoever sends it."""
    if not PROFILES[profile].reading_screen:
        refused = await (await sign_in(stand)).validate(stand.card(policy=SIGNATURE_POLICY))
        assert (refused["accepted"], refused["outcome"], refused["ppid"]) == (False, "wrong_kind", None)
        return
    stage = await visit(stand, profile, policy=SIGNATURE_POLICY)
    assert (stage.state, stage.code) == ("refused", "certificate_wrong_kind")


async def observe_validation(stand: Stand, profile: ProfileName) -> None:
    """9: no result without a certificate in force."""
    stand.responder.shape = AnswerShape(status="revoked")
    if not PROFILES[profile].reading_screen:
        client = await sign_in(stand)
        refused = await client.validate(stand.card())
        assert (refused["accepted"], refused["outcome"], refused["ppid"]) == (False, "revoked", None)
        stand.responder.shape = AnswerShape()
        assert (await client.validate(stand.card(serial=2)))["outcome"] == "good"
        return
    assert (await visit(stand, profile)).code == "certificate_revoked"
    stand.responder.shape = AnswerShape()
    assert (await visit(stand, profile, serial=2)).state == "result"


async def observe_responder(stand: Stand, profile: ProfileName) -> None:
    """10: the responder is asked, and the result says so."""
    if not PROFILES[profile].reading_screen:
        verdict = await (await sign_in(stand)).validate(stand.card())
        assert (verdict["evidence"]["method"], stand.responder.questions) == ("ocsp", 1)
        return
    stage = await visit(stand, profile)
    assert stand.responder.questions == 1
    assert 'data-method="ocsp"' in stage.html


async def observe_standing(stand: Stand, profile: ProfileName) -> None:
    """12: the register's answer stands beside the identifier, but never for the library."""
    if not PROFILES[profile].reading_screen:
        verdict = await (await sign_in(stand)).validate(stand.card(), standing=True)
        assert (verdict["accepted"], verdict["standing"]["signature_certificate"]) == (True, "valid")
        return
    stage = await visit(stand, profile)
    assert stage.state == "result"
    assert ('id="standing"' in stage.html) == PROFILES[profile].linked_signature_state


async def observe_link_holder(stand: Stand, profile: ProfileName) -> None:
    """13: the platform for a library; for the others the municipality, or the platform if so set."""
    library = profile == "library"
    for holder in ("platform", "municipality"):
        if library and holder == "municipality":
            with pytest.raises(SystemRefused) as refusal:
                offer(profile, municipal_library=True, link_holder=holder)
            assert refusal.value.name == "library_links_elsewhere"
        else:
            system = offer(profile, municipal_library=library, link_holder=holder).find_system("s")
            assert system is not None
            assert system.link_holder == holder


async def observe_terminal_os(stand: Stand, profile: ProfileName) -> None:
    """14: nothing of the server asks what the terminal runs on, or by API the program that has the reader."""
    client = await sign_in(stand)
    for number, agent in enumerate(("Windows NT 10.0", "X11; Linux x86_64", "Macintosh", "")):
        if not PROFILES[profile].reading_screen:
            client.http.headers["User-Agent"] = agent
            assert (await client.validate(stand.card(1)))["outcome"] == "good"
            continue
        terminal = await stand.terminal(f"terminal-{number}")
        terminal.client.headers["User-Agent"] = agent
        assert (await terminal.open_page()).state == "choosing_service"
        assert (await stand.identify(terminal, stand.card(1), TILES[profile])).state == "result"
        await terminal.client.aclose()


OBSERVED: dict[Cell, Observation] = {
    ("usable_online", "type1"): observe_reading_on_request,
    **{("scene", profile): observe_scene for profile in PROFILES},
    **{("ppid_per_system", profile): observe_identifier for profile in PROFILES},
    ("kazashi", "library"): observe_kazashi,
    ("kazashi", "type1"): observe_kazashi,
    ("kazashi", "type2"): observe_no_kazashi,
    ("reading_screen", "library"): observe_screen,
    ("reading_screen", "type1"): observe_screen,
    ("reading_screen", "type2"): observe_no_screen,
    ("system_unmodified", "type1"): observe_no_handover,
    ("system_unmodified", "type2"): observe_no_handover_by_api,
    **{("signature_certificate_read", profile): observe_signature_certificate for profile in PROFILES},
    **{("authentication_certificate_validated", profile): observe_validation for profile in PROFILES},
    **{("ocsp", profile): observe_responder for profile in PROFILES},
    **{("linked_signature_state", profile): observe_standing for profile in PROFILES},
    **{("link_kept_by", profile): observe_link_holder for profile in PROFILES},
    **{("terminal_os", profile): observe_terminal_os for profile in PROFILES},
}
SEEN_ELSEWHERE: dict[Cell, tuple[str, ...]] = {
    ("usable_online", "library"): ("test_a_system_of_the_library_alone_is_not_for_the_api",),
    ("usable_online", "type2"): ("test_the_same_person_has_the_same_ppid_at_the_counter_and_at_home",),
    ("system_unmodified", "library"): (
        "test_the_number_is_masked_until_it_is_asked_for",
        "test_what_went_out_goes_out_once",
    ),
    ("crl", "library"): (
        "test_a_mistake_about_confirmation_is_named",
        "test_at_the_library_a_list_speaks_for_whoever_has_a_mykey_id",
    ),
    ("crl", "type1"): (
        "test_a_mistake_about_confirmation_is_named",
        "test_without_an_opening_the_lists_are_not_even_asked",
        "test_by_api_nobody_lives_on_lists_alone_for_a_system_without_type_2",
    ),
    ("crl", "type2"): ("test_by_api_a_client_may_live_on_lists_alone",),
    ("basic_four", "library"): ("test_a_service_of_another_profile_may_not_ask",),
    ("basic_four", "type1"): ("test_from_consent_to_the_receiver_sign_for_sign",),
    ("basic_four", "type2"): ("test_a_service_of_another_profile_may_not_ask",),
}


def test_each_of_the_42_cells_is_in_one_place() -> None:
    assert len(CELLS) == 42
    placed = [*OBSERVED, *SEEN_ELSEWHERE]
    assert len(placed) == len(set(placed))
    assert set(placed) == set(CELLS)


@pytest.mark.anyio
@pytest.mark.parametrize("cell", OBSERVED, ids="-".join)
async def test_a_cell_holds_in_the_running_product(cell: Cell, tmp_path: Path) -> None:
    async with run_stand(tmp_path, register=ScriptedRegister(), kazashi=build_kazashi(tmp_path)) as stand:
        await OBSERVED[cell](stand, cell[1])


def test_what_is_seen_elsewhere_is_really_there() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    existing = set(re.findall(r"^(?:async )?def (test_\w+)\(", sources, re.MULTILINE))
    assert {name for names in SEEN_ELSEWHERE.values() for name in names} - existing == set()

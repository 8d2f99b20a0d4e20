"""Who may what by API: client × system × method × operation. What is not a client's own answers like what does not
exist, and no identifier of one system ever stands in an answer to another's client.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_client import API_SYSTEMS, ORIGIN, OTHER_SYSTEM, SYSTEM, ApiClient, register
from tests.support.kiosk_server import Stand, run_stand
from tests.support.numbers import number
from tests.support.readings import Counter, open_asker

pytestmark = pytest.mark.anyio

CLIENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "booking": ((SYSTEM,), ("ocsp",), ORIGIN),
    "booking-lists": ((SYSTEM,), ("crl",), ORIGIN),
    "points": ((OTHER_SYSTEM,), ("ocsp", "crl"), "https://points.example.lg.jp"),
    "both": ((SYSTEM, OTHER_SYSTEM), ("ocsp", "crl", "ocsp-then-crl"), ORIGIN),
}
SYSTEMS = (SYSTEM, OTHER_SYSTEM, "city-library", "nothing-like-it")
METHODS = ("ocsp", "crl", "ocsp-then-crl")
NDJSON = "application/x-ndjson"


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, systems=API_SYSTEMS) as running:
        yield running


async def sign_in_all(stand: Stand) -> dict[str, ApiClient]:
    return {
        name: await (await register(stand, name, systems=systems, methods=methods, origins=[origin])).sign_in()
        for name, (systems, methods, origin) in CLIENTS.items()
    }


def told(answer: Any) -> Any:
    """Status and body without what differs for every request."""
    body = answer.json()
    return answer.status_code, {name: value for name, value in body.items() if name != "instance"}


async def test_a_challenge_is_for_the_clients_own_systems_and_origins(stand: Stand) -> None:
    clients = await sign_in_all(stand)
    refusals: dict[str, set[str]] = {}
    origins = {origin for _, _, origin in CLIENTS.values()} | {"https://evil.example"}
    for (name, client), system, origin in itertools.product(clients.items(), SYSTEMS, sorted(origins)):
        systems, _, own_origin = CLIENTS[name]
        answer = await client.post("challenges", {"system": system, "origin": origin})
        if system in systems and origin == own_origin:
            assert answer.status_code == 201
            continue
        status, body = told(answer)
        assert (status, body["code"]) == (
            403,
            "origin_not_permitted" if system in systems else "system_not_permitted",
        )
        refusals.setdefault(body["code"], set()).add(json.dumps(body))
    assert {code: len(bodies) for code, bodies in refusals.items()} == {
        "system_not_permitted": 1,
        "origin_not_permitted": 1,
    }


async def test_a_system_that_was_taken_from_the_client_takes_its_challenges_along(stand: Stand) -> None:
    client, card = (await sign_in_all(stand))["both"], stand.card()
    challenge = await client.challenge(SYSTEM)
    with closing(sqlite3.connect(stand.data / "kiosk.sqlite3")) as database, database:
        database.execute("UPDATE api_clients SET systems = ? WHERE name = 'both'", (OTHER_SYSTEM,))
    answer = await client.post("validations", client.build_validation(challenge, card))
    assert told(answer)[1]["code"] == "challenge_not_usable"


async def test_a_certificate_is_confirmed_by_the_clients_own_methods(stand: Stand) -> None:
    clients, card = await sign_in_all(stand), stand.card()
    for (name, client), method in itertools.product(clients.items(), METHODS):
        systems, methods, origin = CLIENTS[name]
        challenge = await client.challenge(systems[0], origin)
        answer = await client.post("validations", client.build_validation(challenge, card, policy=method))
        if method in methods:
            assert answer.status_code == 200
            by_list = method == "crl"
            assert answer.json()["outcome"] == ("unavailable" if by_list else "good")
        else:
            assert told(answer)[1]["code"] == "method_not_permitted"


async def test_a_batch_is_for_clients_with_lists_and_their_own_systems(stand: Stand) -> None:
    clients = await sign_in_all(stand)
    for (name, client), system in itertools.product(clients.items(), SYSTEMS):
        systems, methods, _ = CLIENTS[name]
        answer = await client.post(f"batches/persons?system={system}", b"", Content_Type=NDJSON)
        if system not in systems:
            assert told(answer)[1]["code"] == "system_not_permitted"
        elif "crl" not in methods:
            assert told(answer)[1]["code"] == "method_not_permitted"
        else:
            assert answer.status_code == 200
        certificates = await client.post("batches/certificates", b"", Content_Type=NDJSON)
        assert certificates.status_code == (200 if "crl" in methods else 403)


async def test_a_confirmation_is_for_the_clients_own_systems_and_their_persons(stand: Stand) -> None:
    clients, card = await sign_in_all(stand), stand.card()
    known = {system: (await clients["both"].validate(card, system))["ppid"] for system in (SYSTEM, OTHER_SYSTEM)}
    for (name, client), system, ppid in itertools.product(clients.items(), SYSTEMS, [*known.values(), "A" * 24]):
        answer = await client.post("confirmations", {"system": system, "ppid": ppid})
        if system not in CLIENTS[name][0]:
            assert told(answer)[1]["code"] == "system_not_permitted"
        elif ppid != known[system]:
            assert told(answer)[1]["code"] == "identifier_unknown"
        else:
            assert answer.status_code == 204


async def test_every_operation_wants_a_token_and_nobody_elses_will_do(stand: Stand) -> None:
    (client,) = [one for name, one in (await sign_in_all(stand)).items() if name == "booking"]
    for path in (
        "challenges",
        "validations",
        "confirmations",
        "batches/certificates",
        f"batches/persons?system={SYSTEM}",
        "sealed-readings",
        "redirected-readings",
        "receipts",
    ):
        refused = []
        for given in ("Bearer", f"Bearer {'A' * 43}", f"Bearer {client.token[::-1]}", f"Basic {client.token}"):
            headers = {"Authorization": given}
            answer = await client.http.post(f"/api/v1/{path}", content=b"{}", headers=headers)
            refused.append(told(answer))
        refused.append(told(await client.http.post(f"/api/v1/{path}", content=b"{}")))
        assert {status for status, _ in refused} == {401}
        assert len({json.dumps(body) for _, body in refused}) == 1
    for method, path in (("POST", "readings"), ("GET", f"readings/{'A' * 22}"), ("DELETE", f"readings/{'A' * 22}")):
        answer = await client.http.request(method, f"/api/v1/{path}", headers={"Authorization": f"Bearer {'A' * 43}"})
        assert answer.status_code == 401
    for method in ("GET", "PUT", "DELETE"):
        path = f"/api/v1/systems/{SYSTEM}/links/{'A' * 24}"
        answer = await client.http.request(method, path, headers={"Authorization": f"Bearer {'A' * 43}"})
        assert answer.status_code == 401


async def test_links_are_for_clients_registered_for_them_in_systems_that_keep_them_here(tmp_path: Path) -> None:
    """client × system × operation, with a person who has a link in every system that is kept here."""
    systems = tuple(
        system.model_copy(update={"link_holder": "platform"}) if system.id == OTHER_SYSTEM else system
        for system in API_SYSTEMS
    )
    async with run_stand(tmp_path, systems=systems) as stand:
        keepers = {
            "booking": ((SYSTEM, OTHER_SYSTEM), ()),
            "points": ((OTHER_SYSTEM,), (OTHER_SYSTEM,)),
            "library": ((), ("city-library",)),
        }
        clients = {
            name: await (await register(stand, name, systems=own, links=links)).sign_in()
            for name, (own, links) in keepers.items()
        }
        terminal = await stand.opened()
        await stand.identify(terminal, stand.card(), "library")
        mykey_id = (await stand.read_result(terminal)).identifier
        ppids = {system: (await clients["booking"].validate(stand.card(), system))["ppid"] for system in SYSTEMS[:2]}
        identifiers = {**ppids, "city-library": mykey_id, "nothing-like-it": mykey_id}
        refused: set[str] = set()
        for (name, client), system, identifier in itertools.product(
            clients.items(), SYSTEMS, sorted({*identifiers.values()})
        ):
            own, links = keepers[name]
            headers = {"Authorization": f"Bearer {client.token}", "Kiosk-Reason": "test", "If-None-Match": "*"}
            path = f"/api/v1/systems/{system}/links/{identifier}"
            put = await client.http.put(path, json={"user_number": number(1)}, headers=headers)
            got = await client.http.get(path, headers=headers)
            tag = got.headers.get("etag", f'"{"A" * 22}"')
            ended = await client.http.delete(path, headers={**headers, "If-Match": tag})
            statuses = (put.status_code, got.status_code, ended.status_code)
            if system in links and identifier == identifiers[system]:
                assert statuses == (201, 200, 204)
                continue
            codes = [answer.json()["code"] for answer in (put, got, ended)]
            if system in links:
                assert codes == ["identifier_unknown", "link_unknown", "link_unknown"]
                continue
            known = "links_kept_elsewhere" if system == SYSTEM else "links_not_permitted"
            expected = known if system in own else "system_not_permitted"
            assert (statuses, codes) == ((403, 403, 403), [expected] * 3)
            refused |= {json.dumps(told(answer)) for answer in (put, got, ended)}
        assert len(refused) == 3  # by nothing but the code can one refusal be told from another


async def test_a_reading_is_for_a_clients_own_systems_services_and_terminals(stand: Stand) -> None:
    """client × system × service × terminal; nothing is shown anywhere but for what a client may ask for."""
    halls = [await stand.opened(name) for name in ("hall-1", "hall-2")]
    askers = [
        (await open_asker(stand, "one", ("hall-1",)), {"hall-1"}),
        (await open_asker(stand, "two", ("hall-2",)), {"hall-2"}),
        (await open_asker(stand, "none", ()), set[str]()),
    ]
    services = ("facility", "online", "library", "nothing-like-it")
    with ExitStack() as pages:
        for hall in halls:
            pages.enter_context(stand.server.monitoring.attend(hall.id))
        for (asker, own), system, service, terminal in itertools.product(
            askers, SYSTEMS, services, ("hall-1", "hall-2", "hall-9")
        ):
            answer = await asker.ask(system=system, service=service, terminal=terminal)
            permitted = system == SYSTEM and service == "facility" and terminal in own
            assert answer.status_code == (201 if permitted else 403)
            if permitted:
                for other, _ in askers:
                    mine = other is asker
                    shown = await other.show(answer.json()["id"])
                    assert shown.status_code == (200 if mine else 404)
                assert (await asker.cancel(answer.json()["id"])).status_code == 200


async def test_a_receipt_is_for_the_client_that_got_the_answer(stand: Stand) -> None:
    """Not for another client, also not for one of the same system: nothing changes, and all are refused alike."""
    terminal = await stand.opened("hall-1")
    with stand.server.monitoring.attend(terminal.id):
        counter = Counter(stand, terminal, await open_asker(stand, "counter", ("hall-1",)))
        asked = await counter.asker.ask(terminal="hall-1")
        assert (await counter.read(stand.card())).state == "result"
    answer = await counter.asker.show(asked.json()["id"])
    others = await sign_in_all(stand)
    refused = [told(await other.post("receipts", {"receipt": answer.json()["receipt"]})) for other in others.values()]
    refused.append(told(await counter.asker.acknowledge("A" * 22)))
    assert {(status, json.dumps(body)) for status, body in refused} == {(404, json.dumps(refused[0][1]))}
    assert (await counter.asker.show(asked.json()["id"])).json() == answer.json()
    assert (await counter.asker.acknowledge(answer.json()["receipt"])).status_code == 204


async def test_no_pseudonym_of_one_system_stands_in_an_answer_to_another(stand: Stand) -> None:
    """The same people in both systems, asked for by clients of either, with each other's PPIDs and challenges."""
    clients = await sign_in_all(stand)
    booking, points = clients["booking-lists"], clients["points"]
    both = clients["both"]
    cards = [stand.card(serial) for serial in (0x0A1B2C3D, 0x0A1B2C3F)]
    ppids = {
        system: [(await both.validate(card, system))["ppid"] for card in cards] for system in (SYSTEM, OTHER_SYSTEM)
    }
    assert len({*ppids[SYSTEM], *ppids[OTHER_SYSTEM]}) == 4
    lines = b"".join(json.dumps({"ppid": ppid}).encode() + b"\n" for ppid in [*ppids[SYSTEM], *ppids[OTHER_SYSTEM]])
    heard: dict[str, str] = {}
    for client, system, linked in (
        (booking, SYSTEM, [True, True, False, False]),
        (points, OTHER_SYSTEM, [False, False, True, True]),
    ):
        answer = await client.post(f"batches/persons?system={system}", lines, Content_Type=NDJSON)
        outcomes = [json.loads(line)["outcome"] for line in answer.text.splitlines()[:-1]]
        assert [outcome != "not_linked" for outcome in outcomes] == linked
        heard[system] = answer.text
    theirs = await points.challenge(OTHER_SYSTEM, CLIENTS["points"][2])
    stolen = await booking.post("validations", booking.build_validation(theirs, cards[0], policy="crl"))
    assert told(stolen)[1]["code"] == "challenge_not_usable"
    mine = await points.post("validations", points.build_validation(theirs, cards[0]))
    assert mine.json()["ppid"] == ppids[OTHER_SYSTEM][0]
    heard[SYSTEM] += stolen.text
    heard[OTHER_SYSTEM] += mine.text
    assert [ppid for ppid in ppids[OTHER_SYSTEM] if ppid in heard[SYSTEM]] == []
    assert [ppid for ppid in ppids[SYSTEM] if ppid in heard[OTHER_SYSTEM]] == []

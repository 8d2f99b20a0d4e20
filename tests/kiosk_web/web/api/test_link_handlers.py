"""Links by the API: read, set and ended under preconditions; who has a number is never told, and nobody is listed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from kiosk_web.services.ports.links import StaffAction
from tests.support.api_client import API_SYSTEMS, OTHER_SYSTEM, SYSTEM, ApiClient, problem, register
from tests.support.kiosk_server import Stand, run_stand
from tests.support.numbers import number

pytestmark = pytest.mark.anyio
LIBRARY = "city-library"
FIRST, SECOND = number(1), number(2)
NEW = {"If-None-Match": "*"}
REASON = "窓口で申出"


@dataclass
class Keeper:
    """A client that keeps links."""

    api: ApiClient
    system: str = LIBRARY

    async def call(
        self, method: str, identifier: str, number: str | None = None, reason: str | None = REASON, **headers: str
    ) -> httpx2.Response:
        told = {"Authorization": f"Bearer {self.api.token}", "Content-Type": "application/json", **headers}
        if reason is not None:
            told["Kiosk-Reason"] = quote(reason)
        body: dict[str, Any] = {} if number is None else {"json": {"user_number": number}}
        return await self.api.http.request(
            method, f"/api/v1/systems/{self.system}/links/{identifier}", headers=told, **body
        )

    async def read(self, identifier: str) -> httpx2.Response:
        return await self.call("GET", identifier)

    async def put(self, identifier: str, number: str, headers: dict[str, str]) -> httpx2.Response:
        return await self.call("PUT", identifier, number, **headers)

    async def end(self, identifier: str, tag: str) -> httpx2.Response:
        return await self.call("DELETE", identifier, **{"If-Match": tag})


@pytest.fixture
async def keeper(stand: Stand) -> Keeper:
    """Of the library; it confirms no certificates."""
    return Keeper(await (await register(stand, "lending", systems=(), origins=(), links=(LIBRARY,))).sign_in())


async def issue_mykey_id(stand: Stand, serial: int) -> str:
    """By a visit with 暗証番号 at the library."""
    terminal = await stand.opened(f"t{serial}")
    assert (await stand.identify(terminal, stand.card(serial), "library")).state == "result"
    return (await stand.read_result(terminal)).identifier


async def list_actions(stand: Stand) -> list[StaffAction]:
    async with stand.server.store.read() as transaction:
        return list(reversed(await transaction.staff_audit.list_latest(50)))


async def test_a_link_is_made_read_changed_and_ended(stand: Stand, keeper: Keeper) -> None:
    mykey_id = await issue_mykey_id(stand, 1)
    assert problem(await keeper.read(mykey_id)) == (404, "link_unknown")
    made = await keeper.put(mykey_id, f"A{FIRST}A", NEW)
    assert (made.status_code, made.json()["user_number"], made.json()["identifier"]) == (201, FIRST, mykey_id)
    tag = made.headers["ETag"]
    assert (tag[0], tag[-1], len(tag)) == ('"', '"', 24)
    read = await keeper.read(mykey_id)
    assert (read.status_code, read.json(), read.headers["ETag"]) == (200, made.json(), tag)

    same = await keeper.put(mykey_id, FIRST, {"If-Match": tag})
    assert (same.status_code, same.headers["ETag"]) == (200, tag)
    changed = await keeper.put(mykey_id, SECOND, {"If-Match": tag})
    assert (changed.status_code, changed.json()["user_number"]) == (200, SECOND)
    assert changed.headers["ETag"] != tag
    assert problem(await keeper.end(mykey_id, tag)) == (412, "precondition_failed")
    ended = await keeper.end(mykey_id, changed.headers["ETag"])
    assert (ended.status_code, ended.content) == (204, b"")
    assert problem(await keeper.read(mykey_id)) == (404, "link_unknown")
    again = await keeper.put(mykey_id, FIRST, NEW)
    assert (again.status_code, again.headers["ETag"] != tag) == (201, True)  # another link: the old tag is none of its

    actions = [(action.action, action.outcome, action.count) for action in await list_actions(stand)]
    assert actions == [
        ("look_up", "link_unknown", 0),
        ("link", "done", 1),
        ("look_up", "done", 1),
        ("link", "done", 1),
        ("link", "done", 1),
        ("unlink", "precondition_failed", 0),
        ("unlink", "done", 1),
        ("look_up", "link_unknown", 0),
        ("link", "done", 1),
    ]
    assert {(action.by, action.reason, action.system) for action in await list_actions(stand)} == {
        ("client lending", REASON, LIBRARY)
    }


async def test_of_two_that_change_the_same_link_at_once_one_wins(stand: Stand, keeper: Keeper) -> None:
    mykey_id = await issue_mykey_id(stand, 1)
    made = await asyncio.gather(*(keeper.put(mykey_id, number(body), NEW) for body in (1, 2)))
    assert sorted(answer.status_code for answer in made) == [201, 412]
    tag = (await keeper.read(mykey_id)).headers["ETag"]
    numbers = [number(body) for body in (3, 4)]
    answers = await asyncio.gather(*(keeper.put(mykey_id, wanted, {"If-Match": tag}) for wanted in numbers))
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    (won,) = [wanted for wanted, answer in zip(numbers, answers, strict=True) if answer.status_code == 200]
    assert (await keeper.read(mykey_id)).json()["user_number"] == won
    tag = (await keeper.read(mykey_id)).headers["ETag"]
    ends = await asyncio.gather(*(keeper.end(mykey_id, tag) for _ in range(2)))
    assert sorted(answer.status_code for answer in ends) == [204, 404]


async def test_a_precondition_must_be_there_and_hold(stand: Stand, keeper: Keeper) -> None:
    mykey_id = await issue_mykey_id(stand, 1)
    assert problem(await keeper.put(mykey_id, FIRST, {})) == (428, "precondition_required")
    assert problem(await keeper.call("DELETE", mykey_id)) == (428, "precondition_required")
    invented = f'"{"A" * 22}"'
    assert problem(await keeper.put(mykey_id, FIRST, {"If-Match": invented})) == (412, "precondition_failed")
    tag = (await keeper.put(mykey_id, FIRST, NEW)).headers["ETag"]
    assert problem(await keeper.put(mykey_id, SECOND, NEW)) == (412, "precondition_failed")
    both = {"If-Match": tag, **NEW}
    assert problem(await keeper.put(mykey_id, SECOND, both)) == (412, "precondition_failed")
    for wrong in ("*", tag.strip('"'), f"W/{tag}", f"{tag}, {invented}"):
        assert problem(await keeper.put(mykey_id, SECOND, {"If-Match": wrong})) == (400, "malformed_request")
    assert (await keeper.read(mykey_id)).json()["user_number"] == FIRST


async def test_a_file_that_renumbers_makes_older_tags_stale(stand: Stand, keeper: Keeper) -> None:
    mykey_id = await issue_mykey_id(stand, 1)
    tag = (await keeper.put(mykey_id, FIRST, NEW)).headers["ETag"]
    async with stand.server.store.write() as transaction:
        record = await transaction.links.find_by_number(LIBRARY, FIRST)
        assert record is not None
        await transaction.links.renumber({record.id: SECOND})
    assert problem(await keeper.end(mykey_id, tag)) == (412, "precondition_failed")
    read = await keeper.read(mykey_id)
    assert (read.json()["user_number"], read.headers["ETag"] != tag) == (SECOND, True)


async def test_a_number_of_another_person_is_refused_without_saying_whose(stand: Stand, keeper: Keeper) -> None:
    one, two = await issue_mykey_id(stand, 1), await issue_mykey_id(stand, 2)
    assert (await keeper.put(one, FIRST, NEW)).status_code == 201
    refused = await keeper.put(two, FIRST, NEW)
    assert problem(refused) == (409, "number_taken")
    assert [told for told in (one, two, FIRST) if told in refused.text] == []
    # Who has a number keeps it where the new one is refused.
    tag = (await keeper.put(two, SECOND, NEW)).headers["ETag"]
    assert problem(await keeper.put(two, FIRST, {"If-Match": tag})) == (409, "number_taken")
    kept = await keeper.read(two)
    assert (kept.json()["user_number"], kept.headers["ETag"]) == (SECOND, tag)


async def test_what_is_no_number_of_the_system_has_its_name(stand: Stand, keeper: Keeper) -> None:
    mykey_id = await issue_mykey_id(stand, 1)
    wrong = FIRST[:-1] + str((int(FIRST[-1]) + 1) % 10)
    assert problem(await keeper.put(mykey_id, "123", NEW)) == (422, "number_malformed")
    assert problem(await keeper.put(mykey_id, wrong, NEW)) == (422, "number_check_digit")
    async with stand.server.store.write() as transaction:
        await transaction.links.replace_listed(LIBRARY, [SECOND])
    assert problem(await keeper.put(mykey_id, FIRST, NEW)) == (422, "number_not_listed")
    assert (await keeper.put(mykey_id, SECOND, NEW)).status_code == 201


async def test_an_identifier_that_is_not_this_systems_answers_like_an_unknown_one(stand: Stand) -> None:
    """A PPID of another system, a MyKey ID that is stopped, and signs that nobody has."""
    api = await (await register(stand, systems=("facility-booking", OTHER_SYSTEM), links=(LIBRARY,))).sign_in()
    keeper = Keeper(api)
    foreign = (await api.validate(stand.card(1)))["ppid"]
    for identifier in (foreign, "22222222", "nobody", "A" * 25):
        assert problem(await keeper.put(identifier, FIRST, NEW)) == (404, "identifier_unknown")
        assert problem(await keeper.read(identifier)) == (404, "link_unknown")
    mykey_id = await issue_mykey_id(stand, 1)
    tag = (await keeper.put(mykey_id, FIRST, NEW)).headers["ETag"]
    async with stand.server.store.write() as transaction:
        assert await transaction.persons.change_mykey_id(mykey_id, "issued", "stopped", stand.clock.now)
    assert problem(await keeper.put(mykey_id, SECOND, {"If-Match": tag})) == (404, "identifier_unknown")
    assert (await keeper.end(mykey_id, tag)).status_code == 204  # what is there may be ended


async def test_a_system_that_keeps_its_links_itself_is_refused_by_name(stand: Stand, keeper: Keeper) -> None:
    api = await (await register(stand, systems=("facility-booking",))).sign_in()
    ppid = (await api.validate(stand.card(1)))["ppid"]
    municipal = Keeper(api, "facility-booking")
    assert problem(await municipal.put(ppid, "12345678", NEW)) == (403, "links_kept_elsewhere")
    for stranger in (replace(keeper, system="facility-booking"), replace(keeper, system="nowhere"), Keeper(api)):
        assert problem(await stranger.read(ppid)) == (403, "system_not_permitted")
    named = {action.system for action in await list_actions(stand) if action.outcome == "system_not_permitted"}
    assert named == {""}


async def test_a_reason_is_asked_for_in_one_line(stand: Stand, keeper: Keeper) -> None:
    mykey_id = await issue_mykey_id(stand, 1)
    for missing in (None, "", "　", " ", "a" * 201):
        answer = await keeper.call("GET", mykey_id, reason=missing)
        if missing == "　":  # a sign that is no ink stands in the record as such
            assert answer.status_code == 404
        else:
            assert problem(answer) == (400, "malformed_request")
    await keeper.call("GET", mykey_id, reason="two\nlines")
    assert [action.reason for action in await list_actions(stand)] == ["�", "two�lines"]


async def test_a_system_of_ppids_may_have_its_links_here(tmp_path: Path) -> None:
    """`link_holder = "platform"`; a PPID of one system is none of another."""
    systems = tuple(system.model_copy(update={"link_holder": "platform"}) for system in API_SYSTEMS)
    async with run_stand(tmp_path, systems=systems) as stand:
        held = (SYSTEM, OTHER_SYSTEM)
        api = await (await register(stand, systems=held, links=held)).sign_in()
        ppids = {system: (await api.validate(stand.card(), system))["ppid"] for system in held}
        booking, points = Keeper(api, SYSTEM), Keeper(api, OTHER_SYSTEM)
        assert (await booking.put(ppids[SYSTEM], "12345678", NEW)).status_code == 201
        assert (await points.put(ppids[OTHER_SYSTEM], "12345678", NEW)).status_code == 201
        assert problem(await booking.read(ppids[OTHER_SYSTEM])) == (404, "link_unknown")
        assert problem(await points.put(ppids[SYSTEM], "87654321", NEW)) == (404, "identifier_unknown")

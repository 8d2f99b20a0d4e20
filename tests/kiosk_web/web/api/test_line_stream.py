"""Batches as a municipal system meets them: by the real index, in order, in both directions at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from kiosk_web.wiring import crl_index
from kiosk_web.wiring.api import run_clients
from tests.support.api_client import (
    API,
    API_SYSTEMS,
    OTHER_SYSTEM,
    SYSTEM,
    ApiClient,
    count,
    encode,
    problem,
    register,
    set_body_seconds,
)
from tests.support.crl_stand import ORDINARY, SilentWatcher, offer, town_point
from tests.support.crl_writer import build_list, encode_entry, encode_reason
from tests.support.jpki import NOW, rsa_key
from tests.support.kiosk_server import Stand, run_stand

pytestmark = pytest.mark.anyio

GOOD, REVOKED, HELD = 0x0A1B2C3D, 0x0A1B2C3F, 0x0A1B2C41
HOUR = timedelta(hours=1)


async def take_in(stand: Stand, named: dict[int, int]) -> None:
    """A list of the town, as `kiosk crl refresh` takes it in beside the server. `named`: CRLReason by serial number."""
    entries = [encode_entry(serial, extensions=[encode_reason(reason)]) for serial, reason in named.items()]
    shape = replace(ORDINARY, point=town_point(), number=1, this_update=NOW - 2 * HOUR, next_update=NOW + 28 * HOUR)
    (outcome,) = await crl_index.import_lists(
        stand.server.settings, [offer(build_list(stand.root, entries, shape))], SilentWatcher(), clock=stand.clock
    )
    assert outcome.result == "taken"


def ask(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def read(answer: httpx2.Response) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The answers, and the last line."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    *lines, last = [json.loads(line) for line in answer.text.splitlines()]
    return lines, last


async def post(client: ApiClient, path: str, body: bytes, **headers: str) -> httpx2.Response:
    return await client.post(f"batches/{path}", body, **{"Content_Type": "application/x-ndjson", **headers})


async def link(client: ApiClient, stand: Stand, serials: Sequence[int], system: str = SYSTEM) -> list[str]:
    return [(await client.validate(stand.card(serial), system))["ppid"] for serial in serials]


async def test_presented_certificates_are_judged_line_by_line(stand: Stand, client: ApiClient) -> None:
    await take_in(stand, {REVOKED: 4, HELD: 6})
    rows = [{"id": str(serial), "certificate": encode(stand.card(serial).der)} for serial in (GOOD, REVOKED, HELD)]
    rows.append({"id": "stranger", "certificate": encode(stand.card(signing_key=rsa_key("stranger")).der)})
    body = ask(*rows) + b'{"issuer_key_id": "00", "serial": 7}\nno json\n' + ask({"certificate": "!"})
    answers, last = read(await post(client, "certificates", body))
    assert [(one["row"], one.get("id"), one["outcome"], one.get("reason")) for one in answers] == [
        (1, str(GOOD), "good", None),
        (2, str(REVOKED), "revoked", "superseded"),
        (3, str(HELD), "on_hold", "certificateHold"),
        (4, "stranger", "certificate_untrusted", None),
        (5, None, "malformed", "certificate"),
        (6, None, "malformed", "not_json"),
        (7, None, "malformed", "certificate"),
    ]
    assert last == {"end": "done", "rows": 7}
    assert [await count(stand, table) for table in ("persons", "pairwise_ids", "high_water_marks")] == [0, 0, 0]
    assert stand.responder.questions == 0


async def test_linked_persons_are_told_by_ppid_and_nothing_more_than_whether(stand: Stand, client: ApiClient) -> None:
    both = await (await register(stand, "both", systems=[SYSTEM, OTHER_SYSTEM])).sign_in()
    ppids = await link(client, stand, [GOOD, REVOKED, HELD])
    (elsewhere,) = await link(both, stand, [GOOD], OTHER_SYSTEM)
    await take_in(stand, {REVOKED: 4, HELD: 6})
    rows = [{"id": str(at), "ppid": ppid} for at, ppid in enumerate([*ppids, elsewhere, "2" * 24])]
    answers, last = read(await post(client, f"persons?system={SYSTEM}", ask(*rows) + b"{}\n"))
    assert [(one["outcome"], one.get("reason"), one.get("revoked_at")) for one in answers] == [
        ("not_listed", None, None),
        ("revoked", None, None),
        ("on_hold", None, None),
        ("not_linked", None, None),
        ("not_linked", None, None),
        ("malformed", "ppid", None),
    ]
    unknown, foreign = ({**one, "id": "", "row": 0} for one in answers[3:5])
    assert unknown == foreign
    assert last == {"end": "done", "rows": 6}
    assert problem(await post(client, f"persons?system={OTHER_SYSTEM}", b"")) == (403, "system_not_permitted")
    assert problem(await post(client, "persons?system=nothing", b"")) == (403, "system_not_permitted")
    assert problem(await post(client, "persons", b"")) == (400, "malformed_request")


@pytest.mark.parametrize("wrong", ["nothing keeps it", "behind what was verified"])
async def test_nothing_is_concluded_by_a_clock_in_doubt(tmp_path: Path, wrong: str) -> None:
    """An old list seems fresh to a clock that is behind."""
    trusted = [True]
    async with run_stand(tmp_path, is_clock_trusted=lambda: trusted[0], systems=API_SYSTEMS) as stand:
        client = await (await register(stand)).sign_in()
        (ppid,) = await link(client, stand, [GOOD])
        await take_in(stand, {REVOKED: 4})
        if wrong == "nothing keeps it":
            trusted[0] = False
        else:
            async with stand.server.store.write() as transaction:
                ahead = text("UPDATE high_water_marks SET this_update = '2026-11-24 03:00:00.000000'")
                await transaction.connection.execute(ahead)
        (person,), _ = read(await post(client, f"persons?system={SYSTEM}", ask({"ppid": ppid})))
        rows = [{"certificate": encode(stand.card(serial).der)} for serial in (GOOD, REVOKED)]
        certificates, _ = read(await post(client, "certificates", ask(*rows)))
        said = [(one["outcome"], one["reason"]) for one in (person, *certificates)]
        assert said == [("unavailable", "clock_unreliable")] * 3


async def test_without_lists_nothing_is_confirmed(stand: Stand, client: ApiClient) -> None:
    (ppid,) = await link(client, stand, [GOOD])
    (person,), _ = read(await post(client, f"persons?system={SYSTEM}", ask({"ppid": ppid})))
    (certificate,), _ = read(await post(client, "certificates", ask({"certificate": encode(stand.card().der)})))
    assert (person["outcome"], person["reason"]) == ("unavailable", "no_list")
    assert (certificate["outcome"], certificate["reason"]) == ("unavailable", "no_list")


async def test_an_empty_batch_has_its_last_line(client: ApiClient) -> None:
    assert read(await post(client, "certificates", b"")) == ([], {"end": "done", "rows": 0})


async def test_lists_are_for_clients_that_may_use_them(stand: Stand) -> None:
    client = await (await register(stand, "ocsp-alone", methods=["ocsp", "ocsp-then-crl"])).sign_in()
    for path in ("certificates", f"persons?system={SYSTEM}"):
        assert problem(await post(client, path, b"")) == (403, "method_not_permitted")
    answer = await post(client, "certificates", b"", Content_Type="application/json")
    assert problem(answer) == (415, "media_type_refused")
    client.token = ""
    assert problem(await post(client, "certificates", b"")) == (401, "token_refused")


class Pipe:
    """A request whose lines the test sends while it reads the answers."""

    def __init__(self, stand: Stand, client: ApiClient) -> None:
        headers = {
            "host": API.removeprefix("http://"),
            "authorization": f"Bearer {client.token}",
            "content-type": "application/x-ndjson",
        }
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": "/api/v1/batches/certificates",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.task = asyncio.create_task(stand.server.staff(self.scope, self.incoming.get, self.outgoing.put))

    def send(self, body: bytes, *, more: bool = True) -> None:
        self.incoming.put_nowait({"type": "http.request", "body": body, "more_body": more})

    async def lines(self) -> AsyncIterator[Any]:
        while True:
            message = await self.outgoing.get()
            for line in message.get("body", b"").splitlines():
                yield json.loads(line)
            if message["type"] == "http.response.body" and not message["more_body"]:
                return


async def test_answers_come_while_questions_are_still_sent(stand: Stand, client: ApiClient) -> None:
    await take_in(stand, {})
    pipe = Pipe(stand, client)
    row = ask({"certificate": encode(stand.card().der)})
    async with aclosing(pipe.lines()) as lines:
        for number in range(1, 4):
            pipe.send(row[:100])
            pipe.send(row[100:])
            assert await anext(lines) == {"row": number, "outcome": "good", "this_update": "2026-11-23T01:00:00+00:00"}
        assert problem(await post(client, "certificates", b"")) == (409, "batch_running")
        pipe.send(b"", more=False)
        assert await anext(lines) == {"end": "done", "rows": 3}
    await pipe.task
    assert read(await post(client, "certificates", b""))[1] == {"end": "done", "rows": 0}


async def test_a_client_that_is_revoked_meanwhile_gets_no_more_answers(stand: Stand, client: ApiClient) -> None:
    pipe = Pipe(stand, client)
    async with aclosing(pipe.lines()) as lines:
        pipe.send(b"{}\n")
        assert (await anext(lines))["row"] == 1
        await run_clients(stand.server.settings, stand.clock, lambda clients: clients.revoke_client("portal"))
        stand.clock.advance(10)
        pipe.send(b"{}\n")
        assert await anext(lines) == {"end": "client_revoked", "rows": 1}
    await pipe.task


async def test_a_batch_that_comes_slowly_is_not_answered_by_what_held_long_ago(stand: Stand, client: ApiClient) -> None:
    """The list ends while the batch is under way: 28 hours after the stand's first moment."""
    await take_in(stand, {})
    stand.clock.advance(28 * 3600 - 60)
    client = await client.sign_in()
    pipe = Pipe(stand, client)
    row = ask({"certificate": encode(stand.card().der)})
    async with aclosing(pipe.lines()) as lines:
        pipe.send(row)
        assert (await anext(lines))["outcome"] == "good"
        stand.clock.advance(5 * 60)
        pipe.send(row)
        answer = await anext(lines)
        assert (answer["row"], answer["outcome"], answer["reason"]) == (2, "stale", "next_update_passed")
        pipe.send(b"", more=False)
        assert await anext(lines) == {"end": "done", "rows": 2}
    await pipe.task


async def test_a_batch_has_an_end(stand: Stand, client: ApiClient) -> None:
    pipe = Pipe(stand, client)
    async with aclosing(pipe.lines()) as lines:
        pipe.send(b"{}\n")
        assert (await anext(lines))["row"] == 1
        stand.clock.advance(3601)
        pipe.send(b"{}\n")
        assert await anext(lines) == {"end": "too_long", "rows": 1}
    await pipe.task


async def test_a_stream_that_stops_is_ended_by_name(stand: Stand, client: ApiClient) -> None:
    set_body_seconds(stand, 0.05)
    pipe = Pipe(stand, client)
    pipe.send(b"{}\n")
    told = [line async for line in pipe.lines()]
    assert told[-1] == {"end": "request_too_slow", "rows": 1}
    await pipe.task


async def test_a_client_that_does_not_read_is_left_alone(stand: Stand, client: ApiClient) -> None:
    """The answer breaks off, nothing is held, and the client may begin again."""
    set_body_seconds(stand, 0.05)
    never = asyncio.Event()
    pipe = Pipe(stand, client)
    pipe.task.cancel()
    sent = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await never.wait()

    pipe.send(b"{}\n")
    await stand.server.staff(pipe.scope, pipe.incoming.get, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert read(await post(client, "certificates", b""))[1] == {"end": "done", "rows": 0}

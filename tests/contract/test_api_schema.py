"""Another program reads `openapi.json`, makes requests out of it, right and wrong ones, with and without a token, and
judges every answer: no failure of the server, no status, header or shape that is not described, nothing for nobody.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from kiosk_web.web.api.openapi import build_openapi
from kiosk_web.web.api.operations import KEYS, NDJSON, OPERATIONS, Operation
from tests.support.api_client import register
from tests.support.api_server import serve_api

EXAMPLES = {True: 16, False: 5}
"""With a token, and without one, where nothing is to be found but 401."""

CASES = [
    pytest.param(operation, mode, id=f"{operation.id}-{name}", marks=marks)
    for operation in OPERATIONS
    for mode, name, marks in (
        (GenerationMode.POSITIVE, "right", ()),
        (GenerationMode.NEGATIVE, "wrong", pytest.mark.long),
    )
    if mode is GenerationMode.POSITIVE or operation is not KEYS
]
"""Of a request that takes nothing there is no wrong one."""


@schemathesis.serializer(NDJSON)
def write_lines(ctx: SerializationContext, value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and an access token of a running server."""
    ready: Future[tuple[str, str]] = Future()
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve(folder: Path) -> None:
        async with serve_api(folder) as (stand, address):
            client = await register(stand)
            client.http.headers["Host"] = address.removeprefix("http://")
            answer = await client.ask_token(client.sign_assertion(aud=f"{address}/api/v1/token"))
            ready.set_result((address, answer.json()["access_token"]))
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(tmp_path_factory.mktemp("api")),))
    thread.start()
    yield ready.result(60)
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.mark.parametrize("signed_in", [True, False], ids=["with token", "without"])
@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_every_answer_is_one_that_is_described(
    served: tuple[str, str], operation: Operation, mode: GenerationMode, signed_in: bool
) -> None:
    address, token = served
    schema = schemathesis.openapi.from_dict(build_openapi(address))
    described = schema[operation.whole_path][operation.method]
    statuses: set[int] = set()

    @seed(20261123)
    @settings(
        max_examples=EXAMPLES[signed_in],
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        headers = {"Authorization": f"Bearer {token}"} if signed_in and operation.needs_token else {}
        answer = case.call(base_url=address, headers=headers)
        statuses.add(answer.status_code)
        excluded = []
        if operation.lines:  # what is wrong with a line is answered in its place
            excluded.append(negative_data_rejection)
        if answer.status_code in (412, 422, 428):  # right by itself, and still refused
            excluded.append(positive_data_acceptance)
        case.validate_response(answer, headers=headers, excluded_checks=excluded)

    ask()
    if operation.needs_token and not signed_in:
        assert statuses == {401}
    assert 500 not in statuses

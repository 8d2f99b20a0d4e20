"""Another program reads `openapi.json`, makes requests out of it, right and wrong ones, with and without a token, and
judges every answer: no failure of the server, no status, header or shape that is not described, nothing for nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from kiosk_web.settings.services import DEMO_SYSTEMS
from kiosk_web.web.api.openapi import build_openapi
from kiosk_web.web.api.operations import KEYS, NDJSON, OPERATIONS, Operation
from tests.support.api_client import ORIGIN, SYSTEM, ApiClient, register
from tests.support.api_server import serve_api_apart
from tests.support.jpki import Issued
from tests.support.kiosk_server import Stand
from tests.support.readings import Asker

EXAMPLES = {True: 16, False: 5}
"""With a token, and without one, where nothing is to be found but 401."""

TERMINALS = ("library-1", "library-2")
NUMBERS = ("30410001", "30410002")
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


def as_often(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The same requests at each run."""
    repeated = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    return lambda ask: seed(20261123)(repeated(ask))


@dataclass(frozen=True)
class Served:
    """A running server, and one of its clients with an access token, a person whom it knows, two terminals, and a
    reading under way at the second.
    """

    address: str
    client: ApiClient
    card: Issued
    ppid: str
    reading: str

    def call(self, method: str, path: str, **more: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.client.token}", **more.pop("headers", {})}
        return httpx2.request(method, f"{self.address}/api/v1/{path}", headers=headers, timeout=30, **more)


async def prepare(stand: Stand, address: str, stack: ExitStack) -> Served:
    for name in TERMINALS:
        stack.enter_context(stand.server.monitoring.attend((await stand.opened(name)).id))
    client = await register(stand, terminals=TERMINALS, links=[SYSTEM])
    client.http.headers["Host"] = address.removeprefix("http://")
    answer = await client.ask_token(client.sign_assertion(aud=f"{address}/api/v1/token"))
    client.token = answer.json()["access_token"]
    card = stand.card()
    known = await client.validate(card)
    asked = await Asker(client).ask(terminal=TERMINALS[1])
    assert asked.status_code == 201, asked.text
    return Served(address, client, card, known["ppid"], asked.json()["id"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    systems = [
        system.model_copy(update={"link_holder": "platform"}) if system.id == SYSTEM else system
        for system in DEMO_SYSTEMS
    ]
    with serve_api_apart(tmp_path_factory.mktemp("api"), prepare, systems=tuple(systems)) as running:
        yield running


def own_token(served: Served, case: Case) -> None:
    case.body |= {"client_assertion": served.client.sign_assertion(aud=f"{served.address}/api/v1/token")}
    case.body |= {"client_id": served.client.name} if "client_id" in case.body else {}


def own_challenge(served: Served, case: Case) -> None:
    case.body |= {"system": SYSTEM, "origin": ORIGIN}


def own_validation(served: Served, case: Case) -> None:
    asked = served.call("POST", "challenges", json={"system": SYSTEM, "origin": ORIGIN})
    case.body |= served.client.build_validation(asked.json(), served.card)


def own_person(served: Served, case: Case) -> None:
    case.body |= {"system": SYSTEM, "ppid": served.ppid}


def own_people(served: Served, case: Case) -> None:
    case.query["system"] = SYSTEM
    case.body = f'{{"ppid": "{served.ppid}"}}\n{case.body}'


def own_request(served: Served, case: Case) -> None:
    case.body |= {"system": SYSTEM, "service": "facility", "terminal": TERMINALS[0]}
    case.body.pop("redirect", None)


def own_reading(served: Served, case: Case) -> None:
    case.path_parameters["id"] = served.reading
    case.query.pop("wait", None)


def own_link(served: Served, case: Case) -> None:
    """There is one, and its `ETag` is at hand where it is to be changed."""
    case.path_parameters.update(system=SYSTEM, identifier=served.ppid)
    path = f"systems/{SYSTEM}/links/{served.ppid}"
    made = {"Kiosk-Reason": "test", "If-None-Match": "*"}
    served.call("PUT", path, json={"user_number": NUMBERS[0]}, headers=made)
    tag = served.call("GET", path, headers={"Kiosk-Reason": "test"}).headers["ETag"]
    if "If-Match" in case.headers or case.method == "DELETE":
        case.headers["If-Match"] = tag
    if case.method == "PUT":
        case.body = {"user_number": NUMBERS[1]}


OWN: dict[str, tuple[Callable[[Served, Case], None], int]] = {
    "issueToken": (own_token, 200),
    "issueChallenge": (own_challenge, 201),
    "validate": (own_validation, 200),
    "confirmItems": (own_person, 204),
    "checkPersons": (own_people, 200),
    "requestReading": (own_request, 201),
    "showReading": (own_reading, 200),
    "cancelReading": (own_reading, 200),
    "readLink": (own_link, 200),
    "putLink": (own_link, 200),
    "endLink": (own_link, 204),
}
"""What a right request has to have of the client's own, which no document can say, and how it is answered then."""


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.id in OWN], ids=lambda one: one.id)
def test_right_requests_for_a_clients_own_are_answered_as_described(served: Served, operation: Operation) -> None:
    schema = schemathesis.openapi.from_dict(build_openapi(served.address))
    described = schema[operation.whole_path][operation.method]
    make_own, status = OWN[operation.id]
    statuses: set[int] = set()

    @as_often(EXAMPLES[True])
    @given(case=described.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def ask(case: Case) -> None:
        make_own(served, case)
        headers = {"Authorization": f"Bearer {served.client.token}"} if operation.needs_token else {}
        answer = case.call(base_url=served.address, headers=headers)
        statuses.add(answer.status_code)
        case.validate_response(answer, headers=headers, excluded_checks=[positive_data_acceptance])

    ask()
    assert status in statuses
    assert 500 not in statuses


@pytest.mark.parametrize("signed_in", [True, False], ids=["with token", "without"])
@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_every_answer_is_one_that_is_described(
    served: Served, operation: Operation, mode: GenerationMode, signed_in: bool
) -> None:
    address, token = served.address, served.client.token
    schema = schemathesis.openapi.from_dict(build_openapi(address))
    described = schema[operation.whole_path][operation.method]
    statuses: set[int] = set()

    @as_often(EXAMPLES[signed_in])
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

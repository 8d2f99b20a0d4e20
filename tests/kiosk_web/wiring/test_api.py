"""How the lists are opened for a batch by API: with what the server knows of its clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kiosk_web.web.api.test_validation_handlers_lists import take_in
from tests.support.api_client import API_SYSTEMS, SYSTEM, encode, register
from tests.support.kiosk_server import run_stand

pytestmark = pytest.mark.anyio
UNRELIABLE = ("unavailable", "clock_unreliable")


@pytest.mark.parametrize(
    ("doubt", "certificate", "person"),
    [
        ("none", ("good", ""), ("not_listed", "")),
        ("nothing keeps it right", UNRELIABLE, UNRELIABLE),
        ("behind what was verified", UNRELIABLE, UNRELIABLE),
    ],
)
async def test_a_batch_concludes_nothing_while_the_clock_is_in_doubt(
    tmp_path: Path, doubt: str, certificate: tuple[str, str], person: tuple[str, str]
) -> None:
    kept_right = True
    async with run_stand(tmp_path, systems=API_SYSTEMS, is_clock_trusted=lambda: kept_right) as stand:
        await take_in(stand, [4711])
        client = await (await register(stand)).sign_in()
        card = stand.card()
        ppid = (await client.validate(card))["ppid"]
        if doubt == "behind what was verified":
            later = "UPDATE high_water_marks SET this_update = '2099-01-01 00:00:00.000000' RETURNING key"
            assert len(stand.query(later)) == 1
        kept_right = doubt != "nothing keeps it right"
        questions = {"certificates": {"certificate": encode(card.der)}, f"persons?system={SYSTEM}": {"ppid": ppid}}
        said = []
        for path, question in questions.items():
            line = json.dumps(question).encode() + b"\n"
            answer = await client.post(f"batches/{path}", line, Content_Type="application/x-ndjson")
            first, last = map(json.loads, answer.text.splitlines())
            assert last == {"end": "done", "rows": 1}
            said.append((first["outcome"], first.get("reason", "")))
        assert said == [certificate, person]

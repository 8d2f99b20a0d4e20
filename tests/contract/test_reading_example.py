"""The Python example of docs/readings.md takes the result of its own request, and no other."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.contract.test_api_examples import run, sign_in
from tests.support.api_client import API_SYSTEMS, register
from tests.support.api_server import serve_api
from tests.support.readings import NONCE, Asker, Counter

pytestmark = pytest.mark.anyio
DOCUMENT = (Path(__file__).parents[2] / "docs" / "readings.md").read_text(encoding="utf-8")
(PYTHON,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
AROUND = f"""
import os
api, result = os.environ["API"] + "/api/v1", os.environ["RESULT"]
def judge(**changes):
    given = {{"api": api, "result": result, "reading": os.environ["READING"], "nonce": os.environ["NONCE"]}} | changes
    try:
        exec({PYTHON!r}, given)
    except Exception as error:
        return type(error).__name__
    return given["claims"]["outcome"] + " " + given["claims"]["ppid"]
head, claims, signature = result.split(".")
print(judge())
print(judge(result=f"{{head}}.{{claims[:-4]}}AAAA.{{signature}}"))
print(judge(reading="another"))
print(judge(nonce="another"))
os.environ["API"] = "https://kiosk.example.lg.jp"
print(judge())
"""
REFUSED = ["InvalidSignatureError", "AssertionError", "AssertionError", "InvalidIssuerError"]


@pytest.mark.parametrize("client", ["counter", "another"])
async def test_the_python_example_takes_its_own_result_alone(tmp_path: Path, client: str) -> None:
    async with serve_api(tmp_path, systems=API_SYSTEMS) as (stand, address):
        terminal = await stand.opened("library-1")
        with stand.server.monitoring.attend(terminal.id):
            asking = await register(stand, client, terminals=("library-1",))
            await sign_in(asking, address)
            counter = Counter(stand, terminal, Asker(asking))
            reading = await counter.ask()
            assert (await counter.read(stand.card())).state == "result"
            ppid = (await stand.read_result(terminal)).identifier
            result = (await counter.asker.show(reading)).json()["result"]
        given = {"RESULT": result, "READING": reading, "NONCE": NONCE}
        own, *others = (await run(tmp_path, address, sys.executable, "-c", AROUND, **given)).splitlines()
    if client == "counter":
        assert own == f"good {ppid}"
        assert others == REFUSED
    else:  # told to another client of the same kiosk
        assert own == "InvalidAudienceError"

"""The part of the report about the API: one validation, and batches, over HTTP on one computer."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from rich.console import Console

from tests.bench.api.load import CONNECTIONS, Caller
from tests.bench.goals import Finding, Measure, Part
from tests.bench.report import Section, name_packages
from tests.bench.samples import show_microseconds

SINGLE_LIMIT, BATCH_LIMIT = 0.33, 0.3
ROOT = Path(__file__).parents[3]
_PACKAGES = ("cryptography", "pydantic", "starlette", "uvicorn", "uvloop", "httptools")

_HOW = f"""\
- The server is a process of its own (uvicorn with uvloop and httptools, one worker), asked over {CONNECTIONS}
  connections that are kept. The caller uses bare sockets; requests are built, and cards have signed, before the clock
  starts.
- The no-op reads a JSON body of the same size and answers JSON, on the same server behind the same gate; it knows no
  token. Both take turns, and the medians of the turns are divided.
- One validation is all of it: the access token, the challenge used up, the path to the anchor, the card's signature,
  the list, the verdict, the PPID, the record, forced to the disk before the answer; requests that come at the same time
  are judged in one transaction and share its commit. The challenge itself was asked for before.
- "Load, path and list alone" is loading the certificate, the path to the anchor and the look-up behind the same gate:
  what the goal was derived from. It is no validation: nobody has proved to hold the card.
- "What no validation can be without" is loading the certificate, the issuer's signature on it and the card's over the
  challenge: time on the processor for nothing but the primitives, in a loop.
- A batch is one request with many certificates, one a line, answered while it is sent. The floor is loading each
  certificate and one RSA-2048 verification with a key that is at hand. Both are measured in time on the processor.
"""


@dataclass(frozen=True, slots=True)
class Extent:
    """Requests of one turn, certificates of one batch, and how often."""

    requests: int = 300
    rows: int = 5000
    rounds: int = 7


FULL = Extent()
QUICK = Extent(requests=150, rows=1000, rounds=3)


def measure_api(folder: Path, console: Console, extent: Extent) -> Section:
    folder.mkdir(parents=True, exist_ok=True)
    with _running_server(folder) as told:
        caller = Caller(told["address"], told["token"])
        console.print("Single validations and the no-op in turn ...")
        single, check = uvloop.run(_measure_single(caller, told, extent))
        console.print("Batches ...")
        batch = uvloop.run(_measure_batch(caller, told, extent))
    return Section(Part.API, [single, check, batch], how=_HOW, tools={"packages": name_packages(_PACKAGES)})


@contextmanager
def _running_server(folder: Path) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.bench.api.server", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the server did not start")
        try:
            yield json.loads(line)
        finally:
            process.stdin.close()
            process.wait(20)


async def _measure_single(caller: Caller, told: dict[str, Any], extent: Extent) -> tuple[Finding, Finding]:
    card_key = load_pem_private_key(told["key"].encode(), None)
    assert isinstance(card_key, rsa.RSAPrivateKey)
    nothing: list[float] = []
    single: list[float] = []
    challenges: list[float] = []
    checks: list[float] = []
    processor: list[float] = []
    idle: list[float] = []
    ask = json.dumps({"system": "facility-booking", "origin": "https://www.example.lg.jp"}).encode()
    for number in range(extent.rounds + 1):
        issued, seconds = await caller.call([caller.build("challenges", ask)] * extent.requests)
        bodies = [_sign(challenge, told["certificate"], card_key) for challenge in issued]
        empty, taken_by_nothing = await caller.call([caller.build("nothing", body) for body in bodies])
        found, taken_by_checks = await caller.call([caller.build("check", body) for body in bodies])
        before = await _ask_processor(caller)
        verdicts, taken = await caller.call([caller.build("validations", body) for body in bodies])
        processor.append((await _ask_processor(caller) - before) / extent.requests)
        idle.append((empty[-1]["processor"] - empty[0]["processor"]) / (extent.requests - 1))
        if any(verdict["outcome"] != "good" for verdict in (*verdicts, *found)):
            raise RuntimeError("a certificate was judged wrongly")
        if number:  # the first turn warms up
            challenges.append(seconds / extent.requests)
            nothing.append(taken_by_nothing / extent.requests)
            single.append(taken / extent.requests)
            checks.append(taken_by_checks / extent.requests)
    floor = await asyncio.to_thread(_measure_floor, base64.b64decode(told["certificate"]))
    used, unused = statistics.median(processor[1:]), statistics.median(idle[1:])
    each = {
        name: statistics.median(times)
        for name, times in zip("ncsk", (nothing, challenges, single, checks), strict=True)
    }
    whole, part = each["n"] / each["s"], each["n"] / each["k"]
    extents = f"{CONNECTIONS} connections, {extent.requests} requests, {extent.rounds} turns"
    return (
        Finding(
            Measure.API_SINGLE,
            f"{whole:.2f}",
            whole >= SINGLE_LIMIT,
            f"{1 / each['s']:,.0f} / {1 / each['n']:,.0f} each second ({show_microseconds(each['s'])} / "
            f"{show_microseconds(each['n'])}); a challenge {show_microseconds(each['c'])}; "
            f"time on the processor {show_microseconds(used)} / {show_microseconds(unused)} ({unused / used:.2f}), "
            f"of which the no-op's own and what no validation can be without ({show_microseconds(floor)}) are the "
            f"least there can be; {extents}",
        ),
        Finding(
            Measure.API_CHECK,
            f"{part:.2f}",
            part >= SINGLE_LIMIT,
            f"{1 / each['k']:,.0f} / {1 / each['n']:,.0f} each second ({show_microseconds(each['k'])} / "
            f"{show_microseconds(each['n'])}); without token, challenge, card and record; {extents}",
        ),
    )


async def _ask_processor(caller: Caller) -> float:
    """Seconds that the server has used so far."""
    (answer,), _ = await caller.call([caller.build("nothing", b"{}")])
    return float(answer["processor"])


def _sign(challenge: dict[str, Any], certificate: str, card_key: rsa.RSAPrivateKey) -> bytes:
    before, after = (base64.b64decode(challenge[name]) for name in ("message_before", "message_after"))
    message = before + hashlib.sha256(base64.b64decode(certificate)).digest() + after
    signature = base64.b64encode(card_key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
    body = {"challenge": challenge["challenge"], "certificate": certificate, "signature": signature}
    return json.dumps(body).encode()


async def _measure_batch(caller: Caller, told: dict[str, Any], extent: Extent) -> Finding:
    row = json.dumps({"id": "1", "certificate": told["certificate"]}).encode() + b"\n"
    der = base64.b64decode(told["certificate"])
    rates: list[float] = []
    floors: list[float] = []
    for number in range(extent.rounds + 1):
        before = await _ask_processor(caller)
        lines, _ = await caller.stream("batches/certificates", row * extent.rows)
        seconds = await _ask_processor(caller) - before
        if len(lines) != extent.rows + 1 or any(b'"good"' not in line for line in lines[:-1]):
            raise RuntimeError("a row was answered wrongly")
        floor = await asyncio.to_thread(_load_and_verify, [der] * extent.rows)
        if number:
            rates.append(extent.rows / seconds)
            floors.append(extent.rows / floor)
    rate, floor_rate = statistics.median(rates), statistics.median(floors)
    return Finding(
        Measure.API_BATCH,
        f"{rate / floor_rate:.2f}",
        rate / floor_rate >= BATCH_LIMIT,
        f"{rate:,.0f} / {floor_rate:,.0f} each second on one processor; {extent.rows} certificates a request, "
        f"{extent.rounds} times; time on the processor",
    )


def _measure_floor(der: bytes) -> float:
    """Seconds on the processor to load one certificate and verify two signatures."""
    turns = 500
    whole = [_load_and_verify([der] * turns) for _ in range(5)]
    return (statistics.median(whole) + statistics.median([_verify(der, turns) for _ in range(5)])) / turns


def _verify(der: bytes, turns: int) -> float:
    """Seconds on the processor for so many signatures of the card's kind."""
    from tests.support.jpki import rsa_key

    key, scheme, algorithm = rsa_key("floor"), padding.PKCS1v15(), hashes.SHA256()
    public, signature = key.public_key(), key.sign(der, scheme, algorithm)
    began = time.thread_time()
    for _ in range(turns):
        public.verify(signature, der, scheme, algorithm)
    return time.thread_time() - began


def _load_and_verify(ders: Sequence[bytes]) -> float:
    """Seconds on the processor. The key stands for the issuer's: whose it is makes no difference to the time."""
    from tests.support.jpki import rsa_key

    key = rsa_key("floor")
    public, scheme, algorithm = key.public_key(), padding.PKCS1v15(), hashes.SHA256()
    signature = key.sign(x509.load_der_x509_certificate(ders[0]).tbs_certificate_bytes, scheme, algorithm)
    began = time.thread_time()
    for der in ders:
        public.verify(signature, x509.load_der_x509_certificate(der).tbs_certificate_bytes, scheme, algorithm)
    return time.thread_time() - began

"""The OCSP client: what it computes, and what its transport adds to a bare connection."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from urllib.parse import urlsplit

from kiosk_web.adapters.fetch import HttpFetcher
from kiosk_web.event_loop import run_in_loop
from kiosk_web.pki.ocsp import OcspResponderPolicy, build_ocsp_request, judge_ocsp_response
from kiosk_web.pki.status import Good
from tests.bench.goals import Finding, Measure
from tests.bench.revocation.child import ROOT, run_job
from tests.bench.revocation.rsa import build_verification
from tests.bench.revocation.specimens import People
from tests.bench.samples import Samples, show_microseconds
from tests.bench.turns import take_turns
from tests.support.jpki import NOW, issue_delegate
from tests.support.ocsp_answers import answer

_POLICY = OcspResponderPolicy(url="http://127.0.0.1/")
OCSP_LIMIT = 7.0
TRANSPORT_LIMIT = 1.3
WARM_UP = 20


def measure_ocsp(people: People, rounds: int) -> Finding:
    """Build a question and judge its answer, signed by a delegate and with our nonce: two RSA verifications in it."""
    delegate = issue_delegate(people.root)
    asked = [(trusted, os.urandom(32)) for trusted in people.trusted]
    requests = [build_ocsp_request(trusted, nonce, _POLICY) for trusted, nonce in asked]
    answers = [answer(request, people.root, delegate) for request in requests]

    def build() -> None:
        for trusted, nonce in asked:
            build_ocsp_request(trusted, nonce, _POLICY)

    def judge() -> None:
        for (trusted, _), request, response in zip(asked, requests, answers, strict=True):
            status = judge_ocsp_response(trusted, request, response, _POLICY, NOW, None)
            if not isinstance(status, Good):
                raise RuntimeError(f"an answer was judged {status}")

    verify = build_verification(people.root, people.issued[0], len(asked))
    times = take_turns({"verify": verify, "build": build, "judge": judge}, rounds, units=len(asked))
    build_time, judge_time, unit = (times[name].median for name in ("build", "judge", "verify"))
    ratio = (build_time + judge_time) / unit
    return Finding(
        Measure.OCSP,
        f"{ratio:.1f}",
        ratio <= OCSP_LIMIT,
        f"time on the processor, medians: build {show_microseconds(build_time)}, judge "
        f"{show_microseconds(judge_time)}, one verification {show_microseconds(unit)}; two verifications are in it; "
        f"{len(asked)} certificates, {rounds} times",
    )


def measure_transport(people: People, repeats: int) -> Finding:
    """Ask a responder in another process, which answers at once and always the same, in turn by both clients."""
    request = build_ocsp_request(people.trusted[0], bytes(32), _POLICY)
    response = answer(request, people.root, issue_delegate(people.root))
    command = [sys.executable, "-m", "tests.bench.revocation.responder", response.hex()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            times = run_job(
                "ocsp.ask_in_turn", url=url, request=request.hex(), response=response.hex(), repeats=repeats
            )
        finally:
            process.terminate()
    ours, bare = Samples(times["ours"]), Samples(times["bare"])
    ratio = ours.median / bare.median
    return Finding(
        Measure.TRANSPORT,
        f"{ratio:.2f}",
        ratio <= TRANSPORT_LIMIT,
        f"medians {show_microseconds(ours.median)} / {show_microseconds(bare.median)}, connection kept by both; "
        f"p95 {show_microseconds(ours.p95)} / {show_microseconds(bare.p95)}; {len(ours)} questions each",
    )


def ask_in_turn(url: str, request: str, response: str, repeats: int) -> dict[str, list[float]]:
    """Seconds of each question by our fetcher and by `http.client`, first by one and first by the other in turn."""
    return run_in_loop(_ask_in_turn(url, bytes.fromhex(request), bytes.fromhex(response), repeats))


async def _ask_in_turn(url: str, request: bytes, response: bytes, repeats: int) -> dict[str, list[float]]:
    address = urlsplit(url)
    assert address.hostname is not None
    headers = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
    connection = http.client.HTTPConnection(address.hostname, address.port)
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    async with HttpFetcher() as fetcher:
        for turn in range(WARM_UP + repeats):
            for name in ("ours", "bare") if turn % 2 else ("bare", "ours"):
                began = time.perf_counter()
                if name == "ours":
                    answered = await fetcher.fetch_ocsp(url, request)
                else:
                    connection.request("POST", address.path, request, headers)
                    answered = connection.getresponse().read()
                times[name].append(time.perf_counter() - began)
                if answered != response:
                    raise RuntimeError(f"the responder was not understood: {answered!r}")
    connection.close()
    return {name: seconds[WARM_UP:] for name, seconds in times.items()}

"""A suspended card, and everything an attacker can do to the network, the clock and the disk to hide it: never a yes.

The card was suspended an hour ago; the responder knows, and so does today's list. Each cell says what is answered,
with the fallback closed, opened by a manager, and in a configured window; to a visit by 暗証番号 and to kazashi at a
service that lets kazashi go on inside a window.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from kiosk_web.pki.fallback import FallbackState
from kiosk_web.pki.ocsp import OcspResponderPolicy
from kiosk_web.pki.signature import Proof, build_card_message, judge_kazashi_proof
from kiosk_web.pki.status import Good
from kiosk_web.pki.trust import TrustedCertificate
from kiosk_web.pki.verdict import VerdictPolicy, judge_verdict
from tests.support.crl_stand import SilentWatcher, list_of, offer, town_point
from tests.support.crl_writer import ListShape
from tests.support.jpki import NOW, build_root, rsa_key
from tests.support.status_stand import (
    CLOSED,
    MANAGER,
    UNASKED,
    WINDOW,
    Script,
    StatusStand,
    ask,
    fail,
    held_list,
    hold_answer,
    say,
    silent_list,
    spell,
)

pytestmark = pytest.mark.anyio

SERIAL = 0x0A1B2C3D
YESTERDAY = ListShape(this_update=NOW - timedelta(hours=24), next_update=NOW + timedelta(hours=6), number=1000)
TODAY = ListShape(this_update=NOW - timedelta(minutes=30), number=1001)
OPENINGS: dict[str, FallbackState] = {"closed": CLOSED, "manager": MANAGER, "window": WINDOW, "unasked": UNASKED}
CODES = {"onhold": "certificate_on_hold", "stale": "status_stale", "unavailable": "status_unavailable"}


async def publish(stand: StatusStand) -> None:
    """The world before the attack: yesterday's list is silent about the card, today's suspends it."""
    assert [one.result for one in await stand.lists.take_in(silent_list(stand.root, YESTERDAY))] == ["taken"]
    shutil.copytree(stand.folder, stand.folder.with_name("yesterday"))
    assert [one.result for one in await stand.lists.take_in(held_list(stand.root, SERIAL, TODAY))] == ["taken"]


async def leave(stand: StatusStand) -> None:
    """Nothing is done to the lists."""


async def put_back_yesterdays_index(stand: StatusStand) -> None:
    """The folder of the index is replaced by a copy of yesterday's: signed by the same installation, and fresh."""
    shutil.rmtree(stand.folder)
    shutil.copytree(stand.folder.with_name("yesterday"), stand.folder)


async def put_back_an_index_without_the_towns_list(stand: StatusStand) -> None:
    """There, the list of the whole CA is the newest that there is, and it is silent; the one of the town came after."""
    shutil.rmtree(stand.folder)
    stand.list_marks.marks.clear()
    assert [one.result for one in await stand.lists.take_in(silent_list(stand.root, TODAY))] == ["taken"]
    shutil.copytree(stand.folder, stand.folder.with_name("without"))
    later = replace(TODAY, this_update=TODAY.this_update + timedelta(minutes=10), point=town_point())
    assert [one.result for one in await stand.lists.take_in(held_list(stand.root, SERIAL, later))] == ["taken"]
    shutil.rmtree(stand.folder)
    shutil.copytree(stand.folder.with_name("without"), stand.folder)


async def remove_the_index(stand: StatusStand) -> None:
    shutil.rmtree(stand.folder)


async def offer_a_list_of_another_generation(stand: StatusStand) -> None:
    """The same name, a real CA key, silent about the card; and nothing else."""
    shutil.rmtree(stand.folder)
    other = build_root(2019)
    with stand.lists.writing() as writer:
        intake = stand.lists.build_intake(writer, other)
        outcomes = await intake.take_in([offer(list_of(other, [4711], TODAY))], SilentWatcher())
    assert [one.result for one in outcomes] == ["taken"]


async def offer_another_list_of_the_same_number(stand: StatusStand) -> None:
    """As a key that was stolen, or a CA that went wrong, could make it."""
    (outcome,) = await stand.lists.take_in(silent_list(stand.root, TODAY))
    assert (outcome.result, outcome.why) == ("refused", "same_number_other_list")


async def put_another_list_of_the_same_number(stand: StatusStand) -> None:
    """Past the intake: as if the index were made anew without the marks of the database."""
    shutil.rmtree(stand.folder)
    kept = dict(stand.list_marks.marks)
    stand.list_marks.marks.clear()
    assert [one.result for one in await stand.lists.take_in(silent_list(stand.root, TODAY))] == ["taken"]
    stand.list_marks.marks.update(kept)


async def set_the_clock_back(stand: StatusStand) -> None:
    stand.lists.now = NOW - timedelta(days=2)


def unsigned(request: bytes) -> bytes:
    status = ocsp.OCSPResponseStatus.TRY_LATER
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def replay(request: bytes) -> bytes:
    """The answer that a visit before the suspension got."""
    answer = say(nonce=b"\x5a" * 32)(request)
    assert isinstance(answer, bytes)
    return answer


def replay_without_nonce(request: bytes) -> bytes:
    """The same, from before the suspension, at a responder of which no nonce is asked."""
    long_ago = NOW - timedelta(hours=2)
    answer = say(this_update=long_ago, next_update=long_ago + timedelta(minutes=15), produced_at=long_ago)(request)
    assert isinstance(answer, bytes)
    return answer


@dataclass(frozen=True)
class Attack:
    """`responder` is what the network shows instead of it. `unreached`: what it says when a list may not answer;
    `listed`: when one may.
    """

    responder: Script
    unreached: str
    listed: str
    lists: Callable[[StatusStand], Awaitable[None]] = leave
    nonce: Literal["required", "none"] = "required"


SUSPENDED = "onhold by crl"
ATTACKS: dict[str, Attack] = {
    "reset": Attack(fail("reset"), "unavailable reset", SUSPENDED),
    "timeout": Attack(fail("timeout"), "unavailable timeout", SUSPENDED),
    "refused": Attack(fail("refused"), "unavailable refused", SUSPENDED),
    "http 500": Attack(fail("http_status"), "unavailable http_status", "unavailable http_status"),
    "tryLater": Attack(unsigned, "unavailable responder_try_later", "unavailable responder_try_later"),
    "garbage": Attack(lambda request: b"\x30\x03\x0a\x01\x00", "unavailable malformed", "unavailable malformed"),
    "replayed good": Attack(replay, "unavailable nonce_wrong", "unavailable nonce_wrong"),
    "replayed good without nonce": Attack(replay_without_nonce, "stale too_old", "stale too_old", nonce="none"),
    "good of another": Attack(say(serial=99), "unavailable other_certificate", "unavailable other_certificate"),
    "index of yesterday": Attack(
        fail("reset"), "unavailable reset", "stale behind_high_water", put_back_yesterdays_index
    ),
    "index without the list of the town": Attack(
        fail("reset"), "unavailable reset", "stale behind_high_water", put_back_an_index_without_the_towns_list
    ),
    "no index": Attack(fail("reset"), "unavailable reset", "unavailable no_list", remove_the_index),
    "list of another generation": Attack(
        fail("reset"), "unavailable reset", "unavailable no_list", offer_a_list_of_another_generation
    ),
    "same number, other list": Attack(
        fail("reset"), "unavailable reset", SUSPENDED, offer_another_list_of_the_same_number
    ),
    "same number, other index": Attack(
        fail("reset"), "unavailable reset", "stale behind_high_water", put_another_list_of_the_same_number
    ),
    "clock two days back": Attack(
        fail("reset"), "unavailable clock_unreliable", "unavailable clock_unreliable", set_the_clock_back
    ),
}


def expect(attack: Attack, method: str, opening: str) -> str:
    """The word of the cell. A manager's opening is not for kazashi; a window without a responder asks for the list."""
    if attack.unreached == "unavailable clock_unreliable":
        return attack.unreached
    if opening == "closed" or (opening == "manager" and method == "kazashi"):
        return attack.unreached
    if opening == "unasked" and attack.lists is leave:
        return SUSPENDED
    return attack.listed


def prove(method: Literal["pin", "kazashi"], trusted: TrustedCertificate) -> Proof:
    """The card proves itself perfectly: only its certificate is suspended. A tap signs with the enrolled key."""
    if method == "pin":
        return Proof("pin", True, trusted.sha256)
    message = build_card_message(
        method=method,
        purpose="identify",
        origin="http://127.0.0.1:8480",
        terminal="t",
        session="s",
        service="library",
        nonce=bytes(32),
        certificate_sha256=trusted.sha256,
        lease="lease",
    )
    signature = rsa_key("surface").sign(message, padding.PKCS1v15(), hashes.SHA256())
    return judge_kazashi_proof(trusted, rsa_key("surface").public_key(), message, signature)


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("method", ["pin", "kazashi"])
@pytest.mark.parametrize("name", ATTACKS)
async def test_a_suspended_card_is_never_good(
    tmp_path: Path, name: str, method: Literal["pin", "kazashi"], opening: str
) -> None:
    attack = ATTACKS[name]
    policy = OcspResponderPolicy("http://127.0.0.1:9/", nonce=attack.nonce)
    stand = StatusStand(tmp_path / "crl", attack.responder, responder_policy=policy)
    stand.fallback.state = OPENINGS[opening]
    await publish(stand)
    await attack.lists(stand)
    context = ask(method=method, kazashi_in_window=True)
    status = await stand.service.check_status(stand.lists.certificate(SERIAL), context)
    assert spell(status) == expect(attack, method, opening)
    assert not isinstance(status, Good)

    trusted = stand.lists.certificate(SERIAL)
    proof = prove(method, trusted)
    assert proof.verified
    verdict = judge_verdict(trusted, status, proof, VerdictPolicy(context, stand.fallback.state), stand.lists.now)
    assert not verdict.accepted
    if spell(status) == "unavailable clock_unreliable":
        assert verdict.refusal_code == "clock_unreliable"
    else:
        assert verdict.refusal_code == CODES[spell(status).split()[0]]


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("method", ["pin", "kazashi"])
async def test_left_alone_the_responder_or_the_list_says_that_it_is_suspended(
    tmp_path: Path, method: str, opening: str
) -> None:
    stand = StatusStand(tmp_path / "crl", hold_answer())
    stand.fallback.state = OPENINGS[opening]
    await publish(stand)
    status = await stand.check(SERIAL, ask(method=method, kazashi_in_window=True))
    assert spell(status) == (SUSPENDED if opening == "unasked" else "onhold by ocsp")


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("method", ["pin", "kazashi"])
@pytest.mark.parametrize("name", ATTACKS)
async def test_a_card_once_seen_suspended_stays_so_whatever_is_done_to_the_lists(
    tmp_path: Path, name: str, method: str, opening: str
) -> None:
    """The marks of the certificate hold on their own, also where the marks of the lists are gone with the index."""
    attack = ATTACKS[name]
    policy = OcspResponderPolicy("http://127.0.0.1:9/", nonce=attack.nonce)
    stand = StatusStand(tmp_path / "crl", hold_answer(), responder_policy=policy)
    await publish(stand)
    assert spell(await stand.check(SERIAL, ask())) == "onhold by ocsp"
    stand.script, stand.fallback.state = attack.responder, OPENINGS[opening]
    await attack.lists(stand)
    stand.list_marks.marks.clear()
    status = await stand.check(SERIAL, ask(method=method, kazashi_in_window=True))
    assert not isinstance(status, Good)


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("purpose", ["enrol", "relink"])
async def test_nothing_is_kept_for_later_visits_on_the_word_of_a_list(
    tmp_path: Path, purpose: str, opening: str
) -> None:
    """Not even for a certificate that is in force."""
    stand = StatusStand(tmp_path / "crl", fail("reset"))
    stand.fallback.state = OPENINGS[opening]
    await publish(stand)
    status = await stand.check(SERIAL + 1, ask(purpose=purpose))
    assert spell(status) == "unavailable reset"
    assert spell(await stand.check(SERIAL + 1, ask())) == (
        "unavailable reset" if opening == "closed" else "good by crl"
    )

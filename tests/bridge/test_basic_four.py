"""The basic 4 information on the virtual card: after the signature, with one secret, and nothing but EF 0002."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bridge.basic_four import build_items
from bridge.card.text import BasicFour
from bridge.errors import CardRemoved, PinMalformed
from bridge.evidence import build_basic_four_evidence, build_fields
from bridge.strict_json import decode_base64url, encode_base64url
from bridge.visit import BasicFourRead, CertificateRead, PinAccepted, Signed, TextReady, VisitFailed
from kiosk_web.services.readings.basic_four import read_items
from tests.bridge.page import Page, page_with_card, running_bridge
from tests.bridge.test_worker import SELECT, VERIFY, Bench, bench
from tests.support.pcscd import Pcscd, own_socket_path, virtual_card
from tests.support.profiles import CODE_B, PIN, TEXT_PIN, write_reader

TEXT_AP = "D3921000310001010408"


def begin(at: Bench, name: str = "challenge") -> None:
    at.begin(name, service="facility", purpose="basic_four", consent=bytes(32))


def sign(at: Bench, name: str = "challenge") -> TextReady:
    """Up to the question for a secret of the text application."""
    begin(at, name)
    at.next(CertificateRead)
    at.give(PIN, name)
    at.next(PinAccepted)
    at.next(Signed)
    ready = at.next(TextReady)
    assert isinstance(ready, TextReady)
    return ready


def fail(at: Bench) -> tuple[str, int | None]:
    report = at.next(VisitFailed)
    assert isinstance(report, VisitFailed)
    return report.code, report.tries_left


def compared(at: Bench) -> list[str]:
    """Every VERIFY with a secret in it, as its length and P2."""
    return [
        f"{command[4]}:{command[3]:02X}" for command in at.source.commands if command[1] == VERIFY and len(command) > 5
    ]


@pytest.mark.parametrize(("secret", "key"), [(TEXT_PIN, "4:91"), (CODE_B, "14:95")], ids=["PIN", "code B"])
def test_one_connection_one_signature_one_secret_one_file(tmp_path: Path, secret: str, key: str) -> None:
    with bench(tmp_path) as at:
        ready = sign(at)
        assert (ready.pin_tries_left, ready.code_tries_left) == (3, 10)
        given = at.give(secret)
        at.next(PinAccepted)
        read = at.next(BasicFourRead)
    assert isinstance(read, BasicFourRead)
    four = read_items(read.items)
    assert (four.name, four.birth, four.sex) == ("見本\u3000花子", "19800217", "2")
    assert (read.counter, "見本" in repr(read)) == (3, False)
    assert at.source.closed == [True]
    assert compared(at) == ["4:98", key]
    selected = [bytes(command[5:15]).hex().upper() for command in at.source.commands if command[1] == SELECT]
    assert selected.count(TEXT_AP) == 1
    after = at.source.commands[[TEXT_AP in command.hex().upper() for command in at.source.commands].index(True) + 1 :]
    files = {f"{command[2]:02X}" for command in after if command[1] == 0xB0 and command[2] & 0x80}
    assert files == {"82"}  # EF 0002: neither 0001, the My Number, nor 0003, its hash
    with pytest.raises(PinMalformed):
        given.reveal()


@pytest.mark.parametrize("long_form", [False, True])
def test_long_addresses_and_rare_signs_arrive_unharmed(tmp_path: Path, long_form: bool) -> None:
    name, address = "𠮷野\u3000髙子", "みほん県みほん市大字●●か\u3099き" * 8
    with bench(tmp_path, {"name": name, "address": address, "switches": {"long_form_tlv": long_form}}) as at:
        sign(at)
        at.give(TEXT_PIN)
        at.next(PinAccepted)
        read = at.next(BasicFourRead)
    assert isinstance(read, BasicFourRead)
    assert len(address.encode()) > 127
    assert read.items == build_fields(name, address, "19800217", "2")


def test_a_wrong_secret_ends_it_and_tells_what_is_left(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        sign(at)
        at.give("0000")
        assert fail(at) == ("text_secret_wrong", 2)
        assert len(compared(at)) == 2


@pytest.mark.parametrize(
    ("text_pin", "code_b", "given", "tells"),
    [
        (1, 10, TEXT_PIN, True),
        (3, 1, CODE_B, True),
        (1, 1, "", False),
        (0, 0, "", False),
    ],
)
def test_a_secret_with_fewer_than_two_tries_left_is_not_compared(
    tmp_path: Path, text_pin: int, code_b: int, given: str, tells: bool
) -> None:
    counters = {
        "text_pin": {"value": TEXT_PIN, "tries": 3, "left": text_pin},
        "code_b": {"value": CODE_B, "tries": 10, "left": code_b},
    }
    with bench(tmp_path, counters) as at:
        begin(at)
        at.next(CertificateRead)
        at.give(PIN)
        at.next(PinAccepted)
        at.next(Signed)
        if tells:
            assert at.next(TextReady) == TextReady("challenge", text_pin, code_b)
            at.give(given)
        assert fail(at) == ("text_secret_guarded", None)
        assert compared(at) == ["4:98"]


def test_with_two_tries_left_a_secret_is_compared(tmp_path: Path) -> None:
    counters = {
        "text_pin": {"value": TEXT_PIN, "tries": 3, "left": 2},
        "code_b": {"value": CODE_B, "tries": 10, "left": 0},
    }
    with bench(tmp_path, counters) as at:
        assert sign(at) == TextReady("challenge", 2, 0)
        at.give("0000")
        assert fail(at) == ("text_secret_wrong", 1)
    assert compared(at) == ["4:98", "4:91"]


def test_with_one_secret_guarded_the_other_one_still_opens(tmp_path: Path) -> None:
    with bench(tmp_path, {"text_pin": {"value": TEXT_PIN, "tries": 3, "left": 0}}) as at:
        sign(at)
        at.give(CODE_B)
        at.next(PinAccepted)
        at.next(BasicFourRead)


@pytest.mark.parametrize("given", ["123", "12345", "123456789012", "123A"])
def test_what_is_neither_costs_no_try(tmp_path: Path, given: str) -> None:
    with bench(tmp_path) as at:
        sign(at)
        at.give(given)
        assert fail(at) == ("pin_malformed", None)
        assert compared(at) == ["4:98"]


def test_two_secrets_for_one_laying_of_a_card(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        for name in ("first", "second"):
            sign(at, name)
            at.give("0" * 14, name)
            assert fail(at)[0] == "text_secret_wrong"
        sign(at, "third")
        at.give("0" * 14, "third")
        assert fail(at)[0] == "pin_tries_used"
    assert compared(at) == [*["4:98", "14:95"] * 2, "4:98"]


def test_a_card_that_goes_while_the_secret_is_typed_ends_it(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        sign(at)
        at.worker.set_current(None)
        assert fail(at)[0] == CardRemoved.code
        given = at.give(TEXT_PIN)
        assert compared(at) == ["4:98"]
    with pytest.raises(PinMalformed):
        given.reveal()


def test_a_card_pulled_after_verify_gives_nothing_out(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        sign(at)

        def pull(command: bytes) -> None:
            if command[1] == VERIFY and len(command) > 5:
                at.worker.set_current(None)

        at.source.after = pull
        at.give(TEXT_PIN)
        assert at.next(PinAccepted) == PinAccepted("challenge")
        assert fail(at)[0] == CardRemoved.code


def test_a_malformed_record_gives_nothing_out(tmp_path: Path) -> None:
    with bench(tmp_path, {"birth": "19801317"}) as at:
        sign(at)
        at.give(TEXT_PIN)
        at.next(PinAccepted)
        assert fail(at)[0] == "card_data_malformed"


async def read_by(page: Page) -> None:
    """A whole reading as a page goes through it."""
    ticket = page.challenge(purpose="basic_four", consent=encode_base64url(bytes(32)))
    await page.say("read_certificate", ticket=ticket)
    certificate = await page.expect("certificate")
    await page.expect("need_pin")
    await page.say("authenticate")
    await page.enter_pin(PIN, certificate["challenge"])
    await page.expect("result")
    need = await page.expect("need_text")
    assert (need["pin_tries_left"], need["code_tries_left"]) == (3, 10)
    await page.enter_pin(CODE_B, certificate["challenge"])
    await page.say("authenticate")
    told = await page.expect("basic_four")
    items = page.open_items(told)
    assert read_items(items).name == "見本\u3000花子"
    assert items not in json.dumps(told).encode()
    evidence = build_basic_four_evidence(
        ticket=ticket,
        certificate=decode_base64url(certificate["certificate"]),
        method="pin",
        items=items,
        counter=told["counter"],
    )
    page.bridge.authority.terminal_key.public_key().verify(decode_base64url(told["signature"]), evidence)


def test_through_the_socket_only_the_page_of_the_connection_can_read_it(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            await read_by(page)

    asyncio.run(visit())


@pytest.mark.pcsc
def test_the_same_through_a_real_pcsc_service(tmp_path: Path) -> None:
    socket_path = own_socket_path()
    from bridge.card.pcsc import PcscSource

    async def visit() -> None:
        async with running_bridge(tmp_path, source=PcscSource()) as bridge, Page.verified(bridge) as page:
            bridge.lay("cards/taro")
            await page.expect_card("ours")
            await read_by(page)

    write_reader(tmp_path, 1, None)
    with Pcscd(socket_path) as service, virtual_card(tmp_path, service.vpcd):
        asyncio.run(visit())


def test_the_server_reads_what_the_bridge_writes_and_nothing_else() -> None:
    items = build_items(BasicFour("𠮷野\u3000髙子", "みほん市●", "19800200", "9"))
    four = read_items(items)
    assert (four.name, four.address, four.birth, four.sex) == ("𠮷野\u3000髙子", "みほん市●", "19800200", "9")
    for wrong in (b"", items[:-1], items + b"\0\0", b"\0\1\xff" + items[2:]):
        with pytest.raises(ValueError, match=r"items|length|birth"):
            read_items(wrong)

"""Visits through a real PC/SC service: pcscd, its virtual reader, pyscard, the bridge, the browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import RunningDemo
from tests.support.own_bridge import run_bridge
from tests.support.pcscd import Pcscd, virtual_card

pytestmark = [pytest.mark.e2e, pytest.mark.pcsc]


@dataclass(frozen=True)
class Terminal:
    kiosk: KioskPage
    demo: RunningDemo
    service: Pcscd


@pytest.fixture
def terminal(bare_kiosk: KioskPage, bare_demo: RunningDemo) -> Iterator[Terminal]:
    with Pcscd() as service, virtual_card(bare_demo.data / "simulator", service.vpcd):  # noqa: SIM117 - one after another
        with run_bridge(bare_demo, "--pcsc", environment=service.environment):
            yield Terminal(bare_kiosk, bare_demo, service)


def test_a_card_in_a_real_reader_becomes_a_result(terminal: Terminal) -> None:
    terminal.kiosk.open().choose()
    terminal.demo.put_card("midori")
    terminal.kiosk.wait_for("awaiting_pin").type_pin("1234").wait_for("result")
    terminal.demo.lift_card()
    terminal.kiosk.wait_for("choosing_service")


def test_a_wrong_pin_in_a_real_reader_costs_one_try(terminal: Terminal) -> None:
    terminal.kiosk.open().choose()
    terminal.demo.put_card("midori")
    terminal.kiosk.wait_for("awaiting_pin").type_pin("0000")
    terminal.kiosk.wait_for_tries(2).type_pin("1234").wait_for("result")
    assert terminal.demo.tries_left("midori") == 3


def test_a_card_pulled_from_a_real_reader_ends_the_visit(terminal: Terminal) -> None:
    terminal.kiosk.open().choose()
    terminal.demo.put_card("midori")
    terminal.kiosk.wait_for("awaiting_pin")
    terminal.demo.lift_card()
    terminal.kiosk.wait_for("refused").wait_for_code("card_removed")


def test_a_restarted_service_needs_no_restart_of_the_bridge(terminal: Terminal) -> None:
    terminal.kiosk.open().choose()
    terminal.service.stop()
    terminal.kiosk.wait_for_text("読み取り機")
    terminal.service.start()
    terminal.demo.put_card("midori")
    terminal.kiosk.wait_for("awaiting_pin").type_pin("1234").wait_for("result")

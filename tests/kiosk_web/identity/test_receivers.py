"""Where a webhook may go, by address."""

from __future__ import annotations

import pytest

from kiosk_web.identity.receivers import is_receiver_address, judge_receiver_host

NAME = "booking.example.lg.jp"
OWN = ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1")
NOWHERE = (
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "fe80::1",
    "fe80::1%eth0",
    "0.0.0.0",
    "::",
)
NOWHERE += ("224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "::ffff:0.0.0.0")


@pytest.mark.parametrize("address", ["192.0.2.7", "10.1.2.3", "172.16.9.9", "192.168.0.9", "2001:db8::7", "fd00::7"])
def test_a_computer_of_the_municipality_or_of_the_internet_is_a_receiver(address: str) -> None:
    assert is_receiver_address(address, host=NAME)
    assert judge_receiver_host(address)


@pytest.mark.parametrize("address", [*OWN, *NOWHERE, "", "localhost", "1.2.3"])
def test_a_name_leads_to_nothing_that_only_this_computer_reaches(address: str) -> None:
    assert not is_receiver_address(address, host=NAME)


def test_this_computer_is_a_receiver_where_the_settings_name_it() -> None:
    assert all(is_receiver_address(address, host=host) for address in OWN[:3] for host in ("localhost", address))
    assert judge_receiver_host("localhost")
    assert judge_receiver_host("127.0.0.1")
    assert judge_receiver_host("::1")
    assert not is_receiver_address("169.254.169.254", host="localhost")


@pytest.mark.parametrize("address", NOWHERE)
def test_the_settings_may_not_name_what_is_no_receiver(address: str) -> None:
    assert not judge_receiver_host(address)

"""Where a webhook may go, by address."""

from __future__ import annotations

import pytest

from kiosk_web.identity.receivers import is_receiver_address, judge_receiver_host

NAME = "booking.example.lg.jp"
OWN = ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1")
OWN += ("::127.0.0.1", "::ffff:0:7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:c000:201::80ff:fffe")
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
NOWHERE += ("0.1.2.3", "::169.254.169.254", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "::ffff:0:a9fe:a9fe")
NOWHERE += ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "::ffff:168.63.129.16")


@pytest.mark.parametrize(
    "address", ["192.0.2.7", "10.1.2.3", "172.16.9.9", "192.168.0.9", "2001:db8::7", "fd00::7", "2002:c000:207::"]
)
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


@pytest.mark.parametrize(
    "host",
    ["１６９.254.169.254", "169。254。169。254", "0", "127.1", "2852039166", "0xa9fea9fe", "a.0x7f", "10.0.0.1."],
)
def test_an_address_in_another_spelling_is_not_taken_for_a_name(host: str) -> None:
    assert not judge_receiver_host(host)


@pytest.mark.parametrize("host", [NAME, "図書館.みほん.jp", "xn--wgv71a119e.jp", "host7", "4u.example", "a.7b"])
def test_a_name_is_judged_by_what_it_leads_to(host: str) -> None:
    assert judge_receiver_host(host)


def test_this_computer_may_be_named_in_capitals_and_a_translated_address_is_the_one_it_leads_to() -> None:
    assert is_receiver_address("127.0.0.1", host="LocalHost")
    assert is_receiver_address("64:ff9b::c000:207", host=NAME)  # 192.0.2.7

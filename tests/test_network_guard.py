"""The guard of `conftest.py` works: a test cannot reach another computer by accident."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import NetworkInTest, is_loopback


def test_a_connection_to_another_computer_is_refused() -> None:
    with socket.socket() as outside, pytest.raises(BaseException, match=r"192\.0\.2\.1") as refusal:
        outside.connect(("192.0.2.1", 80))
    assert refusal.type.__name__ == NetworkInTest.__name__


def test_a_look_up_of_a_foreign_name_is_refused() -> None:
    with pytest.raises(BaseException, match=r"getaddrinfo www\.example\.org") as refusal:
        socket.create_connection(("www.example.org", 80), timeout=1)
    assert refusal.type.__name__ == NetworkInTest.__name__


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "0.0.0.0", "nowhere.invalid"])
def test_addresses_that_lead_nowhere_else_are_allowed(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.168.1.1", "fe80::1", "example.org", "127.0.0.1.example.org"])
def test_all_others_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_our_own_computer_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()

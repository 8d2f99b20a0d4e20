"""Which page may ask a resident's own bridge."""

from __future__ import annotations

import pytest

from bridge.gate import HandshakeRequest, Refusal
from bridge.personal.messages import SUBPROTOCOL
from bridge.personal.origins import is_international, is_loopback_origin, is_secure_origin, judge_page

HOST = "127.0.0.1:8489"
PAGE = "https://www.city.mihon.example"


def judge(
    origins: list[str] | None = None,
    *,
    method: str = "GET",
    path: str = "/personal",
    hosts: list[str] | None = None,
    offered: str = SUBPROTOCOL,
    allowed: tuple[str, ...] = (),
    development: bool = False,
) -> Refusal | None:
    given = [PAGE] if origins is None else origins
    request = HandshakeRequest(method, path, [HOST] if hosts is None else hosts, given, [offered])
    return judge_page(request, host=HOST, allowed=allowed, development=development)


@pytest.mark.parametrize(
    "origin",
    [PAGE, "https://a", "https://www.example.lg.jp:8443", "https://xn--mihon-x43ik6d.example", "https://1.2.3.4"],
)
def test_a_page_over_tls_may_ask(origin: str) -> None:
    assert judge([origin]) is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://www.city.mihon.example",
        "https://www.city.mihon.example/",
        "https://www.city.mihon.example:443",
        "https://www.city.mihon.example:0",
        "https://www.city.mihon.example:65536",
        "https://www.city.mihon.example.",
        "HTTPS://www.city.mihon.example",
        "https://WWW.city.mihon.example",
        "https://みほん.example",
        "https://user@www.city.mihon.example",
        "https://www.city.mihon.example#x",
        "https://www..example",
        "https://-a.example",
        "https://[::1]",
        "https://" + "a." * 130 + "example",
        "wss://www.city.mihon.example",
        "chrome-extension://abcdefghijklmnop",
        "file://",
        "null",
        "*",
        "",
        "http://127.0.0.1:8488",
        "http://localhost",
        f"{PAGE} https://evil.example",
        f"{PAGE},https://evil.example",
        f"{PAGE}\n",
    ],
)
def test_nobody_else_may(origin: str) -> None:
    assert judge([origin]) == Refusal(403, "origin")


def test_a_page_of_this_computer_may_ask_in_development_alone() -> None:
    for origin in ("http://127.0.0.1:8488", "http://localhost:3000", "http://localhost"):
        assert judge([origin], development=True) is None
    for origin in ("http://127.0.0.1:80", "http://127.0.0.1.evil.example", "http://127.1", "http://[::1]:8488", "null"):
        assert judge([origin], development=True) == Refusal(403, "origin")


def test_with_a_list_only_its_pages_may_ask() -> None:
    assert judge(allowed=(PAGE,)) is None
    for origin in (f"{PAGE}:8443", "https://city.mihon.example", f"{PAGE}.evil.example"):
        assert judge([origin], allowed=(PAGE,)) == Refusal(403, "origin")


def test_rebinding_doubled_headers_and_another_protocol_are_refused() -> None:
    for hosts in ([], [HOST, HOST], ["localhost:8489"], ["evil.example:8489"], ["127.0.0.1"], ["127.0.0.1.:8489"]):
        assert judge(hosts=hosts) == Refusal(403, "host")
    for origins in ([], [PAGE, PAGE]):
        assert judge(origins) == Refusal(403, "origin")
    assert judge(offered="kiosk-card.v1") == Refusal(400, "subprotocol")
    assert judge(path="/card") == Refusal(404, "path")
    assert judge(method="POST") == Refusal(404, "path")


def test_a_name_in_another_script_is_noticed() -> None:
    assert is_international("https://xn--mihon-x43ik6d.example")
    assert is_international("https://www.xn--eckwd4c7c.xn--zckzah")
    assert not is_international("https://www.axn--b.example")
    assert not is_secure_origin("http://localhost")
    assert is_loopback_origin("http://localhost")


def test_the_last_port_and_the_longest_origin_are_taken_and_none_beyond() -> None:
    assert is_secure_origin("https://a.example:65535")
    assert not is_secure_origin("https://a.example:65536")
    longest = "https://" + ".".join(["a" * 61] * 3) + "." + "a" * 61
    assert len(longest) == 255
    assert is_secure_origin(longest)
    assert not is_secure_origin(longest + "a")

"""Tickets: exactly one form passes."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bridge.errors import TicketRefused
from bridge.strict_json import encode_base64url
from bridge.ticket import (
    CHALLENGE_TYPE,
    HELLO_TYPE,
    ChallengeTicket,
    HelloTicket,
    OutputTicket,
    UsedTickets,
    judge_challenge,
    judge_hello,
    judge_key_statement,
    judge_output,
)
from tests.bridge.authority import ADDRESS, DROP, NOW, Authority, fingerprint, sign_jws

NONCE = bytes(range(32))
PAGE_KEY = bytes(range(32, 64))
CARD = encode_base64url(bytes(16))


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def judge_a_hello(authority: Authority, ticket: str, statements: list[str] | None = None) -> HelloTicket:
    terminal = authority.terminal
    return judge_hello(
        ticket,
        statements if statements is not None else [authority.statement()],
        identity_key=terminal.identity_key,
        terminal=terminal.id,
        origin=terminal.origin,
        address=ADDRESS,
        bridge_nonce=NONCE,
        page_key=PAGE_KEY,
    )


def judge_a_challenge(authority: Authority, ticket: str, now: float = NOW) -> ChallengeTicket:
    hello = judge_a_hello(authority, authority.hello(NONCE, PAGE_KEY))
    return judge_challenge(ticket, hello.keys, terminal=authority.terminal_id, origin=authority.origin, now=now)


def test_a_hello_ticket_passes_and_tells_the_servers_time(authority: Authority) -> None:
    hello = judge_a_hello(authority, authority.hello(NONCE, PAGE_KEY))
    assert hello.issued_at == NOW
    assert set(hello.keys) == {fingerprint(authority.ticket_key)}


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("another issuer", {"iss": "other"}),
        ("another audience", {"aud": "kiosk"}),
        ("another audience", {"aud": ["kiosk-bridge"]}),
        ("another terminal", {"terminal": "t-test-2"}),
        ("another origin", {"origin": "http://127.0.0.1:8480/"}),
        ("dialled another address", {"address": "[::1]:8481"}),
        ("dialled another address", {"address": "localhost:8481"}),
        ("another nonce", {"bridge_nonce": encode_base64url(bytes(32))}),
        ("malformed bridge_nonce", {"bridge_nonce": encode_base64url(bytes(31))}),
        ("another page key", {"page_key": encode_base64url(bytes(32))}),
        ("wrong lifetime", {"exp": NOW + 61}),
        ("wrong lifetime", {"exp": NOW}),
        ("malformed iat", {"iat": float(NOW)}),
        ("malformed iat", {"iat": True}),
        ("malformed exp", {"exp": str(NOW + 60)}),
        ("malformed jti", {"jti": "short"}),
        ("missing or unknown claim", {"jti": DROP}),
        ("missing or unknown claim", {"nbf": NOW}),
        ("key not in force", {"iat": NOW - 7200, "exp": NOW - 7190}),
        ("key not in force", {"iat": NOW + 7200, "exp": NOW + 7210}),
    ],
)
def test_a_hello_ticket_with_one_thing_wrong_is_refused(
    authority: Authority, reason: str, changes: dict[str, Any]
) -> None:
    ticket = authority.hello(NONCE, PAGE_KEY, **changes)
    with pytest.raises(TicketRefused) as caught:
        judge_a_hello(authority, ticket)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": "none", "typ": HELLO_TYPE}, "another kind"),
        ({"alg": "HS256", "typ": HELLO_TYPE}, "another kind"),
        ({"alg": "EdDSA", "typ": CHALLENGE_TYPE}, "another kind"),
        ({"alg": "EdDSA", "typ": "JWT"}, "another kind"),
        ({"alg": "EdDSA"}, "another kind"),
        ({"alg": "EdDSA", "typ": HELLO_TYPE, "crit": []}, "another kind"),
        ({"alg": "EdDSA", "typ": HELLO_TYPE, "jwk": {}}, "another kind"),
        ({"alg": "EdDSA", "typ": HELLO_TYPE, "kid": "other"}, "unknown key"),
        ({"alg": "EdDSA", "typ": HELLO_TYPE, "kid": 1}, "another kind"),
        ({"alg": "EdDSA", "typ": HELLO_TYPE, "kid": None}, "another kind"),
    ],
)
def test_only_one_header_passes(authority: Authority, header: dict[str, Any], reason: str) -> None:
    good = authority.hello(NONCE, PAGE_KEY)
    claims = _payload(good)
    forged = sign_jws(authority.ticket_key, {"kid": fingerprint(authority.ticket_key)} | header, claims)
    with pytest.raises(TicketRefused) as caught:
        judge_a_hello(authority, forged)
    assert caught.value.reason == reason


def test_a_ticket_longer_than_any_is_refused_before_its_signature_is_looked_at(authority: Authority) -> None:
    with pytest.raises(TicketRefused) as caught:
        judge_a_challenge(authority, authority.challenge(CARD, session="s" * 8192))
    assert caught.value.reason == "too long"


def test_a_ticket_signed_by_another_key_is_refused(authority: Authority) -> None:
    other = Authority(identity=authority.identity, ticket_key=Ed25519PrivateKey.generate())
    forged = sign_jws(
        other.ticket_key,
        {"alg": "EdDSA", "typ": HELLO_TYPE, "kid": fingerprint(authority.ticket_key)},
        _payload(authority.hello(NONCE, PAGE_KEY)),
    )
    with pytest.raises(TicketRefused, match="bad signature"):
        judge_a_hello(authority, forged)


def test_a_changed_character_anywhere_is_refused(authority: Authority) -> None:
    ticket = authority.hello(NONCE, PAGE_KEY)
    for position in range(0, len(ticket), 7):
        changed = ticket[:position] + ("A" if ticket[position] != "A" else "B") + ticket[position + 1 :]
        with pytest.raises(TicketRefused):
            judge_a_hello(authority, changed)


@pytest.mark.parametrize("payload", [b"[]", b"null", b"{", b'{"iss":"kiosk","iss":"kiosk"}', b"\xff", b"[" * 3000])
def test_signed_nonsense_is_refused(authority: Authority, payload: bytes) -> None:
    header = {"alg": "EdDSA", "typ": HELLO_TYPE, "kid": fingerprint(authority.ticket_key)}
    with pytest.raises(TicketRefused):
        judge_a_hello(authority, sign_jws(authority.ticket_key, header, payload))


@pytest.mark.parametrize("compact", ["", ".", "..", "a.b.c", "....", "e30.e30.e30", "A" * 5000])
def test_nonsense_is_refused(authority: Authority, compact: str) -> None:
    with pytest.raises(TicketRefused):
        judge_a_hello(authority, compact)
    with pytest.raises(TicketRefused):
        judge_key_statement(compact, authority.identity.public_key())


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("key statement names another key", {"kid": "other"}),
        ("key statement names another key", {"x": encode_base64url(bytes(32))}),
        ("malformed x", {"x": ""}),
        ("malformed nbf", {"nbf": None}),
        ("missing or unknown claim", {"aud": "kiosk-bridge"}),
        ("another issuer", {"iss": ""}),
    ],
)
def test_a_key_statement_with_one_thing_wrong_is_refused(
    authority: Authority, reason: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(TicketRefused) as caught:
        judge_key_statement(authority.statement(**changes), authority.identity.public_key())
    assert caught.value.reason == reason


def test_a_ticket_key_vouches_for_no_other_key(authority: Authority) -> None:
    statement = authority.statement(signer=authority.ticket_key)
    with pytest.raises(TicketRefused, match="bad signature"):
        judge_key_statement(statement, authority.identity.public_key())


def test_a_challenge_passes_with_its_fields(authority: Authority) -> None:
    consent = encode_base64url(b"c" * 32)
    ticket = authority.challenge(CARD, method="kazashi", consent=consent, lease="lease-1")
    challenge = judge_a_challenge(authority, ticket)
    assert (challenge.compact, challenge.card, challenge.lease) == (ticket, CARD, "lease-1")
    assert (challenge.consent, len(challenge.nonce)) == (b"c" * 32, 32)
    assert (challenge.terminal, challenge.origin) == (authority.terminal_id, authority.origin)


@pytest.mark.parametrize(("purpose", "method"), [("enrol", "kazashi"), ("basic_four", "pin"), ("identify", "pin")])
def test_an_enrolment_and_a_reading_pass_with_the_consent_that_was_shown(
    authority: Authority, purpose: str, method: str
) -> None:
    ticket = authority.challenge(CARD, purpose=purpose, method=method, consent=encode_base64url(b"c" * 32))
    challenge = judge_a_challenge(authority, ticket)
    assert (challenge.purpose, challenge.method, challenge.consent) == (purpose, method, b"c" * 32)


@pytest.mark.parametrize("now", [NOW - 5, NOW, NOW + 180])
def test_a_challenge_passes_within_its_time(authority: Authority, now: int) -> None:
    assert judge_a_challenge(authority, authority.challenge(CARD), now).expires == NOW + 180


@pytest.mark.parametrize(("now", "reason"), [(NOW - 5.1, "not yet valid"), (NOW + 180.1, "expired")])
def test_a_challenge_outside_its_time_is_refused(authority: Authority, now: float, reason: str) -> None:
    with pytest.raises(TicketRefused) as caught:
        judge_a_challenge(authority, authority.challenge(CARD), now)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("unknown purpose", {"purpose": "sign"}),
        ("unknown method", {"method": "face"}),
        ("a tap without a lease", {"method": "kazashi"}),
        ("a lease without a tap", {"lease": "lease-1"}),
        ("an enrolment without consent", {"purpose": "enrol", "method": "kazashi"}),
        ("a reading without consent", {"purpose": "basic_four"}),
        (
            "a reading without consent",
            {"purpose": "basic_four", "method": "kazashi", "consent": encode_base64url(bytes(32))},
        ),
        (
            "a reading without consent",
            {"purpose": "basic_four", "consent": encode_base64url(bytes(32)), "lease": "lease-1"},
        ),
        ("an enrolment without consent", {"purpose": "enrol", "consent": encode_base64url(bytes(32))}),
        (
            "an enrolment without consent",
            {"purpose": "enrol", "method": "kazashi", "consent": encode_base64url(bytes(32)), "lease": "lease-1"},
        ),
        ("malformed nonce", {"nonce": encode_base64url(bytes(16))}),
        ("malformed nonce", {"nonce": ""}),
        ("malformed consent", {"consent": "AA"}),
        ("malformed session", {"session": ""}),
        ("malformed session", {"session": "a\u0000b"}),
        ("malformed service", {"service": "x" * 256}),
        ("malformed card", {"card": 5}),
        ("malformed lease", {"lease": None}),
        ("wrong lifetime", {"exp": NOW + 181}),
        ("missing or unknown claim", {"digest": "AAAA"}),
    ],
)
def test_a_challenge_with_one_thing_wrong_is_refused(
    authority: Authority, reason: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(TicketRefused) as caught:
        judge_a_challenge(authority, authority.challenge(CARD, **changes))
    assert caught.value.reason == reason


def test_a_key_that_has_run_out_signs_no_challenge(authority: Authority) -> None:
    ticket = authority.challenge(CARD, iat=NOW + 3590, exp=NOW + 3700)
    assert judge_a_challenge(authority, ticket, NOW + 3600).card == CARD
    with pytest.raises(TicketRefused, match="key not in force"):
        judge_a_challenge(authority, ticket, NOW + 3601)


def judge_an_output(authority: Authority, ticket: str, now: float = NOW) -> OutputTicket:
    hello = judge_a_hello(authority, authority.hello(NONCE, PAGE_KEY))
    return judge_output(ticket, hello.keys, terminal=authority.terminal_id, origin=authority.origin, now=now)


def test_an_output_ticket_passes_with_its_fields_and_hides_its_number(authority: Authority) -> None:
    output = judge_an_output(authority, authority.output(CARD, "0012AZ", kind="wedge"))
    assert (output.card, output.kind, output.number, output.session) == (CARD, "wedge", "0012AZ", "s-test")
    assert "0012AZ" not in repr(output)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("wrong lifetime", {"exp": NOW + 6}),
        ("unknown kind", {"kind": "clipboard"}),
        ("malformed number", {"number": "12\r"}),
        ("malformed number", {"number": "a1"}),
        ("malformed number", {"number": "１２"}),
        ("malformed number", {"number": "1" * 33}),
        ("malformed number", {"number": ""}),
        ("malformed number", {"number": 12}),
        ("another terminal", {"terminal": "t-2"}),
        ("another origin", {"origin": "http://127.0.0.1:9"}),
        ("missing or unknown claim", {"window": "Loans.exe"}),
        ("missing or unknown claim", {"card": DROP}),
    ],
)
def test_an_output_ticket_with_one_thing_wrong_is_refused(
    authority: Authority, reason: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(TicketRefused) as caught:
        judge_an_output(authority, authority.output(CARD, "0123", **changes))
    assert caught.value.reason == reason


def test_no_ticket_passes_for_one_of_another_kind(authority: Authority) -> None:
    with pytest.raises(TicketRefused, match="another kind"):
        judge_an_output(authority, authority.challenge(CARD))
    with pytest.raises(TicketRefused, match="another kind"):
        judge_a_challenge(authority, authority.output(CARD, "0123"))


@pytest.mark.parametrize(("now", "reason"), [(NOW - 5.1, "not yet valid"), (NOW + 5.1, "expired")])
def test_an_output_ticket_outside_its_time_is_refused(authority: Authority, now: float, reason: str) -> None:
    with pytest.raises(TicketRefused) as caught:
        judge_an_output(authority, authority.output(CARD, "0123"), now)
    assert caught.value.reason == reason


def test_a_ticket_is_used_once() -> None:
    used = UsedTickets()
    used.use("a", 0.0)
    used.use("b", 1.0)
    with pytest.raises(TicketRefused, match="used before"):
        used.use("a", UsedTickets.KEEP_SECONDS)


def test_used_tickets_are_forgotten_when_they_cannot_come_back() -> None:
    used = UsedTickets()
    for number in range(UsedTickets.MAXIMUM):
        used.use(str(number), 0.0)
    with pytest.raises(TicketRefused, match="too many"):
        used.use("one more", 1.0)
    used.use("one more", UsedTickets.KEEP_SECONDS + 0.1)


def _payload(ticket: str) -> bytes:
    from bridge.strict_json import decode_base64url

    return decode_base64url(ticket.split(".")[1])

"""What the home page says of the linked signature certificate and of changed items, and who may record a change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from examples.homepage.confirmation import ConfirmationTrouble
from examples.homepage.pages import Site
from examples.homepage.standing import describe_standing

pytestmark = pytest.mark.anyio
ORIGIN = "http://127.0.0.1:9003"
PPID = "B2P6K7QX" * 3
CHANGED = {
    "signature_certificate": "revoked",
    "items": "changed",
    "since": "2026-11-02",
    "as_of": "2026-11-25T15:04:59.250Z",
    "why": None,
}
SILENT = {"signature_certificate": "unknown", "items": "unknown", "since": "2026-11-02", "as_of": None}


def test_a_change_is_told_with_what_to_do_and_where_and_when_the_register_said_so() -> None:
    shown = describe_standing(CHANGED)
    assert shown is not None
    assert shown.items.text.startswith("2026年11月2日の確認以降")
    assert "変わっています" in shown.items.text
    assert "窓口" in shown.items.advice
    assert "市民課" in shown.signature.advice
    assert shown.as_of == "2026年11月26日 00:04"
    assert shown.confirmable


@pytest.mark.parametrize(
    ("standing", "items", "signature"),
    [
        ({**CHANGED, "items": "unchanged", "signature_certificate": "valid"}, "good", "good"),
        ({**CHANGED, "items": "unknown", "since": None, "signature_certificate": "none_issued"}, "open", "open"),
        ({**CHANGED, "items": "changed", "since": None}, "open", "act"),
        ({**CHANGED, "items": "unknown", "signature_certificate": "expired"}, "open", "act"),
        ({**SILENT, "why": "timeout"}, "open", "open"),
        ({**SILENT, "items": "a word of tomorrow", "signature_certificate": "another", "why": None}, "open", "open"),
    ],
)
def test_what_is_not_known_is_never_shown_as_good(standing: dict[str, Any], items: str, signature: str) -> None:
    shown = describe_standing(standing)
    assert shown is not None
    assert (shown.items.tone, shown.signature.tone) == (items, signature)
    if items == "open":
        assert "変更はありません" not in shown.items.text
        assert "変わっています" not in shown.items.text


@pytest.mark.parametrize("standing", [None, {**SILENT, "why": "not_configured"}])
def test_where_nobody_was_asked_nothing_is_shown(standing: dict[str, Any] | None) -> None:
    assert describe_standing(standing) is None


class PlayedKiosk:
    """The kiosk's API as the home page's own client sees it."""

    def __init__(self, standing: dict[str, Any]) -> None:
        self.standing = standing
        self.down = False
        self.confirmed: list[str] = []

    async def fetch_challenge(self) -> tuple[str, dict[str, str], int]:
        return "challenge", {}, 170

    async def fetch_verdict(self, challenge: str, certificate: str, signature: str) -> dict[str, Any]:
        verdict = {"accepted": True, "outcome": "good", "reference": "7KQP-29XA", "ppid": PPID, "expires_soon": False}
        return {**verdict, "standing": self.standing}

    async def record_confirmation(self, ppid: str) -> None:
        if self.down:
            raise ConfirmationTrouble("unreachable")
        self.confirmed.append(ppid)


@pytest.fixture
def kiosk() -> PlayedKiosk:
    return PlayedKiosk(CHANGED)


@pytest.fixture
async def browser(kiosk: PlayedKiosk, anyio_backend: str) -> AsyncIterator[httpx2.AsyncClient]:
    site = Site(kiosk, origin=ORIGIN, bridge="ws://127.0.0.1:9/personal", booking="", frame="", fonts=None)  # type: ignore[arg-type]  # all that it calls
    transport = httpx2.ASGITransport(site.build())
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
        yield client


async def sign_in(browser: httpx2.AsyncClient) -> None:
    await browser.post("/login/challenge", json={})
    answer = await browser.post("/login/answer", json={"certificate": "AAAA", "signature": "AAAA"})
    assert answer.json()["outcome"] == "good"


async def test_who_signed_in_records_a_change_once(kiosk: PlayedKiosk, browser: httpx2.AsyncClient) -> None:
    await sign_in(browser)
    page = (await browser.get("/mypage")).text
    assert "変わっています" in page
    assert 'id="confirm"' in page
    for _ in range(2):
        assert (await browser.post("/mypage/confirmation")).headers["Location"] == "/mypage#standing"
    assert kiosk.confirmed == [PPID]
    page = (await browser.get("/mypage")).text
    assert 'id="recorded"' in page
    assert 'id="confirm"' not in page


async def test_nothing_is_recorded_for_another_page_or_nobody_or_without_a_change(
    kiosk: PlayedKiosk, browser: httpx2.AsyncClient
) -> None:
    await browser.post("/mypage/confirmation")
    kiosk.standing = {**CHANGED, "items": "unchanged"}
    await sign_in(browser)
    assert 'id="confirm"' not in (await browser.get("/mypage")).text
    await browser.post("/mypage/confirmation")
    kiosk.standing = CHANGED
    await sign_in(browser)
    assert (await browser.post("/mypage/confirmation", headers={"Origin": "https://evil.example"})).status_code == 403
    assert kiosk.confirmed == []


async def test_a_kiosk_that_does_not_answer_has_recorded_nothing_and_the_page_says_so(
    kiosk: PlayedKiosk, browser: httpx2.AsyncClient
) -> None:
    await sign_in(browser)
    kiosk.down = True
    answer = await browser.post("/mypage/confirmation")
    page = (await browser.get(answer.headers["Location"])).text
    assert "記録できませんでした" in page
    assert 'id="confirm"' in page
    assert 'id="recorded"' not in page


async def test_a_visitor_who_chose_english_stays_in_it(kiosk: PlayedKiosk, browser: httpx2.AsyncClient) -> None:
    assert "Sign in with My Number Card" in (await browser.get("/?lang=en")).text
    await sign_in(browser)
    page = (await browser.get("/mypage?lang=en")).text
    assert "changed after the confirmation of 2 Nov 2026" in page
    assert "26 Nov 2026 00:04" in page
    japanese = [sign for sign in page if sign > "\u2e80"]
    assert "".join(japanese) == "みみほん市日本語"  # the city's name and the way to the other language
    assert 'action="/mypage/confirmation?lang=en"' in page
    confirmed = await browser.post("/mypage/confirmation?lang=en")
    assert confirmed.headers["Location"] == "/mypage?lang=en#standing"
    assert (await browser.post("/logout?lang=en")).headers["Location"] == "/?lang=en"
    assert (await browser.get("/mypage?lang=en")).headers["Location"] == "/?lang=en"

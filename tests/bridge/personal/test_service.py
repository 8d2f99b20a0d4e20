"""Personal mode on a virtual reader, with pages that ask over real sockets and a scripted hand at the window."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate
from websockets.exceptions import ConnectionClosed, InvalidStatus

import bridge.personal.service as subject
from bridge.errors import SettingsError
from bridge.personal.service import PersonalService
from bridge.personal.settings import PersonalSettings
from bridge.personal.view import Agreed, Declined, LastTryConfirmed, PinTyped, Step, View, WindowAction
from bridge.strict_json import decode_base64url
from bridge.virtual.reader import VirtualSource
from tests.support.personal import HOME_PAGE, PATIENCE_SECONDS, Asking, asking, build_identify
from tests.support.profiles import PIN, write_profile, write_reader


class ScriptedWindow:
    """What was shown, and a hand. One after the other, as a desktop has them."""

    def __init__(self, act: Callable[[WindowAction], None]) -> None:
        self.act = act
        self.views: list[View] = []
        self.closed = asyncio.Event()
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def show(self, view: View) -> None:
        self.views.append(view)
        self._tell()

    def close(self) -> None:
        self.closed.set()

    def type_pin(self, pin: str) -> None:
        self.act(PinTyped(bytearray(pin, "ascii")))

    async def reach(self, step: Step, count: int = 1) -> View:
        """Until a step was shown so often."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: sum(view.step == step for view in self.views) >= count)
        return [view for view in self.views if view.step == step][-1]

    def _tell(self) -> None:
        async def tell() -> None:
            async with self._changed:
                self._changed.notify_all()

        task = asyncio.get_running_loop().create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Home:
    """A running bridge, its windows, and the reader beside it."""

    def __init__(self, folder: Path, service: PersonalService, windows: list[ScriptedWindow]) -> None:
        self.folder = folder
        self.service = service
        self.windows = windows
        self._serial = 100

    @property
    def address(self) -> str:
        return f"ws://{self.service.address}/personal"

    @property
    def window(self) -> ScriptedWindow:
        return self.windows[-1]

    async def lay(self, profile: str | None = "cards/taro") -> None:
        """Put a card on the reader, or take it, and wait until the bridge has seen that."""
        self._serial += 1
        before = self.service.reader
        write_reader(self.folder, self._serial, profile)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.service.reader == before:
                await asyncio.sleep(0.005)

    def tries_left(self) -> int:
        counters = self.folder / "cards/taro/counters.json"
        return int(json.loads(counters.read_text())["auth_pin"]) if counters.exists() else 3


@asynccontextmanager
async def at_home(folder: Path, **card: Any) -> AsyncIterator[Home]:
    write_profile(folder, "taro", **card)
    write_reader(folder, 1, None)
    windows: list[ScriptedWindow] = []

    def open_window(act: Callable[[WindowAction], None]) -> ScriptedWindow:
        windows.append(ScriptedWindow(act))
        return windows[-1]

    settings = PersonalSettings(port=0, virtual=folder, deployment="demo")
    service = PersonalService(settings, VirtualSource(folder), open_window)
    await service.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while service.reader.reader != "ready":  # its first look at the reader
            await asyncio.sleep(0.005)
    try:
        yield Home(folder, service, windows)
    finally:
        await service.stop()


def in_a_home(folder: Path, story: Callable[[Home], Any], **card: Any) -> None:
    async def run() -> None:
        async with at_home(folder, **card) as home:
            await story(home)

    asyncio.run(run())


async def ask(page: Asking, **changes: Any) -> dict[str, Any]:
    """Send a request; returns it once the window is open."""
    message = build_identify(**changes)
    await page.say(message)
    assert (await page.hear())["type"] == "window_open"
    return message


def test_certificate_and_signature_over_the_published_bytes(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        await home.lay()
        async with asking(home.address) as page:
            fields = (await ask(page))["fields"]
            await home.window.reach("asking")
            home.window.act(Agreed())
            assert (await home.window.reach("pin")).tries_left == 3
            home.window.type_pin(PIN)
            answer = await page.hear()
            assert answer["type"] == "signed"
            await home.window.closed.wait()
        certificate = decode_base64url(answer["certificate"])
        key = load_der_x509_certificate(certificate).public_key()
        assert isinstance(key, RSAPublicKey)
        parts = [fields[name].encode() for name in ("method", "purpose", "origin", "terminal", "session", "service")]
        parts += [base64.b64decode(fields["nonce"]), hashlib.sha256(certificate).digest(), b"", b""]
        message = b"kiosk-card/1\0" + b"".join(len(part).to_bytes(2, "big") + part for part in parts)
        key.verify(decode_base64url(answer["signature"]), message, PKCS1v15(), SHA256())

    in_a_home(tmp_path, story)


def test_nothing_is_read_from_the_card_before_the_resident_agreed(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        async with asking(home.address) as page:
            await ask(page)
            await home.window.reach("asking")
            home.window.act(Agreed())
            assert (await home.window.reach("card")).code == "no_card"
            await home.lay()
            await home.window.reach("pin")
            home.window.act(Declined())
            assert await page.hear_end() == "cancelled"
        assert home.tries_left() == 3
        async with asking(home.address) as page:
            await ask(page)
            home.window.act(Declined())
            assert await page.hear_end() == "cancelled"
        assert [view.step for view in home.window.views] == ["asking", "ended"]

    in_a_home(tmp_path, story)


def test_wrong_pins_stay_in_the_window_and_the_last_try_is_never_used_unasked(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        await home.lay()
        async with asking(home.address) as page:
            await ask(page)
            home.window.act(Agreed())
            await home.window.reach("pin")
            home.window.type_pin("0000")
            again = await home.window.reach("pin", 2)
            assert (again.wrong, again.tries_left) == (True, 2)
            home.window.type_pin("0000")
            assert await page.hear_end() == "pin_tries_used"
        assert home.tries_left() == 1
        await home.lay()
        async with asking(home.address) as page:
            await ask(page)
            home.window.act(Agreed())
            await home.window.reach("last_try")
            home.window.type_pin("0000")
            home.window.act(LastTryConfirmed())
            await home.window.reach("pin")
            assert home.tries_left() == 1
            home.window.type_pin("0000")
            assert await page.hear_end() == "pin_locked"
        assert home.tries_left() == 0
        await home.lay()
        async with asking(home.address) as page:
            await ask(page)
            home.window.act(Agreed())
            assert await page.hear_end() == "pin_locked"

    in_a_home(tmp_path, story)


def test_the_card_that_is_lifted_ends_the_request(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        await home.lay()
        async with asking(home.address) as page:
            await ask(page)
            home.window.act(Agreed())
            await home.window.reach("pin")
            await home.lay(None)
            assert await page.hear_end() == "card_removed"
        assert (await home.window.reach("ended")).code == "card_removed"
        home.window.act(Declined())
        await home.window.closed.wait()

    in_a_home(tmp_path, story)


@pytest.mark.parametrize("cancel", [True, False])
def test_a_page_that_goes_takes_its_window_with_it(tmp_path: Path, cancel: bool) -> None:
    async def story(home: Home) -> None:
        await home.lay()
        async with asking(home.address) as page:
            await ask(page)
            home.window.act(Agreed())
            await home.window.reach("pin")
            if cancel:
                await page.say({"v": 1, "type": "cancel"})
                assert await page.hear_end() == "cancelled"
        async with asyncio.timeout(PATIENCE_SECONDS):
            await home.window.closed.wait()
        home.window.type_pin("0000")
        async with asking(home.address) as page:
            await ask(page)
            home.window.act(Declined())
            assert await page.hear_end() == "cancelled"
        assert home.tries_left() == 3

    in_a_home(tmp_path, story)


def test_one_request_at_a_time(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        async with asking(home.address) as page, asking(home.address, "https://other.example") as other:
            await ask(page)
            await other.say(build_identify("https://other.example"))
            assert await other.hear_end() == "busy"
            assert len(home.windows) == 1
            assert not home.window.closed.is_set()
            home.window.act(Declined())
            assert await page.hear_end() == "cancelled"

    in_a_home(tmp_path, story)


def test_a_window_that_still_says_why_makes_room_for_the_next_request(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        write_profile(home.folder, "hanako", auth_pin={"value": PIN, "tries": 3, "left": 0})
        await home.lay("cards/hanako")
        async with asking(home.address) as page:
            await ask(page)
            home.window.act(Agreed())
            assert await page.hear_end() == "pin_locked"
        first = home.window
        assert not first.closed.is_set()
        async with asking(home.address) as page:
            await ask(page)
            assert first.closed.is_set()
            first.act(Agreed())
            assert [view.step for view in home.window.views] == ["asking"], "a window that is closed says nothing"

    in_a_home(tmp_path, story)


def test_a_fake_page_opens_no_window(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        used = build_identify()
        async with asking(home.address) as page:
            await page.say(used)
            await page.hear()
            home.window.act(Declined())
            await page.hear_end()
        for message, code in (
            (build_identify("https://other.example"), "origin_mismatch"),
            (build_identify(expires_in=0), "challenge_expired"),
            (used, "challenge_used"),
        ):
            async with asking(home.address) as page:
                await page.say(message)
                assert await page.hear_end() == code
        async with asking(home.address, "https://evil.example") as page:
            await page.say(build_identify(HOME_PAGE))
            assert await page.hear_end() == "origin_mismatch"
        assert len(home.windows) == 1
        for origin in ("http://www.city.mihon.example", "null", "http://127.0.0.1:8480", "https://evil.example/"):
            with pytest.raises(InvalidStatus) as refusal:
                async with asking(home.address, origin):
                    raise AssertionError(origin)
            assert refusal.value.response.status_code == 403
            assert refusal.value.response.body == b"refused\n"
        assert len(home.windows) == 1

    in_a_home(tmp_path, story)


def test_an_origin_that_asks_too_often_waits(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        codes = []
        for _ in range(6):
            async with asking(home.address) as page:
                await page.say(build_identify())
                if (await page.hear())["type"] == "failed":
                    codes.append("too_many_requests")
                else:
                    home.window.act(Declined())
                    codes.append(await page.hear_end())
        assert codes == ["cancelled"] * 5 + ["too_many_requests"]

    in_a_home(tmp_path, story)


def test_time_runs_out(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        async with asking(home.address) as page:
            await ask(page, expires_in=1)
            assert await page.hear_end() == "challenge_expired"
        assert (await home.window.reach("ended")).code == "challenge_expired"

    in_a_home(tmp_path, story)


@pytest.mark.parametrize(
    ("message", "close"),
    [("{", 4400), ('{"v":1,"type":"transmit"}', 4400), ('{"v":2,"type":"cancel"}', 4426), (None, 4401)],
)
def test_who_says_nothing_or_something_else_is_let_go(
    tmp_path: Path, message: str | None, close: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "FIRST_MESSAGE_SECONDS", 0.1 if message is None else PATIENCE_SECONDS)

    async def story(home: Home) -> None:
        async with asking(home.address) as page:
            if message is not None:
                await page.say(message)
            with contextlib.suppress(ConnectionClosed):
                await page.hear()
            assert page.connection.close_code == close
        assert home.windows == []

    in_a_home(tmp_path, story)


def test_the_log_names_no_page_and_no_pin(tmp_path: Path) -> None:
    async def story(home: Home) -> None:
        await home.lay()
        async with asking(home.address) as page:
            await ask(page)
            home.window.act(Agreed())
            await home.window.reach("pin")
            home.window.type_pin("7913")
            await home.window.reach("pin", 2)
            home.window.type_pin(PIN)
            assert await page.hear_end() == ""

    with structlog.testing.capture_logs() as lines:
        in_a_home(tmp_path, story)
    assert {"request_opened", "request_ended"} <= {line["event"] for line in lines}
    assert not [line for line in lines if "mihon" in str(line) or "7913" in str(line)]


def test_production_has_no_virtual_reader(tmp_path: Path) -> None:
    async def run() -> None:
        with pytest.raises(SettingsError, match="virtual reader"):
            PersonalService(PersonalSettings(port=0), VirtualSource(tmp_path), lambda act: ScriptedWindow(act))

    asyncio.run(run())

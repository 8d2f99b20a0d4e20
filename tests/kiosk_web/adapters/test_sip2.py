"""The SIP2 client against an independent server (pysip2), through a line that can garble, lose and record."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pysip2 import SIP2Server

from kiosk_web.adapters.sip2 import LibraryAnswer, Sip2Client, Sip2Settings
from kiosk_web.adapters.sip2_message import derive_checksum
from tests.support.library import READERS, build_library, serving

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
Change = Callable[[bytes], bytes | None]


class Line:
    """A relay between client and library that changes, swallows (None) and remembers whole messages."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[bytes] = []
        self.answered: list[bytes] = []
        self.on_question: Change = lambda message: message
        self.on_answer: Change = lambda message: message

    @contextlib.asynccontextmanager
    async def running(self, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self.port)
        both = (
            self._copy(reader, their_writer, self.asked, lambda it: self.on_question(it)),
            self._copy(their_reader, writer, self.answered, lambda it: self.on_answer(it)),
        )
        await asyncio.gather(*both)  # each closes what it writes to, so that the end of one is the end of the other

    @staticmethod
    async def _copy(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: list[bytes], change: Change
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                message = await reader.readuntil(b"\r")
                seen.append(message)
                changed = change(message)
                if changed is not None:
                    writer.write(changed)
                    await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def open_line(library: SIP2Server | None = None) -> AsyncIterator[tuple[Line, Sip2Settings]]:
    async with serving(library or build_library()) as port:
        line = Line(port)
        async with line.running() as own_port:
            yield line, Sip2Settings("127.0.0.1", own_port, institution="MIHON", timeout_seconds=10)


def client_of(settings: Sip2Settings, **changes: Any) -> Sip2Client:
    return Sip2Client(replace(settings, **changes), lambda: NOW)


@pytest.mark.parametrize(
    ("number", "word"), [("1001", "usable"), ("1002", "blocked"), ("1003", "unknown"), ("9", "unknown")]
)
async def test_the_library_says_what_holds(number: str, word: str) -> None:
    async with open_line() as (_, settings):
        assert (await client_of(settings).check_number(number)).word == word


async def test_only_four_messages_are_ever_sent_and_never_the_one_that_blocks() -> None:
    async with open_line() as (line, settings):
        client = client_of(settings, user="kiosk", password="open sesame")
        for number in READERS:
            await client.check_number(number)
        assert [message[:2] for message in line.asked] == [b"93", b"99", b"23", b"35"] * 3
        assert [message[:2] for message in line.answered] == [b"94", b"98", b"24", b"36"] * 3
        assert [message[-8:-7] for message in line.asked[:4]] == [b"0", b"1", b"2", b"3"]


async def test_a_refused_login_is_unreachable_and_asks_about_nobody() -> None:
    async with open_line() as (line, settings):
        answer = await client_of(settings, user="kiosk", password="wrong").check_number("1001")
        assert answer == LibraryAnswer("unreachable", "login")
        assert [message[:2] for message in line.asked] == [b"93"]


async def test_a_library_that_wants_a_login_first_gets_one() -> None:
    async with open_line(build_library(login_required=True)) as (_, settings):
        assert (await client_of(settings).check_number("1001")).word == "unreachable"
        client = client_of(settings, user="kiosk", password="open sesame")
        assert (await client.check_number("1001")).word == "usable"


def _once(change: Callable[[bytes], bytes | None], code: bytes) -> Change:
    """Change the first message of this code only."""
    done = []

    def apply(message: bytes) -> bytes | None:
        if message[:2] != code or done:
            return message
        done.append(message)
        return change(message)

    return apply


def _garble(message: bytes) -> bytes:
    return message.replace(b"BLY", b"BLN") if b"BLY" in message else message[:5] + b"#" + message[6:]


async def test_a_garbled_answer_is_asked_for_again_with_97() -> None:
    async with open_line() as (line, settings):
        line.on_answer = _once(_garble, b"24")
        assert (await client_of(settings).check_number("1001")).word == "usable"
        assert [message[:2] for message in line.asked] == [b"99", b"23", b"97", b"35"]


async def test_a_garbled_question_is_sent_again_after_96() -> None:
    async with open_line() as (line, settings):
        line.on_question = _once(_garble, b"23")
        assert (await client_of(settings).check_number("1002")).word == "blocked"
        assert [message[:2] for message in line.answered] == [b"98", b"96", b"24", b"36"]
        assert line.asked[1] == line.asked[2]


async def test_a_lost_answer_is_asked_for_again_with_the_same_number() -> None:
    async with open_line() as (line, settings):
        line.on_answer = _once(lambda _message: None, b"24")
        assert (await client_of(settings, timeout_seconds=0.3, retries=100).check_number("1001")).word == "usable"
        questions = [message for message in line.asked if message[:2] == b"23"]
        assert len(questions) > 1
        assert len(set(questions)) == 1


async def test_answers_that_stay_garbled_end_as_unreachable() -> None:
    async with open_line() as (line, settings):
        line.on_answer = lambda message: _garble(message) if message[:2] == b"24" else message
        assert await client_of(settings).check_number("1001") == LibraryAnswer("unreachable", "malformed")
        assert [message[:2] for message in line.asked] == [b"99", b"23", b"97", b"97"]


async def test_a_silent_library_is_unreachable() -> None:
    async with open_line() as (line, settings):
        line.on_answer = lambda _message: None
        answer = await client_of(settings, timeout_seconds=0.1, retries=1).check_number("1001")
        assert answer == LibraryAnswer("unreachable", "timeout")


async def test_a_goodbye_that_cannot_be_read_changes_nothing() -> None:
    async with open_line() as (line, settings):
        line.on_answer = lambda message: b"36\r" if message[:2] == b"36" else message
        assert (await client_of(settings, retries=0).check_number("1001")).word == "usable"


async def test_an_answer_about_somebody_else_is_not_believed() -> None:
    def swap(message: bytes) -> bytes:
        body = message.replace(b"AA1001", b"AA1009")[:-5]
        return body + derive_checksum(body).encode() + b"\r"

    async with open_line() as (line, settings):
        line.on_answer = lambda message: swap(message) if message[:2] == b"24" else message
        assert await client_of(settings).check_number("1001") == LibraryAnswer("unreachable", "unclear")


async def test_nobody_there_is_unreachable() -> None:
    async with open_line() as (_, settings):
        pass
    assert await client_of(settings).check_number("1001") == LibraryAnswer("unreachable", "connection")


async def test_a_library_in_cp932_is_understood() -> None:
    async with open_line(build_library(encoding="utf-8")) as (line, settings):

        def recode(message: bytes) -> bytes:
            body = message[:-5].decode("utf-8").encode("cp932")
            return body + derive_checksum(body).encode() + b"\r"

        line.on_answer = recode
        assert (await client_of(settings, charset="cp932").check_number("1001")).word == "usable"
        assert (await client_of(settings, charset="utf-8").check_number("1001")).word == "unreachable"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "library.invalid")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "library.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


async def test_over_tls_only_a_trusted_library_is_spoken_to(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with serving(build_library()) as port:
        line = Line(port)
        async with line.running(context) as own_port:
            settings = Sip2Settings("localhost", own_port, tls=True, timeout_seconds=10)
            trusting = client_of(settings, certificates=str(certificate))
            assert (await trusting.check_number("1001")).word == "usable"
            asked = len(line.asked)
            assert await client_of(settings).check_number("1001") == LibraryAnswer("unreachable", "connection")
            assert len(line.asked) == asked


def _reseal(message: bytes, change: Callable[[bytes], bytes]) -> bytes:
    body = change(message[:-5])
    return body + derive_checksum(body).encode() + b"\r"


@pytest.mark.parametrize(
    ("code", "change", "trouble", "last"),
    [
        (b"98", lambda body: b"98N" + body[3:], "offline", b"99"),
        (b"24", lambda body: b"24X" + body[3:], "malformed", b"23"),
        (b"24", lambda body: body.replace(b"BLY|", b""), "unclear", b"35"),
    ],
    ids=["offline", "strange flags", "says nothing of the number"],
)
async def test_a_library_that_does_not_answer_the_question_is_unreachable(
    code: bytes, change: Callable[[bytes], bytes], trouble: Any, last: bytes
) -> None:
    async with open_line() as (line, settings):
        line.on_answer = lambda message: _reseal(message, change) if message[:2] == code else message
        assert await client_of(settings).check_number("1001") == LibraryAnswer("unreachable", trouble)
        assert line.asked[-1][:2] == last
        assert await client_of(settings).ask_about("1001") == "unreachable"


async def test_an_answer_of_another_kind_or_number_is_passed_over() -> None:
    async with open_line() as (line, settings):

        def crowd(message: bytes) -> bytes:
            if message[:2] != b"24":
                return message
            late = _reseal(message.replace(b"BLY", b"BLN"), lambda body: body[:-3] + b"8AZ")
            other = _reseal(message, lambda body: b"36Y20261125    093005AA1001|" + body[-5:])
            return late + other + message

        line.on_answer = crowd
        assert (await client_of(settings).check_number("1001")).word == "usable"


async def test_a_library_without_checksums_is_believed_where_the_settings_say_so() -> None:
    async with open_line() as (line, settings):
        line.on_answer = lambda message: message[:-10] + b"\r"
        assert (await client_of(settings, error_detection=False).check_number("1001")).word == "usable"
        assert (await client_of(settings).check_number("1001")).word == "unreachable"

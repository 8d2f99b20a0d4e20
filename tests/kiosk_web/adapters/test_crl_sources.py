"""Sources of lists: files, folders, and a real HTTP peer that misbehaves in every way. A failure is a value."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from kiosk_web.adapters import crl_sources
from kiosk_web.adapters.crl_sources import (
    CONNECTIONS,
    FetchedList,
    ListFetcher,
    Spool,
    list_files,
    map_path,
    read_path,
)
from kiosk_web.services.lists.refresh import ListSource, NotModified, SourceFailure, Validators
from tests.support.ocsp_responder import Exchange, serve

BODY = b"\x30\x82" + bytes(range(256)) * 40
LARGE = 1 << 22
CRL = "application/pkix-crl"
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {CRL}\r\n"

pytestmark = pytest.mark.anyio


def at(url: str, *, max_bytes: int = 1 << 20, budget: float = 30) -> ListSource:
    return ListSource("town", "http", url, max_bytes, budget)


async def good(exchange: Exchange) -> None:
    await exchange.send(BODY, content_type=CRL, headers='ETag: "7"\r\nLast-Modified: Mon, 23 Nov 2026 03:00:00 GMT\r\n')


async def not_modified(exchange: Exchange) -> None:
    await exchange.send_raw(b"HTTP/1.1 304 Not Modified\r\n\r\n")


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def silence(_exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def drip(exchange: Exchange) -> None:
    await exchange.send_raw(f"{HEAD}\r\n".encode())
    while True:
        await exchange.send_raw(b"\x30")
        await asyncio.sleep(0.01)


async def endless(exchange: Exchange) -> None:
    await exchange.send_raw(f"{HEAD}\r\n".encode())
    while True:
        await exchange.send_raw(bytes(65536))


async def huge_by_its_own_word(exchange: Exchange) -> None:
    await exchange.send_raw(f"{HEAD}Content-Length: 1073741824\r\n\r\n".encode())


async def dies_mid_answer(exchange: Exchange) -> None:
    await exchange.send_raw(f"{HEAD}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY[:1000])
    exchange.writer.close()


async def not_http(exchange: Exchange) -> None:
    await exchange.send_raw(b"220 ldap.example ready\r\n\r\n")


async def redirect(exchange: Exchange) -> None:
    await exchange.send(b"", status="302 Found", content_type=CRL, headers="Location: /elsewhere\r\n")


async def status_500(exchange: Exchange) -> None:
    await exchange.send(BODY, status="500 Internal Server Error", content_type=CRL)


async def web_page(exchange: Exchange) -> None:
    await exchange.send(BODY, content_type="text/html; charset=utf-8")


async def compressed(exchange: Exchange) -> None:
    await exchange.send(BODY, content_type=CRL, headers="Content-Encoding: gzip\r\n")


def read(fetched: object) -> bytes:
    assert isinstance(fetched, FetchedList)
    with fetched.open() as view:
        return bytes(view)


async def test_a_list_comes_with_what_the_server_says_of_it(tmp_path: Path) -> None:
    async with serve(good) as served, ListFetcher(tmp_path) as fetcher:
        fetched = await fetcher.fetch_list(at(served.url), Validators())
        assert read(fetched) == BODY
        assert isinstance(fetched, FetchedList)
        assert fetched.validators == Validators('"7"', "Mon, 23 Nov 2026 03:00:00 GMT")
    head = served.heads[0].lower()
    assert head.startswith("get /ocsp http/1.1")
    assert "if-" not in head
    assert "cookie" not in head
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [CRL, "application/octet-stream", "Application/PKIX-CRL; charset=binary"])
async def test_both_types_of_content_are_taken(tmp_path: Path, kind: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(BODY, content_type=kind)

    async with serve(answer) as served, ListFetcher(tmp_path) as fetcher:
        assert read(await fetcher.fetch_list(at(served.url), Validators())) == BODY


async def test_a_list_that_did_not_change_is_not_sent_again(tmp_path: Path) -> None:
    async with serve(good, not_modified) as served, ListFetcher(tmp_path) as fetcher:
        first = await fetcher.fetch_list(at(served.url), Validators())
        assert isinstance(first, FetchedList)
        assert await fetcher.fetch_list(at(served.url), first.validators) == NotModified()
    assert 'If-None-Match: "7"' in served.heads[1]
    assert "If-Modified-Since: Mon, 23 Nov 2026 03:00:00 GMT" in served.heads[1]


async def test_a_server_that_says_unchanged_without_being_asked_is_refused(tmp_path: Path) -> None:
    async with serve(not_modified) as served, ListFetcher(tmp_path) as fetcher:
        assert await fetcher.fetch_list(at(served.url), Validators()) == SourceFailure("http_status", "304")


async def test_what_could_not_be_sent_back_is_not_kept(tmp_path: Path) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(BODY, content_type=CRL, headers=f'ETag: "{"7" * 300}"\r\n')

    async with serve(answer) as served, ListFetcher(tmp_path) as fetcher:
        fetched = await fetcher.fetch_list(at(served.url), Validators())
        assert isinstance(fetched, FetchedList)
        assert fetched.validators == Validators()


@pytest.mark.parametrize(
    ("handler", "failure"),
    [
        (dies_mid_answer, "reset"),
        (not_http, "reset"),
        (redirect, "redirect"),
        (status_500, "http_status"),
        (web_page, "content_type"),
        (compressed, "content_type"),
        (endless, "too_large"),
        (huge_by_its_own_word, "too_large"),
    ],
)
async def test_every_misbehaviour_has_its_name_and_the_next_answer_is_whole(
    tmp_path: Path, handler: Callable[[Exchange], Awaitable[None]], failure: str
) -> None:
    async with serve(handler, good) as served, ListFetcher(tmp_path) as fetcher:
        result = await fetcher.fetch_list(at(served.url), Validators())
        assert isinstance(result, SourceFailure)
        assert result.why == failure
        assert read(await fetcher.fetch_list(at(served.url), Validators())) == BODY
    assert list(tmp_path.iterdir()) == []


async def test_a_connection_that_ends_before_an_answer_is_tried_once_more_and_not_twice(tmp_path: Path) -> None:
    async with serve(reset, good, reset, reset, good) as served, ListFetcher(tmp_path) as fetcher:
        assert read(await fetcher.fetch_list(at(served.url), Validators())) == BODY
        assert await fetcher.fetch_list(at(served.url), Validators()) == SourceFailure("reset", "closed")
        assert len(served.requests) == 4
        assert read(await fetcher.fetch_list(at(served.url), Validators())) == BODY


@pytest.mark.parametrize("handler", [silence, drip])
async def test_slowness_ends_with_the_budget(tmp_path: Path, handler: Callable[[Exchange], Awaitable[None]]) -> None:
    async with serve(handler, good) as served, ListFetcher(tmp_path) as fetcher:
        result = await fetcher.fetch_list(at(served.url, budget=0.2), Validators())
        assert result == SourceFailure("timeout", "budget")
        assert read(await fetcher.fetch_list(at(served.url), Validators())) == BODY


async def test_a_silence_ends_with_the_phase(tmp_path: Path) -> None:
    async with serve(silence) as served, ListFetcher(tmp_path, phase=0.1) as fetcher:
        assert await fetcher.fetch_list(at(served.url), Validators()) == SourceFailure("timeout", "read")


async def test_a_refused_connection_has_its_name(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port, and nobody answers
        async with ListFetcher(tmp_path) as fetcher:
            result = await fetcher.fetch_list(at(f"http://127.0.0.1:{held.getsockname()[1]}/"), Validators())
    assert result == SourceFailure("refused", "connect")


@pytest.mark.parametrize(
    "address", ["ftp://127.0.0.1/", "nonsense", "http://", "http://[::1", "http://127.0.0.1:99999/"]
)
async def test_an_address_that_is_none_is_a_failure_too(tmp_path: Path, address: str) -> None:
    async with ListFetcher(tmp_path) as fetcher:
        assert await fetcher.fetch_list(at(address), Validators()) == SourceFailure("address")


async def test_proxies_of_the_environment_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with serve(good) as served, ListFetcher(tmp_path) as fetcher:
        assert read(await fetcher.fetch_list(at(served.url), Validators())) == BODY


async def test_many_lists_are_fetched_a_few_at_a_time_and_none_is_mixed_up(tmp_path: Path) -> None:
    at_once = most = 0

    async def answer(exchange: Exchange) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        await exchange.send(exchange.head.split()[1].encode() * 100, content_type=CRL)

    async with serve(answer) as served, ListFetcher(tmp_path) as fetcher:
        sources = [at(f"{served.url}/{number}") for number in range(60)]
        answers = await asyncio.gather(*(fetcher.fetch_list(source, Validators()) for source in sources))
        assert [read(fetched) for fetched in answers] == [f"/ocsp/{number}".encode() * 100 for number in range(60)]
    assert most <= CONNECTIONS
    assert served.connections <= CONNECTIONS


async def test_a_full_disk_has_its_name_and_the_next_list_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Spool.append
    left = 1

    def fail_once(spool: Spool, chunk: bytes) -> None:
        nonlocal left
        written(spool, chunk[:10])
        if left:
            left -= 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written(spool, chunk[10:])

    monkeypatch.setattr(crl_sources.Spool, "append", fail_once)
    async with serve(good) as served, ListFetcher(tmp_path) as fetcher:
        result = await fetcher.fetch_list(at(served.url), Validators())
        assert isinstance(result, SourceFailure)
        assert result.why == "disk_full"
        assert read(await fetcher.fetch_list(at(served.url), Validators())) == BODY


async def test_without_a_folder_for_answers_nothing_is_fetched(tmp_path: Path) -> None:
    async with serve(good) as served, ListFetcher(tmp_path / "missing") as fetcher:
        result = await fetcher.fetch_list(at(served.url), Validators())
    assert isinstance(result, SourceFailure)
    assert result.why == "disk_failed"


def test_a_folder_offers_its_lists_by_name_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.crl", "a.CRL", "c.der", ".d.crl", "e.crl.new", "f.pem", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "g.crl").mkdir()
    found = list_files(ListSource("folder", "directory", str(tmp_path), 1, 1))
    assert found == tuple(tmp_path / name for name in ("a.CRL", "b.crl", "c.der"))


def test_a_file_offers_itself_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"x")
    assert list_files(ListSource("file", "file", str(tmp_path / "list"), 1, 1)) == (tmp_path / "list",)


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        ("file", "missing", "file_missing"),
        ("directory", "missing", "file_unreadable"),
        ("directory", ".", "folder_empty"),
    ],
)
def test_a_place_without_a_list_has_its_name(tmp_path: Path, kind: str, name: str, why: str) -> None:
    found = list_files(ListSource("place", kind, str(tmp_path / name), 1, 1))  # type: ignore[arg-type]  # by pytest
    assert isinstance(found, SourceFailure)
    assert found.why == why


@pytest.mark.parametrize("size", [0, 5000, LARGE, LARGE + 3_000_001])
def test_what_was_read_of_a_file_stays_whatever_becomes_of_it(tmp_path: Path, size: int) -> None:
    path, content = tmp_path / "list", random.Random(size).randbytes(size)
    path.write_bytes(content)
    with read_path(path, 1 << 30) as view:
        with path.open("r+b") as file:
            file.write(b"another beginning")
        os.truncate(path, 100)
        assert (bytes(view), view.readonly) == (content, True)
    path.write_bytes(content)
    with read_path(path, max(0, size - 10)) as view:
        assert bytes(view) == content[:-10]


def test_a_file_that_shrinks_while_it_is_read_is_as_much_as_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list"
    path.write_bytes(bytes(LARGE + 100))
    look = os.fstat

    def look_and_cut(descriptor: int) -> os.stat_result:
        found = look(descriptor)
        os.truncate(path, 1000)
        return found

    monkeypatch.setattr(os, "fstat", look_and_cut)
    with read_path(path, 1 << 30) as view:
        assert bytes(view) == bytes(1000)


def test_a_file_is_mapped_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(BODY)
    (tmp_path / "empty").touch()
    with map_path(tmp_path / "list") as view:
        assert (bytes(view), view.readonly) == (BODY, True)
    with map_path(tmp_path / "empty") as view:
        assert bytes(view) == b""

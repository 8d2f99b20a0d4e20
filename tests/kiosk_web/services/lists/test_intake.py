"""Taking lists in: each refusal has its name, and whatever is refused leaves what is in force as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from kiosk_web.adapters.crl_sources import map_path, offer_file
from kiosk_web.pki.crl_status import derive_scopes, judge_crl_status
from kiosk_web.pki.crl_trust import CrlPolicy, ListMark, derive_name_scope
from kiosk_web.pki.names import canonicalise_name
from kiosk_web.pki.status import CertificateStatus, Good, Revoked, Stale
from kiosk_web.services.lists import intake as crl_intake
from kiosk_web.services.lists.intake import Expectation, ListOutcome
from kiosk_web.services.lists.refresh import ListSource
from tests.support.crl_stand import ListStand, SilentWatcher, list_of, offer, offer_what, town_point
from tests.support.crl_writer import (
    CERTIFICATE_ISSUER,
    ListShape,
    build_list,
    encode_entry,
    encode_extension,
    encode_integer,
    encode_point,
    encode_reason,
)
from tests.support.jpki import NOW, Root, build_municipal_name, build_root

pytestmark = pytest.mark.anyio

SOURCE = ListSource("test", "file", "", max_bytes=1 << 30, budget_seconds=0)
FIRST, SECOND, THIRD = (ListShape(number=number) for number in (1, 2, 3))
DELTA = encode_extension(bytes.fromhex("551d1b"), encode_integer(1), critical=True)
UNKNOWN = encode_extension(bytes.fromhex("2a03"), b"\x05\x00", critical=True)


@pytest.fixture
def stand(tmp_path: Path) -> ListStand:
    return ListStand(tmp_path / "crl")


def told(outcomes: tuple[ListOutcome, ...]) -> list[str]:
    return [outcome.why or outcome.result for outcome in outcomes]


def other_key() -> Root:
    return build_root(2023, label="other")


REFUSED = {
    "issuer_unknown": lambda root: list_of(other_key(), [6], SECOND),
    "signature_invalid": lambda root: list_of(
        other_key(), [6], replace(SECOND, key_id=root.anchor.key_id, issuer=root.name)
    ),
    "issuer_name": lambda root: list_of(root, [6], replace(SECOND, issuer=build_root(2023, "digital_signature").name)),
    "no_key_id": lambda root: list_of(root, [6], replace(SECOND, key_id=None)),
    "number_behind": lambda root: list_of(root, [6], replace(FIRST, number=0)),
    "update_behind": lambda root: list_of(root, [6], replace(SECOND, this_update=NOW - timedelta(hours=3))),
    "same_number_other_list": lambda root: list_of(root, [6], FIRST),
    "delta": lambda root: list_of(root, [6], replace(SECOND, extensions=[DELTA])),
    "critical_extension": lambda root: list_of(root, [6], replace(SECOND, extensions=[UNKNOWN])),
    "indirect": lambda root: list_of(root, [6], replace(SECOND, point=encode_point(indirect_crl=True))),
    "attribute_certificates": lambda root: list_of(
        root, [6], replace(SECOND, point=encode_point(only_contains_attribute_certs=True))
    ),
    "from_the_future": lambda root: list_of(root, [6], replace(SECOND, this_update=NOW + timedelta(hours=1))),
    "next_update_passed": lambda root: list_of(root, [6], replace(SECOND, next_update=NOW - timedelta(minutes=1))),
    "no_next_update": lambda root: list_of(root, [6], replace(SECOND, next_update=None)),
    "malformed": lambda root: list_of(root, [6], SECOND)[:-1],
    "pem": lambda root: b"-----BEGIN X509 CRL-----\nMII\n-----END X509 CRL-----\n",
}


@pytest.mark.parametrize("why", REFUSED)
async def test_what_is_refused_has_its_name_and_changes_nothing(stand: ListStand, why: str) -> None:
    await stand.take_in(list_of(stand.root, [5], FIRST))
    marks = dict(stand.book.marks)
    (outcome,) = await stand.take_in(REFUSED[why](stand.root))
    assert (outcome.result, outcome.why) == ("refused", why)
    assert outcome.detail
    assert "6" not in outcome.detail or why in ("critical_extension",)
    shelf = stand.open_shelf()
    assert (stand.answer(shelf, 5), stand.answer(shelf, 6), shelf.generation) == ([""], [None], 1)
    assert stand.book.marks == marks


@pytest.mark.parametrize(
    "entry",
    [
        b"\x30\x03\x02\x01\x06",
        encode_entry(6, extensions=[encode_reason(8)]),
        encode_entry(6, extensions=[encode_extension(CERTIFICATE_ISSUER, b"\x30\x00", critical=True)]),
        encode_entry(6, extensions=[encode_extension(bytes.fromhex("2a03"), b"\x05\x00", critical=True)]),
    ],
)
async def test_a_list_is_proven_down_to_its_last_entry(stand: ListStand, entry: bytes) -> None:
    await stand.take_in(list_of(stand.root, [5], FIRST))
    good = [encode_entry(serial) for serial in range(100, 20_000)]
    (outcome,) = await stand.take_in(build_list(stand.root, [*good, entry], SECOND))
    assert outcome.result == "refused"
    assert outcome.why
    shelf = stand.open_shelf()
    assert (stand.answer(shelf, 5), stand.answer(shelf, 100), shelf.generation) == ([""], [None], 1)


async def test_a_list_that_is_in_force_already_is_left_alone(stand: ListStand) -> None:
    data = list_of(stand.root, [5], FIRST)
    (first,) = await stand.take_in(data)
    (again,) = await stand.take_in(data)
    assert (first.result, again.result) == ("taken", "unchanged")
    assert first.sha256 == again.sha256 != b""
    assert stand.open_shelf().generation == 1


async def test_of_several_lists_of_one_scope_the_newest_that_is_good_counts(stand: ListStand) -> None:
    forged = list_of(other_key(), [9], replace(ListShape(number=99), key_id=stand.root.anchor.key_id))
    lists = [list_of(stand.root, [5], FIRST), forged, list_of(stand.root, [7], THIRD), list_of(stand.root, [6], SECOND)]
    outcomes = await stand.take_in(*lists)
    by_label = {outcome.offer.label: outcome.why or outcome.result for outcome in outcomes}
    assert by_label == {"0": "superseded", "1": "signature_invalid", "2": "taken", "3": "superseded"}
    shelf = stand.open_shelf()
    assert [stand.answer(shelf, serial) for serial in (5, 6, 7, 9)] == [[None], [None], [""], [None]]


async def test_an_old_file_beside_the_one_in_force_is_no_trouble(stand: ListStand) -> None:
    old, new = list_of(stand.root, [5], FIRST), list_of(stand.root, [6], SECOND)
    await stand.take_in(new)
    assert told(await stand.take_in(old, new)) == ["unchanged", "superseded"]


async def test_lists_of_different_scopes_come_into_force_together(stand: ListStand) -> None:
    root = build_root(2019)
    lists = [
        list_of(stand.root, [5], FIRST),
        list_of(stand.root, [6], replace(FIRST, point=town_point())),
        list_of(root, [7], FIRST),
    ]
    with stand.writing() as writer:
        intake = stand.build_intake(writer, root)
        outcomes = await intake.take_in([offer(data) for data in lists], SilentWatcher())
    assert told(outcomes) == ["taken"] * 3
    shelf = stand.open_shelf()
    assert (shelf.generation, len(shelf.records())) == (1, 3)


async def test_the_marks_are_those_of_the_database_and_of_the_index(stand: ListStand) -> None:
    await stand.take_in(list_of(stand.root, [5], SECOND))
    (scope,) = stand.book.marks
    stand.book.marks.clear()  # a crash between the index and its marks
    assert told(await stand.take_in(list_of(stand.root, [6], FIRST))) == ["number_behind"]
    assert stand.book.marks[scope].crl_number == 2
    stand.book.marks[scope] = ListMark(9, NOW - timedelta(hours=1), bytes(32))  # another host took a newer one in
    assert told(await stand.take_in(list_of(stand.root, [6], THIRD))) == ["number_behind"]


async def test_without_a_number_the_time_decides(stand: ListStand) -> None:
    def shape(hours: int) -> ListShape:
        return ListShape(number=None, this_update=NOW - timedelta(hours=hours))

    assert told(await stand.take_in(list_of(stand.root, [5], shape(3)))) == ["taken"]
    assert told(await stand.take_in(list_of(stand.root, [6], shape(4)))) == ["update_behind"]
    assert told(await stand.take_in(list_of(stand.root, [6], shape(2)))) == ["taken"]


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        (Expectation(), "taken"),
        (Expectation(key_id=b"another"), "unexpected"),
        (Expectation(point_name=b"another"), "unexpected"),
    ],
)
async def test_a_source_brings_what_it_is_for(stand: ListStand, expected: Expectation, why: str) -> None:
    given = replace(offer(list_of(stand.root, [5], FIRST)), expected=expected)
    assert told(await stand.take_in(given)) == [why]


async def test_the_list_of_the_expected_town_is_taken(stand: ListStand) -> None:
    name = x509.Name.from_rfc4514_string("CN=Kasumi-ku CRLDP,OU=Tokyo-to,OU=CRL Distribution Points,O=JPKI,C=JP")
    expected = Expectation(stand.root.anchor.key_id, canonicalise_name(name.public_bytes()))
    data = list_of(stand.root, [5], replace(FIRST, point=town_point()))
    assert told(await stand.take_in(replace(offer(data), expected=expected))) == ["taken"]
    other = list_of(stand.root, [5], replace(FIRST, point=town_point("Hibiya-ku")))
    assert told(await stand.take_in(replace(offer(other), expected=expected))) == ["unexpected"]


async def test_a_list_that_is_too_large_is_not_read(stand: ListStand) -> None:
    data = list_of(stand.root, [5], FIRST)
    assert told(await stand.take_in(offer(data, max_bytes=len(data) - 1))) == ["too_large"]
    assert told(await stand.take_in(offer(data, max_bytes=len(data)))) == ["taken"]


async def test_a_file_that_goes_away_is_told_and_the_others_are_taken(stand: ListStand, tmp_path: Path) -> None:
    missing = offer_what(lambda: map_path(tmp_path / "gone.crl"), "gone.crl")
    assert told(await stand.take_in(missing, offer(list_of(stand.root, [5], FIRST)))) == ["file_unreadable", "taken"]


async def test_a_file_that_is_written_over_while_it_is_read_is_refused(stand: ListStand) -> None:
    contents = [list_of(stand.root, [5], FIRST), list_of(stand.root, [6], replace(FIRST, point=town_point()))]

    @contextlib.contextmanager
    def opened() -> Iterator[memoryview]:
        yield memoryview(contents.pop(0))

    assert told(await stand.take_in(offer_what(opened))) == ["changed_meanwhile"]
    assert stand.open_shelf().records() == ()


async def test_what_somebody_writes_over_after_the_signature_was_checked_is_not_read(
    stand: ListStand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever may write into the folder of the lists must not be able to take a name from a signed one."""
    path = tmp_path / "list.crl"
    path.write_bytes(list_of(stand.root, [0x1234567, 5], FIRST))
    place = path.read_bytes().index(bytes.fromhex("01234567"))
    judge = crl_intake.judge_crl

    def judge_and_change(*given: Any) -> Any:
        judged = judge(*given)
        with path.open("r+b") as file:  # in place
            file.seek(place)
            file.write(bytes.fromhex("01234568"))
        return judged

    monkeypatch.setattr(crl_intake, "judge_crl", judge_and_change)
    assert told(await stand.take_in(offer_file(SOURCE, path))) == ["taken"]
    shelf = stand.open_shelf()
    assert (stand.answer(shelf, 0x1234567), stand.answer(shelf, 0x1234568)) == ([""], [None])


@pytest.mark.parametrize("rest", [0, 5000])
async def test_a_file_that_is_cut_off_after_it_was_looked_at_is_refused(
    stand: ListStand, tmp_path: Path, rest: int
) -> None:
    path = tmp_path / "list.crl"
    path.write_bytes(list_of(stand.root, list(range(1, 2000)), FIRST))
    found = offer_file(SOURCE, path)

    @contextlib.contextmanager
    def open_and_cut() -> Iterator[memoryview]:
        with found.open() as view:
            yield view
        os.truncate(path, rest)

    assert told(await stand.take_in(replace(found, open=open_and_cut))) == ["malformed"]
    assert stand.open_shelf().records() == ()


async def test_a_list_with_more_names_than_the_certificate_answers_for_it(stand: ListStand) -> None:
    """One shared name is enough (RFC 5280 6.3.3 b 2 i), also where it is the only list and every mark is obeyed."""
    names = [x509.DirectoryName(build_municipal_name(town)) for town in ("Haru-shi", "Kasumi-ku")]
    for number, hours in ((1, 2), (2, 1)):
        shape = replace(FIRST, number=number, this_update=NOW - timedelta(hours=hours), point=encode_point(names))
        assert told(await stand.take_in(list_of(stand.root, [5], shape))) == ["taken"]
    shelf, outcomes = stand.open_shelf(), []
    for serial in (5, 6):
        certificate = stand.certificate(serial)
        found = shelf.look_up(certificate)
        scopes = {finding.header.scope for finding in found} | derive_scopes(certificate)
        marks = {scope: mark for scope, mark in stand.book.marks.items() if scope in scopes}
        assert len(marks) == 2
        outcomes.append(judge_crl_status(certificate, found, CrlPolicy(), NOW, certificate_mark=None, list_marks=marks))
    assert [type(outcome) for outcome in outcomes] == [Revoked, Good]


async def test_a_folder_from_before_a_list_with_more_names_than_the_certificate_confirms_nobody(
    stand: ListStand, tmp_path: Path
) -> None:
    """The list names two towns, the certificate one of them: from what it names, that list's scope cannot be told."""
    whole = replace(FIRST, this_update=NOW - timedelta(hours=3))
    await stand.take_in(list_of(stand.root, [], whole))
    shutil.copytree(stand.folder, tmp_path / "before")
    certificate = stand.certificate(5)
    (own,) = (point.names for point in certificate.certificate.distribution_points)
    names = [x509.DirectoryName(build_municipal_name(town)) for town in ("Kasumi-ku", "Haru-shi")]
    await stand.take_in(list_of(stand.root, [5], replace(SECOND, point=encode_point(names))))

    def judge() -> CertificateStatus:
        marks = {scope: mark for scope, mark in stand.book.marks.items() if scope in derive_scopes(certificate)}
        found = stand.open_shelf().look_up(certificate)
        return judge_crl_status(certificate, found, CrlPolicy(), NOW, certificate_mark=None, list_marks=marks)

    assert derive_name_scope(stand.root.anchor.key_id, *own) in stand.book.marks
    assert isinstance(judge(), Revoked)
    shutil.rmtree(stand.folder)
    shutil.copytree(tmp_path / "before", stand.folder)
    status = judge()
    assert isinstance(status, Stale)
    assert status.why == "behind_high_water"


async def test_nothing_at_all_is_no_trouble(stand: ListStand) -> None:
    assert await stand.take_in() == ()
    assert not (stand.folder / "manifest.bin").exists()


async def test_a_dry_run_judges_everything_and_changes_nothing(stand: ListStand) -> None:
    broken = build_list(stand.root, [encode_entry(5), b"\x30\x03\x02\x01\x06"], replace(FIRST, point=town_point()))
    outcomes = await stand.take_in(list_of(stand.root, [5], FIRST), broken, dry=True)
    assert [outcome.result for outcome in outcomes] == ["taken", "refused"]
    assert stand.open_shelf().records() == ()
    assert stand.book.marks == {}


async def test_a_watcher_hears_of_every_octet_and_every_list(stand: ListStand) -> None:
    lists = [
        build_list(stand.root, [encode_entry(serial) for serial in range(1, 50_000)], FIRST),
        list_of(stand.root, [5], replace(FIRST, point=town_point())),
        list_of(other_key(), [5], FIRST),
        b"nothing",
    ]
    watcher = SilentWatcher()
    with stand.writing() as writer:
        outcomes = await stand.build_intake(writer).take_in([offer(data) for data in lists], watcher)
    assert watcher.lists == 3
    assert watcher.size == watcher.octets == sum(len(data) for data in lists[:3])
    assert tuple(watcher.outcomes) == outcomes


async def test_no_descriptor_stays_open(stand: ListStand, tmp_path: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("needs /proc")
    for number in range(20):
        shape = replace(FIRST, point=town_point(f"Town {number}"))
        (tmp_path / f"{number}.crl").write_bytes(list_of(stand.root, [5], shape))
    paths = sorted(tmp_path.glob("*.crl"))
    before = len(list(folder.iterdir()))
    await stand.take_in(*(offer_what(lambda path=path: map_path(path)) for path in paths))  # type: ignore[misc]  # bound
    assert len(list(folder.iterdir())) == before


def test_keys_of_tests_are_of_two_kinds() -> None:
    assert isinstance(other_key().key, rsa.RSAPrivateKey)
    assert other_key().anchor.key_id != build_root().anchor.key_id

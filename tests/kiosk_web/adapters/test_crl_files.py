"""The shelf answers from the lists in force, swaps them at once, and never from anything damaged or foreign."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_web.adapters.crl_files import LOOK_SECONDS, CrlShelf
from kiosk_web.errors import KeysError
from tests.support.crl_stand import ListStand, index_key, list_of, town_point
from tests.support.crl_writer import ListShape
from tests.support.jpki import build_root, issue, trust

pytestmark = pytest.mark.anyio

FIRST = ListShape(number=1)
SECOND = ListShape(number=2)
TOWN = ListShape(number=7, point=town_point())
OTHER_TOWN = ListShape(number=8, point=town_point("Hibiya-ku"))


@pytest.fixture
def stand(tmp_path: Path) -> ListStand:
    return ListStand(tmp_path / "crl")


def only_segment_file(stand: ListStand) -> Path:
    (file,) = (stand.folder / "segments").iterdir()
    return file


async def test_without_an_index_there_is_no_list(stand: ListStand) -> None:
    shelf = stand.open_shelf()
    assert stand.answer(shelf, 5) == []
    assert (shelf.records(), shelf.trouble, shelf.generation) == ((), None, 0)


async def test_a_list_says_who_is_revoked_and_is_silent_about_others(stand: ListStand) -> None:
    await stand.take_in(list_of(stand.root, [5, 1 << 150], FIRST))
    shelf = stand.open_shelf()
    assert [stand.answer(shelf, serial) for serial in (5, 6, 1 << 150, (1 << 150) + 1)] == [[""], [None], [""], [None]]
    (record,) = shelf.records()
    assert (record.entries, record.mark.crl_number, record.next_update) == (2, 1, FIRST.next_update)


async def test_lists_of_the_town_and_of_the_whole_ca_speak_and_no_other(stand: ListStand) -> None:
    await stand.take_in(
        list_of(stand.root, [1], FIRST), list_of(stand.root, [2], TOWN), list_of(stand.root, [1, 2, 3], OTHER_TOWN)
    )
    shelf = stand.open_shelf()
    assert len(shelf.records()) == 3
    assert sorted(stand.answer(shelf, 1), key=str) == ["", None]
    assert sorted(stand.answer(shelf, 2), key=str) == ["", None]
    assert stand.answer(shelf, 3) == [None, None]


async def test_a_list_of_another_generation_says_nothing(tmp_path: Path) -> None:
    old, new = build_root(2019), build_root(2023)
    stand = ListStand(tmp_path / "crl", old)
    await stand.take_in(list_of(old, [5], FIRST))
    assert stand.open_shelf().look_up(trust(issue(new, serial=5), new)) == ()


async def test_a_restricted_point_of_a_certificate_is_not_covered(stand: ListStand) -> None:
    await stand.take_in(list_of(stand.root, [5], TOWN))
    shelf = stand.open_shelf()
    certificate = stand.certificate(6)
    (point,) = certificate.certificate.distribution_points
    restricted = certificate.certificate._replace(distribution_points=(point._replace(plain=False),))
    assert len(shelf.look_up(certificate)) == 1
    assert shelf.look_up(replace(certificate, certificate=restricted)) == ()


async def test_a_new_list_is_noticed_and_takes_the_place_of_the_old_one(stand: ListStand) -> None:
    await stand.take_in(list_of(stand.root, [5], FIRST))
    shelf = stand.open_shelf()
    assert (stand.answer(shelf, 5), stand.answer(shelf, 6)) == ([""], [None])
    await stand.take_in(list_of(stand.root, [6], SECOND))
    assert (stand.answer(shelf, 5), stand.answer(shelf, 6)) == ([None], [""])
    assert shelf.generation == 2


async def test_the_disk_is_looked_at_once_a_second_only(stand: ListStand) -> None:
    now = 0.0
    shelf = CrlShelf(stand.folder, index_key().public_key, monotonic=lambda: now)
    assert stand.answer(shelf, 5) == []
    await stand.take_in(list_of(stand.root, [5], FIRST))
    now = LOOK_SECONDS - 0.01
    assert stand.answer(shelf, 5) == []
    now = LOOK_SECONDS
    assert stand.answer(shelf, 5) == [""]


async def test_of_many_towns_each_certificate_finds_the_list_of_its_own(stand: ListStand) -> None:
    shapes = [replace(TOWN, point=town_point(f"Town {number}")) for number in range(200)]
    lists = [list_of(stand.root, [1000 + number], shape) for number, shape in enumerate(shapes)]
    await stand.take_in(*lists, list_of(stand.root, [7], TOWN))
    shelf = stand.open_shelf()
    assert len(shelf.records()) == 201
    assert (stand.answer(shelf, 7), stand.answer(shelf, 1007)) == ([""], [None])
    found = {record.label: segment for record, segment in shelf.segments()}
    assert len(found) == 201
    assert all(found[str(number)].find(1000 + number) is not None for number in range(200))
    assert all(found[str(number)].find(1001 + number) is None for number in range(200))


async def test_a_manifest_of_another_installation_is_not_believed(stand: ListStand, tmp_path: Path) -> None:
    await stand.take_in(list_of(stand.root, [5], FIRST))
    foreign = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    shelf = CrlShelf(stand.folder, lambda: foreign, monotonic=stand.monotonic)
    assert stand.answer(shelf, 5) == []
    assert shelf.trouble == "index_damaged"


async def test_without_a_key_nothing_is_believed(stand: ListStand) -> None:
    await stand.take_in(list_of(stand.root, [5], FIRST))
    shelf = CrlShelf(stand.folder, lambda: None, monotonic=stand.monotonic)
    assert (stand.answer(shelf, 5), shelf.trouble) == ([], "index_damaged")


async def test_a_key_that_cannot_be_read_is_named(stand: ListStand) -> None:
    def refuse() -> None:
        raise KeysError("index.pub: not a public key")

    await stand.take_in(list_of(stand.root, [5], FIRST))
    shelf = CrlShelf(stand.folder, refuse, monotonic=stand.monotonic)
    assert (stand.answer(shelf, 5), shelf.trouble) == ([], "index_key")


async def test_a_manifest_that_is_damaged_later_does_not_take_the_place_of_the_good_one(stand: ListStand) -> None:
    await stand.take_in(list_of(stand.root, [5], FIRST))
    shelf = stand.open_shelf()
    assert stand.answer(shelf, 5) == [""]
    manifest = stand.folder / "manifest.bin"
    manifest.write_bytes(manifest.read_bytes()[:-1])
    assert (stand.answer(shelf, 5), shelf.trouble) == ([""], "index_damaged")
    await stand.take_in(list_of(stand.root, [6], SECOND))
    assert (stand.answer(shelf, 5), stand.answer(shelf, 6), shelf.trouble) == ([None], [""], None)


@pytest.mark.parametrize("place", [0, 100, 700, -1])
async def test_no_answer_comes_from_a_damaged_segment_and_taking_it_in_again_mends_it(
    stand: ListStand, place: int
) -> None:
    data = list_of(stand.root, list(range(1, 200, 2)), FIRST)
    await stand.take_in(data)
    file = only_segment_file(stand)
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    shelf = stand.open_shelf()
    assert not shelf.check_digests()
    assert [record.label for record in shelf.damaged()] == ["0"]
    assert stand.answer(shelf, 5) == stand.answer(shelf, 6) == []
    assert list(shelf.segments()) == []
    (outcome,) = await stand.take_in(data)
    assert outcome.result == "taken"
    assert (stand.answer(shelf, 5), stand.answer(shelf, 6)) == ([""], [None])
    assert shelf.check_digests()
    assert shelf.damaged() == ()


async def test_damage_is_found_by_the_look_up_that_touches_it(stand: ListStand) -> None:
    await stand.take_in(list_of(stand.root, list(range(1, 2000, 2)), FIRST))
    file = only_segment_file(stand)
    shelf = stand.open_shelf()
    assert stand.answer(shelf, 5) == [""]
    with file.open("r+b") as writable:  # in place: the pages that the shelf has mapped
        content = writable.read()
        key = content.index((5).to_bytes(8, "little") + (7).to_bytes(8, "little"))
        writable.seek(key)
        writable.write(b"\x06")
    assert stand.answer(shelf, 5) == []
    assert stand.answer(shelf, 1999) == [], "the list as a whole is out of use"
    assert len(shelf.damaged()) == 1


async def test_what_the_digest_finds_is_out_of_use_also_where_it_was_asked_before(stand: ListStand) -> None:
    await stand.take_in(list_of(stand.root, [5], FIRST))
    shelf = stand.open_shelf()
    assert stand.answer(shelf, 6) == [None]
    with only_segment_file(stand).open("r+b") as writable:
        writable.seek(-1, 2)  # behind all that a look-up touches
        writable.write(b"\x01")
    assert stand.answer(shelf, 6) == [None]
    assert not shelf.check_digests()
    assert stand.answer(shelf, 6) == []


async def test_if_one_of_two_lists_is_damaged_the_silence_of_the_other_is_no_answer(stand: ListStand) -> None:
    await stand.take_in(list_of(stand.root, [5], TOWN))
    await stand.take_in(list_of(stand.root, [6], FIRST))
    shelf = stand.open_shelf()
    assert stand.answer(shelf, 7) == [None, None]
    town = next(record for record in shelf.records() if record.scope.point)
    path = stand.folder / "segments" / f"{town.place.file.name}.idx"
    path.write_bytes(path.read_bytes()[:-1] + b"\xaa")
    shelf = stand.open_shelf()
    shelf.check_digests()
    assert stand.answer(shelf, 7) == []


@pytest.mark.parametrize("change", ["remove", "empty", "cut"])
async def test_a_file_of_segments_that_is_not_there_or_cut_off_puts_its_lists_out_of_use(
    stand: ListStand, change: str
) -> None:
    await stand.take_in(list_of(stand.root, [5], FIRST))
    file = only_segment_file(stand)
    if change == "remove":
        file.unlink()
    else:
        file.write_bytes(b"" if change == "empty" else file.read_bytes()[:-64])
    shelf = stand.open_shelf()
    assert stand.answer(shelf, 5) == []
    assert len(shelf.damaged()) == 1


async def test_an_old_copy_of_the_folder_is_put_back_and_its_lists_are_told_by_their_marks(
    stand: ListStand, tmp_path: Path
) -> None:
    await stand.take_in(list_of(stand.root, [], FIRST))
    shutil.copytree(stand.folder, tmp_path / "old")
    await stand.take_in(list_of(stand.root, [5], replace(SECOND, this_update=stand.now - timedelta(hours=1))))
    shutil.rmtree(stand.folder)
    shutil.copytree(tmp_path / "old", stand.folder)
    shelf = stand.open_shelf()
    assert stand.answer(shelf, 5) == [None]
    (record,) = shelf.records()
    assert stand.book.marks[record.scope].crl_number == 2
    assert record.mark.crl_number == 1

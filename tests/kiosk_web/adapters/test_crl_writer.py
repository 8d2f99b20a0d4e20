"""The index on the disk is the old one or the new one: whatever fails, whenever, and whoever else writes."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk_web.adapters.crl_writer import FORGET_AFTER, MOST_FILES
from kiosk_web.errors import ListIndexError
from tests.support.crl_stand import ListStand, SilentWatcher, list_of, offer, town_point
from tests.support.crl_writer import ListShape, build_list, encode_entry
from tests.support.power_cut import derive_remains, record_calls, restore

FIRST = ListShape(number=1)
SECOND = ListShape(number=2)


@pytest.fixture
def stand(tmp_path: Path) -> ListStand:
    return ListStand(tmp_path / "crl")


def take_in(stand: ListStand, *lists: bytes) -> list[str]:
    return [outcome.result for outcome in asyncio.run(stand.take_in(*lists))]


def town(number: int) -> ListShape:
    return replace(FIRST, point=town_point(f"Town {number}"))


def files_of(stand: ListStand) -> set[str]:
    return {path.relative_to(stand.folder).as_posix() for path in stand.folder.rglob("*") if path.is_file()}


def read_state(stand: ListStand) -> str:
    """Which of the two lists is in force, told by its answers alone; each names one serial and not the other's."""
    shelf = stand.open_shelf()
    answers = stand.answer(shelf, 5), stand.answer(shelf, 6), stand.answer(shelf, 7)
    assert shelf.check_digests()
    assert shelf.trouble is None
    states = {"empty": ([], [], []), "old": ([""], [None], [None]), "new": ([None], [""], [None])}
    (state,) = [name for name, expected in states.items() if answers == expected]
    return state


class FailingCalls:
    """Lets the calls of the operating system through, but for one: that fails, and whatever the cause leaves it so."""

    NAMES = ("open", "write", "ftruncate", "lseek", "fsync", "replace", "unlink", "close")

    def __init__(self, folder: Path, fail_at: int, code: int) -> None:
        self.folder = folder
        self.fail_at = fail_at
        self.code = code
        self.count = 0
        self.failed = ""
        self._lock = threading.Lock()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for name in self.NAMES:
            patch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def _wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if isinstance(arguments[0], int) and not self._is_ours(arguments[0]):
                return real(*arguments, **named)
            with self._lock:  # the calls that force something come from several threads
                self.count += 1
                fails = self.count == self.fail_at
            if fails:
                self.failed = name
                if name == "close":
                    real(*arguments)
                raise OSError(self.code, os.strerror(self.code))
            return real(*arguments, **named)

        return call

    def _is_ours(self, descriptor: int) -> bool:
        try:
            return str(self.folder) in str(Path(f"/proc/self/fd/{descriptor}").readlink())
        except OSError:
            return False


def test_a_list_that_is_taken_in_stays_for_the_next_start(stand: ListStand) -> None:
    assert take_in(stand, list_of(stand.root, [5], FIRST)) == ["taken"]
    assert read_state(stand) == "old"
    with stand.writing() as writer:
        assert writer.generation == 1
        assert [mark.crl_number for mark in writer.marks.values()] == [1]


def test_nothing_is_left_behind(stand: ListStand) -> None:
    take_in(stand, list_of(stand.root, [5], FIRST))
    before = files_of(stand)
    take_in(stand, list_of(stand.root, [6], SECOND))
    after = files_of(stand)
    assert len(before) == len(after) == 3  # lock, manifest, one file of segments
    assert before != after
    for path in stand.folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.name == "lock"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to tell our files from others")
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_whichever_call_of_the_operating_system_fails_the_index_is_the_old_or_the_new_one(
    stand: ListStand, code: int
) -> None:
    take_in(stand, list_of(stand.root, [5], FIRST))
    kept = {path: path.read_bytes() for path in stand.folder.rglob("*") if path.is_file()}
    seen: dict[str, set[str]] = {}
    fail_at, reached = 1, True
    while reached:
        restore(stand.folder, kept)
        stand.book.marks.clear()
        calls = FailingCalls(stand.folder, fail_at, code)
        trouble = ""
        with pytest.MonkeyPatch.context() as patch:
            calls.install(patch)
            try:
                take_in(stand, list_of(stand.root, [6], SECOND))
            except ListIndexError as error:
                trouble = error.why
        reached = bool(calls.failed)
        if reached:
            state = read_state(stand)
            seen.setdefault(calls.failed, set()).add(f"{state} {trouble}".strip())
            assert state == "new" or trouble == ("disk_full" if code == errno.ENOSPC else "disk_failed")
            take_in(stand, list_of(stand.root, [6], SECOND))
            assert read_state(stand) == "new"
            assert len(files_of(stand)) == 3
        fail_at += 1
    why = "disk_full" if code == errno.ENOSPC else "disk_failed"
    assert seen["write"] == seen["open"] == {f"old {why}"} or "new" in str(seen["open"])
    assert seen["fsync"] == {f"old {why}", f"new {why}"}
    assert seen["unlink"] == {"new"}
    assert calls.count > 15


@pytest.mark.long
def test_a_power_cut_at_any_moment_leaves_the_old_or_the_new_index(stand: ListStand) -> None:
    take_in(stand, list_of(stand.root, [5], FIRST))
    with record_calls(stand.folder) as calls:
        take_in(stand, list_of(stand.root, [6], SECOND))
    assert {kind for kind, *_ in calls.noted} >= {"create", "write", "sync", "replace", "unlink"}
    states: list[set[str]] = []
    for end in range(len(calls.noted) + 1):
        found = set()
        for how, remains in derive_remains(calls, end):
            restore(stand.folder, remains)
            try:
                found.add(read_state(stand))
            except (AssertionError, ValueError) as error:
                raise AssertionError(f"after call {end} ({calls.noted[end - 1][:2]}), {how}") from error
            stand.book.marks.clear()
            take_in(stand, list_of(stand.root, [6], SECOND))
            assert read_state(stand) == "new"
        states.append(found)
    assert (states[0], states[-1]) == ({"old"}, {"new"})
    assert {"old", "new"} in states, "between the renaming and the forcing of the folder either may be found"


def test_a_power_cut_before_the_first_index_was_complete_leaves_none_or_the_whole(stand: ListStand) -> None:
    (stand.folder / "segments").mkdir(parents=True)
    with record_calls(stand.folder) as calls:
        take_in(stand, list_of(stand.root, [5], FIRST))
    for end in range(len(calls.noted) + 1):
        for _how, remains in derive_remains(calls, end):
            restore(stand.folder, remains)
            assert read_state(stand) in ("empty", "old")


def test_a_batch_that_is_not_committed_changes_nothing(stand: ListStand) -> None:
    take_in(stand, list_of(stand.root, [5], FIRST))
    before = files_of(stand)
    asyncio.run(stand.take_in(list_of(stand.root, [6], SECOND), dry=True))
    assert read_state(stand) == "old"
    assert files_of(stand) == before


def test_a_malformed_list_in_the_middle_of_a_batch_leaves_no_trace_of_itself(stand: ListStand) -> None:
    broken = build_list(stand.root, [encode_entry(6), b"\x30\x03\x02\x01\x00"], town(2))
    lists = list_of(stand.root, [5], FIRST), broken, list_of(stand.root, [9], town(3))
    assert take_in(stand, *lists) == ["taken", "refused", "taken"]
    assert read_state(stand) == "old"
    (file,) = (stand.folder / "segments").iterdir()
    with stand.writing() as writer:
        assert sum(-(-record.place.length // 64) * 64 for record in writer.records.values()) == file.stat().st_size


def test_a_second_writer_is_told_at_once_and_the_first_goes_on(stand: ListStand) -> None:
    with stand.writing() as writer:
        with pytest.raises(ListIndexError, match="writer_busy") as refusal, stand.writing():
            pass
        assert refusal.value.why == "writer_busy"
        intake = stand.build_intake(writer)
        asyncio.run(intake.take_in([offer(list_of(stand.root, [5], FIRST))], SilentWatcher()))
    assert read_state(stand) == "old"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "crl").touch()
    with pytest.raises(ListIndexError, match="disk_failed"), ListStand(tmp_path / "crl").writing():
        pass


def test_a_damaged_manifest_is_put_aside_and_the_index_begins_anew(stand: ListStand) -> None:
    take_in(stand, list_of(stand.root, [5], FIRST))
    manifest = stand.folder / "manifest.bin"
    damaged = manifest.read_bytes()[:-1] + b"\xaa"
    manifest.write_bytes(damaged)
    with stand.writing() as writer:
        assert writer.records == {}
    assert (stand.folder / "manifest.damaged").read_bytes() == damaged
    assert take_in(stand, list_of(stand.root, [6], SECOND)) == ["taken"]
    assert read_state(stand) == "new"


def test_what_was_once_in_force_is_not_taken_in_again_by_a_new_index(stand: ListStand) -> None:
    take_in(stand, list_of(stand.root, [6], SECOND))
    (stand.folder / "manifest.bin").write_bytes(b"")
    (outcome,) = asyncio.run(stand.take_in(list_of(stand.root, [5], FIRST)))
    assert (outcome.result, outcome.why) == ("refused", "number_behind")


@pytest.fixture
def many(stand: ListStand) -> ListStand:
    """One list less than files of segments may be, each in a file of its own."""
    for number in range(MOST_FILES):
        take_in(stand, list_of(stand.root, [1000 + number], town(number)))
    return stand


def test_many_small_batches_are_put_together_and_every_list_still_answers(many: ListStand) -> None:
    assert len(list((many.folder / "segments").iterdir())) == MOST_FILES
    take_in(many, list_of(many.root, [1000 + MOST_FILES], town(MOST_FILES)))
    assert len(list((many.folder / "segments").iterdir())) == 1
    shelf = many.open_shelf()
    found = [segment for _, segment in shelf.segments()]
    assert len(found) == MOST_FILES + 1
    for serial in range(1000, 1001 + MOST_FILES):
        assert sum(segment.find(serial) is not None for segment in found) == 1
    assert shelf.check_digests()


def test_a_damaged_segment_is_not_taken_over_and_stays_out_of_use(many: ListStand) -> None:
    with many.writing() as writer:
        victim = next(iter(writer.records.values()))
    path = many.folder / "segments" / f"{victim.place.file.name}.idx"
    path.write_bytes(path.read_bytes()[:-1] + b"\xaa")
    take_in(many, list_of(many.root, [1000 + MOST_FILES], town(MOST_FILES)))
    assert len(list((many.folder / "segments").iterdir())) == 2
    shelf = many.open_shelf()
    assert not shelf.check_digests()
    assert [record.scope for record in shelf.damaged()] == [victim.scope]
    assert len(shelf.records()) == MOST_FILES + 1


def test_a_file_of_which_little_is_still_in_force_is_put_together_too(stand: ListStand) -> None:
    big = list_of(stand.root, list(range(10_000, 20_000)), town(1))
    take_in(stand, big, list_of(stand.root, [5], FIRST))
    small = list_of(stand.root, [9], replace(town(1), number=2))
    take_in(stand, small)
    take_in(stand, list_of(stand.root, [8], replace(town(2), number=2)))
    assert sum(path.stat().st_size for path in (stand.folder / "segments").iterdir()) < len(big) / 10
    assert read_state(stand) == "old"


def test_a_list_that_nobody_renews_is_forgotten_in_the_end(stand: ListStand) -> None:
    take_in(stand, list_of(stand.root, [5], FIRST), list_of(stand.root, [9], town(1)))
    later = stand.now + FORGET_AFTER + timedelta(days=2)
    stand.now = later
    renewed = replace(SECOND, this_update=later - timedelta(hours=1), next_update=later + timedelta(hours=20))
    take_in(stand, list_of(stand.root, [6], renewed))
    assert [record.mark.crl_number for record in stand.open_shelf().records()] == [2]

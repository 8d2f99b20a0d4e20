"""Snapshots in, events out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.card.transport import ReaderSnapshot, ReadersSnapshot, ReaderState
from bridge.presence import (
    NOTHING,
    Answered,
    CardInstance,
    Inserted,
    Presence,
    PresenceEvent,
    ReaderStateChanged,
    Removed,
    Swapped,
    TurnedMute,
    judge_presence,
)

ENTROPY = bytes(range(16))
OTHER = bytes(range(16, 32))


def reader(count: int, *, present: bool = True, mute: bool = False, name: str = "R") -> ReaderSnapshot:
    return ReaderSnapshot(name, present, mute, count, b"" if mute else b"\x3b")


def snapshot(*readers: ReaderSnapshot, state: ReaderState = ReaderState.READY, generation: int = 0) -> ReadersSnapshot:
    return ReadersSnapshot(state, readers, generation)


def judge(*snapshots: ReadersSnapshot) -> tuple[Presence, tuple[PresenceEvent, ...]]:
    """The outcome of the last of several snapshots."""
    presence, events = NOTHING, ()
    for number, item in enumerate(snapshots):
        presence, events = judge_presence(presence, item, bytes([number]) * 16)
    return presence, events


def test_a_card_is_inserted_with_an_id_made_of_the_entropy() -> None:
    presence, events = judge_presence(Presence(ReaderState.READY), snapshot(reader(2)), ENTROPY)
    assert presence.instance == CardInstance("AAECAwQFBgcICQoLDA0ODw", "R", 2, 0)
    assert events == (Inserted(presence.instance),)


def test_the_same_card_keeps_its_id() -> None:
    first, _ = judge_presence(NOTHING, snapshot(reader(2)), ENTROPY)
    second, events = judge_presence(first, snapshot(reader(2)), OTHER)
    assert (second, events) == (first, ())


def test_a_lifted_card_is_removed() -> None:
    before, _ = judge(snapshot(reader(2)))
    after, events = judge(snapshot(reader(2)), snapshot(reader(3, present=False)))
    assert after.instance is None
    assert before.instance is not None
    assert events == (Removed(before.instance),)


@pytest.mark.parametrize(
    "second",
    [
        snapshot(reader(4)),
        snapshot(reader(2), generation=1),
        snapshot(reader(2, present=False), reader(2, name="S")),
    ],
)
def test_a_card_that_may_be_another_has_a_new_id_though_nobody_saw_the_reader_empty(second: ReadersSnapshot) -> None:
    before, _ = judge(snapshot(reader(2)))
    after, events = judge(snapshot(reader(2)), second)
    assert before.instance is not None
    assert after.instance is not None
    assert after.instance.id != before.instance.id
    assert events == (Swapped(before.instance, after.instance),)


def test_a_card_that_was_there_first_stays_the_card() -> None:
    presence, events = judge(snapshot(reader(2)), snapshot(reader(1, name="A"), reader(2)))
    assert presence.instance is not None
    assert presence.instance.reader_name == "R"
    assert events == ()


def test_mute_and_then_answering() -> None:
    presence, events = judge(snapshot(reader(2, mute=True)))
    assert presence.instance is not None
    assert presence.mute
    assert events[1:] == (Inserted(presence.instance), TurnedMute(presence.instance))
    presence, events = judge(snapshot(reader(2, mute=True)), snapshot(reader(2)))
    assert presence.instance is not None
    assert not presence.mute
    assert events == (Answered(presence.instance),)
    presence, events = judge(snapshot(reader(2)), snapshot(reader(2, mute=True)))
    assert presence.instance is not None
    assert events == (TurnedMute(presence.instance),)


@pytest.mark.parametrize("state", [ReaderState.SERVICE_DOWN, ReaderState.MISSING, ReaderState.DENIED])
def test_without_a_reader_the_card_is_gone_and_comes_back_as_another(state: ReaderState) -> None:
    first = snapshot(reader(2))
    before, _ = judge(first)
    gone, events = judge(first, snapshot(state=state))
    assert gone == Presence(state)
    assert before.instance is not None
    assert events == (ReaderStateChanged(state), Removed(before.instance))
    back, _ = judge(first, snapshot(state=state), snapshot(reader(2), generation=1))
    assert back.instance is not None
    assert back.instance.id != before.instance.id


def test_a_service_without_readers_is_a_missing_reader() -> None:
    assert judge(snapshot())[0] == Presence(ReaderState.MISSING)


def test_a_refused_reader_does_not_exist() -> None:
    items = snapshot(reader(2, name="Virtual PCD 00 00"))
    presence, _ = judge_presence(NOTHING, items, ENTROPY, refused_readers=("Virtual PCD",))
    assert presence == Presence(ReaderState.MISSING)


def test_the_id_needs_sixteen_bytes() -> None:
    with pytest.raises(ValueError, match="16"):
        judge_presence(NOTHING, snapshot(), b"short")


readers = st.builds(
    ReaderSnapshot, st.sampled_from(["R", "S"]), st.booleans(), st.booleans(), st.integers(0, 5), st.just(b"")
)
snapshots = st.builds(
    ReadersSnapshot, st.sampled_from(ReaderState), st.lists(readers, max_size=2).map(tuple), st.integers(0, 2)
)


@given(st.lists(snapshots, min_size=1, max_size=12))
def test_the_events_tell_the_whole_story(items: list[ReadersSnapshot]) -> None:
    presence, told = NOTHING, NOTHING.instance
    for number, item in enumerate(items):
        presence, events = judge_presence(presence, item, number.to_bytes(16, "big"))
        for event in events:
            if isinstance(event, Inserted):
                assert told is None
                told = event.instance
            elif isinstance(event, Swapped):
                assert told == event.old
                told = event.instance
            elif isinstance(event, Removed):
                assert told == event.instance
                told = None
        assert told == presence.instance

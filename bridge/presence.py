"""What lies on the reader, judged from one snapshot after another. PURE.

A card is named by an **instance**, 16 random bytes for one laying of one card. A reader counts its insertions, so a
card that was lifted and put back, or another of the same kind, gets a new name even when nobody saw the reader empty
(PC/SC part 5, dwEventState).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bridge.card.transport import ReaderSnapshot, ReadersSnapshot, ReaderState
from bridge.strict_json import encode_base64url

INSTANCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class CardInstance:
    """One laying of one card. Two instances are the same only when reader, count and generation are."""

    id: str
    reader_name: str
    event_count: int
    generation: int


@dataclass(frozen=True, slots=True)
class Presence:
    """What holds now. `mute`: a card lies there and does not answer to power."""

    state: ReaderState
    instance: CardInstance | None = None
    mute: bool = False


NOTHING = Presence(ReaderState.MISSING)


@dataclass(frozen=True, slots=True)
class ReaderStateChanged:
    state: ReaderState


@dataclass(frozen=True, slots=True)
class Inserted:
    instance: CardInstance


@dataclass(frozen=True, slots=True)
class Removed:
    instance: CardInstance


@dataclass(frozen=True, slots=True)
class Swapped:
    """Lifted and laid again between two looks: perhaps the same card, perhaps another."""

    old: CardInstance
    instance: CardInstance


@dataclass(frozen=True, slots=True)
class TurnedMute:
    instance: CardInstance


@dataclass(frozen=True, slots=True)
class Answered:
    """A card that was mute now has an answer to reset."""

    instance: CardInstance


PresenceEvent = ReaderStateChanged | Inserted | Removed | Swapped | TurnedMute | Answered


def judge_presence(
    previous: Presence, snapshot: ReadersSnapshot, entropy: bytes, *, refused_readers: tuple[str, ...] = ()
) -> tuple[Presence, tuple[PresenceEvent, ...]]:
    """What holds after `snapshot`, and what happened since `previous`.

    `entropy` is 16 fresh random bytes; it names a new instance if there is one. Readers whose name begins with one of
    `refused_readers` do not exist (a production bridge refuses virtual ones). With cards on two readers, the card
    that was there first stays the card.
    """
    if len(entropy) != INSTANCE_BYTES:
        raise ValueError("an instance is named by 16 bytes")
    readers = tuple(reader for reader in snapshot.readers if not reader.name.startswith(refused_readers or ("\0",)))
    state = snapshot.state
    if state is ReaderState.READY and not readers:
        state = ReaderState.MISSING
    card = _card(previous.instance, readers) if state is ReaderState.READY else None
    now = Presence(state)
    if card is not None:
        instance = previous.instance
        key = (card.name, card.event_count, snapshot.generation)
        if instance is None or (instance.reader_name, instance.event_count, instance.generation) != key:
            instance = CardInstance(encode_base64url(entropy), *key)
        now = replace(now, instance=instance, mute=card.mute)
    return now, tuple(_events(previous, now))


def _card(instance: CardInstance | None, readers: tuple[ReaderSnapshot, ...]) -> ReaderSnapshot | None:
    """The reader whose card counts: the one it lay on before, else the first with a card."""
    present = [reader for reader in readers if reader.card_present]
    if instance is not None:
        for reader in present:
            if reader.name == instance.reader_name:
                return reader
    return present[0] if present else None


def _events(old: Presence, new: Presence) -> list[PresenceEvent]:
    events: list[PresenceEvent] = []
    if old.state is not new.state:
        events.append(ReaderStateChanged(new.state))
    if old.instance != new.instance:
        events.append(_tell_exchange(old.instance, new.instance))
    elif new.instance is not None and old.mute and not new.mute:
        events.append(Answered(new.instance))
    if new.instance is not None and new.mute and (not old.mute or old.instance != new.instance):
        events.append(TurnedMute(new.instance))
    return events


def _tell_exchange(old: CardInstance | None, new: CardInstance | None) -> PresenceEvent:
    """Two different ones, of which one may be none."""
    if old is None:
        assert new is not None
        return Inserted(new)
    return Removed(old) if new is None else Swapped(old, new)

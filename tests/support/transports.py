"""Card transports for tests: one that follows a script, one that is a virtual card in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bridge.virtual.card import Exchange, VirtualCard
from bridge.virtual.profile import load_profile


class ScriptedTransport:
    """Answers in turn; an answer is hexadecimal data and status word, or an error to raise."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)
        self.sent: list[str] = []

    def transmit(self, command: bytes) -> tuple[bytes, int]:
        self.sent.append(command.hex().upper())
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        raw = bytes.fromhex(answer)
        return raw[:-2], int.from_bytes(raw[-2:], "big")


class VirtualTransport:
    """A virtual card with neither reader nor disk behind it; `sent` keeps the commands in hexadecimal."""

    def __init__(self, card: VirtualCard) -> None:
        self.card = card
        self.sent: list[str] = []

    def transmit(self, command: bytes) -> tuple[bytes, int]:
        self.sent.append(command.hex().upper())
        response = self.card.transmit(command).response
        return response[:-2], int.from_bytes(response[-2:], "big")


def zeros(length: int) -> bytes:
    """Entropy that is none."""
    return bytes(length)


def make_card(folder: Path) -> VirtualCard:
    """The card of a profile folder, with the tries that a new card has."""
    profile = load_profile(folder)
    counters = {name: secret.left if secret else 0 for name, secret in profile.secrets.items()}
    return VirtualCard(profile, counters, zeros)


def ask(card: VirtualCard, *commands: str) -> Sequence[str]:
    """The answers to commands, all in hexadecimal."""
    return [ask_once(card, command).response.hex().upper() for command in commands]


def ask_once(card: VirtualCard, command: str) -> Exchange:
    return card.transmit(bytes.fromhex(command))

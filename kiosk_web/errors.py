"""Errors of the server that a person has to read. Messages say what to change and hold no personal data."""

from __future__ import annotations


class KioskError(Exception):
    """Base of all of them."""


class SettingsError(KioskError):
    """The server cannot start as it is configured."""


class TerminalError(KioskError):
    """A terminal cannot be added or revoked as asked."""


class FallbackError(KioskError):
    """The fallback cannot be opened as asked."""


class KeysError(KioskError):
    """The server's keys cannot be read or kept."""


class ListIndexError(KioskError):
    """The index of revocation lists cannot be read or written. `why` is a name of `docs/crl.md`."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(f"{why}: {detail}")
        self.why = why

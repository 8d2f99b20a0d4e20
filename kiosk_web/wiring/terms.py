"""Terms of use and privacy policy as the settings have them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kiosk_web.adapters.terms_files import load_terms
from kiosk_web.errors import SettingsError
from kiosk_web.identity.terms import Terms, TermsRefused
from kiosk_web.settings.server import Settings
from kiosk_web.web.catalogue import LANGUAGES


def load_shown_terms(settings: Settings) -> Terms:
    """Read once for each folder. Raises `SettingsError` for a text that cannot be shown."""
    try:
        return _load(settings.terms)
    except TermsRefused as error:
        raise SettingsError(f"terms: {error}") from None


@cache
def _load(folder: Path | None) -> Terms:
    return load_terms(folder, LANGUAGES)

"""The browser of the end-to-end tests, for the frozen programs too."""

from __future__ import annotations

from tests.e2e.conftest import browser, page

__all__ = ["browser", "page"]

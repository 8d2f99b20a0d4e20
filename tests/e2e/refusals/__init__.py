"""How a resident comes to each refusal: what goes wrong, by code. `tests/e2e/test_refusals.py` tells them one by one.

Every story begins on the first screen with an empty reader, and ends when the page shows what it should. What it
changed in files and database is taken back by the stand; what it changed elsewhere, by itself.
"""

from __future__ import annotations

from tests.e2e.refusals import certificate, link, reader, typed, visit
from tests.e2e.refusals.stand import Story

STORIES: dict[str, Story] = {
    **reader.STORIES,
    **typed.STORIES,
    **certificate.STORIES,
    **visit.STORIES,
    **link.STORIES,
}

"""A desktop for the bridge's own window, and a hand at it. A module that wants them names it in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import x11
from tests.support.personal import Hand


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with x11.running_server() as name:
        x11.set_layout(name, "-layout", "us", "-option", "")
        yield name


@pytest.fixture
def hand(display: str) -> Iterator[Hand]:
    one = Hand(display)
    yield one
    one.close()

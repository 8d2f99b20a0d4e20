"""A serial cable."""

from __future__ import annotations

import os
import tty
from collections.abc import Iterator

import pytest


@pytest.fixture
def cable() -> Iterator[tuple[int, str]]:
    """The library's end, and the name of ours."""
    theirs, ours = os.openpty()
    tty.setraw(ours)
    yield theirs, os.ttyname(ours)
    os.close(ours)
    os.close(theirs)

"""A server and a database of its own for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiosk_web.adapters.store.database import SqlStore
from tests.support.database import lay_database
from tests.support.kiosk_server import Stand, run_stand
from tests.support.terminal import Terminal


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    """A server with the sample services. A module that wants another has a fixture of this name."""
    async with run_stand(tmp_path) as running:
        yield running


@pytest.fixture
async def terminal(stand: Stand) -> Terminal:
    """Enrolled, and its page is open."""
    return await stand.opened()


@pytest.fixture
async def store(tmp_path: Path, anyio_backend: str) -> AsyncIterator[SqlStore]:
    """An empty database."""
    lay_database(tmp_path)
    opened = SqlStore(tmp_path)
    yield opened
    await opened.close()

"""A running server with one client of the API that has signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.api_client import API_SYSTEMS, ApiClient, register
from tests.support.kiosk_server import Stand, run_stand


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, systems=API_SYSTEMS) as running:
        yield running


@pytest.fixture
async def client(stand: Stand) -> ApiClient:
    return await (await register(stand)).sign_in()

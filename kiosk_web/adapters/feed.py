"""Changes told to the streams of this process.

A message is "look again", never the news itself, so none can be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class _Subscription:
    def __init__(self, terminal: str | None) -> None:
        self.terminal = terminal
        self.changed = asyncio.Event()
        self.closed = False

    async def wait(self) -> bool:
        await self.changed.wait()
        self.changed.clear()
        return not self.closed


class LocalFeed:
    """Implements `services.ports.Feed` for one process."""

    def __init__(self) -> None:
        self._subscriptions: set[_Subscription] = set()
        self._closed = False

    def publish(self, terminal: str) -> None:
        for subscription in self._subscriptions:
            if subscription.terminal in (None, terminal):
                subscription.changed.set()

    def publish_all(self) -> None:
        for subscription in self._subscriptions:
            subscription.changed.set()

    @contextmanager
    def subscribe(self, terminal: str | None) -> Iterator[_Subscription]:
        subscription = _Subscription(terminal)
        if self._closed:
            subscription.closed = True
            subscription.changed.set()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End every stream: the server stops."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.closed = True
            subscription.changed.set()

"""What opens the fallback, in memory, and what was noted of the exchanges with the responder."""

from __future__ import annotations

from kiosk_web.pki.fallback import FallbackState


class MemoryFallback:
    """Implements `services.status.validation.Fallback`. A test sets `state`."""

    def __init__(self, state: FallbackState | None = None) -> None:
        self.state = state or FallbackState()
        self.exchanges: list[bool] = []

    async def load(self) -> FallbackState:
        return self.state

    async def note_exchange(self, *, reached: bool) -> None:
        self.exchanges.append(reached)

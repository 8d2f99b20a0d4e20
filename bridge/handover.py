"""The hand-over as a part of one page connection: a ticket in, at most one at a time, an end out. PURE."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.effects import Effect, EndOutput, Note, Send, StartOutput
from bridge.errors import BridgeError, TicketRefused
from bridge.laid_card import judge_laid_card
from bridge.messages import HandedOver, Reader
from bridge.output.order import OutputEnd
from bridge.ticket import OutputTicket, Terminal, TicketKey, UsedTickets, judge_output


class HandOverTurn:
    """`running` is the ticket whose number goes out now. Every method returns the effects in their order."""

    def __init__(self, terminal: Terminal, used: UsedTickets) -> None:
        self._terminal = terminal
        self._used = used
        self.running: OutputTicket | None = None

    def start(
        self, ticket: str, keys: Mapping[str, TicketKey], reader: Reader, *, server_time: float, now: float
    ) -> list[Effect]:
        """`keys` are those of the hello; `now` is the connection's own clock."""
        try:
            output = judge_output(
                ticket, keys, terminal=self._terminal.id, origin=self._terminal.origin, now=server_time
            )
            self._used.use(output.jti, now)
        except TicketRefused as trouble:
            return [Note("output_refused", trouble.reason), Send(HandedOver("", trouble.code, 0))]
        refusal = judge_laid_card(reader, output.card)
        if refusal is not None:
            return [Send(HandedOver(output.jti, refusal.code, 0))]
        self.running = output
        return [StartOutput(output)]

    def look(self, reader: Reader) -> list[Effect]:
        """The reader has changed: without the card, no further key goes out."""
        refusal = None if self.running is None else judge_laid_card(reader, self.running.card)
        return [] if refusal is None else self.stop(refusal)

    def stop(self, error: BridgeError) -> list[Effect]:
        """Before the next key; the end follows as a report."""
        return [] if self.running is None else [EndOutput(self.running.jti, error)]

    def finish(self, report: OutputEnd) -> list[Effect]:
        self.running = None
        return [Send(HandedOver(report.output, report.code, report.sent))]

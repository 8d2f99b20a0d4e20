"""The word that the hand-over gives back to the page connection. PURE."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutputEnd:
    """The hand-over of the ticket `output` is over. `code` is "" when everything went out; `sent` counts keys or
    bytes.
    """

    output: str
    code: str
    sent: int

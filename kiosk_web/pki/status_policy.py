"""What one service accepts as confirmation that a certificate is in force: a closed list of policies, an age limit for
each method, and the circumstances of one question. PURE.

Empty values refuse: a policy without a name accepts nothing, a context without permissions consults no list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from kiosk_web.pki.signature import ProofMethod
from kiosk_web.pki.status import Method

PolicyName = Literal["ocsp", "crl", "ocsp-then-crl"]

IDENTIFY = "identify"
"""The one purpose for which a list may answer. What is kept for later visits (`enrol`) needs the responder."""


@dataclass(frozen=True, slots=True)
class StatusPolicy:
    """`name` None accepts nothing. The ages run from an answer's thisUpdate to the moment it was judged.

    JPKI refreshes its responder every 15 minutes and its lists daily: 20 minutes, and a day with 6 hours to fetch them.
    """

    name: PolicyName | None = None
    ocsp_max_age: timedelta = timedelta(minutes=20)
    crl_max_age: timedelta = timedelta(hours=30)
    skew: timedelta = timedelta(minutes=2)

    def limit_age(self, method: Method) -> timedelta:
        """How old an answer of this method may be, skew included."""
        return (self.ocsp_max_age if method == "ocsp" else self.crl_max_age) + self.skew


@dataclass(frozen=True, slots=True)
class StatusContext:
    """For what a status is asked. The server fills it in; nothing of it comes from a page or a card.

    `method` is how the card proves itself, `purpose` the one of the challenge. `lists_permitted`: a list may speak for
    this person at this service at all (row 11 of the profiles' table). `kazashi_in_window`: the service lets kazashi
    go on inside a configured window.
    """

    policy: StatusPolicy = field(default_factory=StatusPolicy)
    method: ProofMethod = "pin"
    purpose: str = ""
    lists_permitted: bool = False
    kazashi_in_window: bool = False


def may_use_kept_answer(context: StatusContext) -> bool:
    """May an answer of a few seconds ago stand for one that is asked for now? Never for kazashi, whose one proof of
    validity it would be, and never for what is kept for later visits.
    """
    return context.method == "pin" and context.purpose == IDENTIFY

"""Who has accepted which version of the terms (利用規約・個人情報保護方針), and who is to be asked.

The screen of the 暗証番号 says which version is accepted by typing it at the first visit for a system. Whoever accepted
an older one, or comes by かざし利用 and has accepted none, is asked on a screen of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from kiosk_web.identity.terms import TermsKind, find_unaccepted
from kiosk_web.services.ports import Transaction
from kiosk_web.session.terms_change import TermsChange


class TermsUnaccepted(Exception):
    """The person has to agree first. `changes`: to what. Nothing was written."""

    def __init__(self, changes: tuple[TermsChange, ...]) -> None:
        super().__init__("terms")
        self.changes = changes


class TermsAcceptance:
    """`current`: the version of each document that is shown now. Works inside the caller's transaction."""

    def __init__(self, current: Mapping[TermsKind, str]) -> None:
        self._current = current

    async def judge(
        self, transaction: Transaction, person: str | None, system: str, method: str, agreed: bool
    ) -> Mapping[TermsKind, str]:
        """The versions that are accepted by this visit; raises `TermsUnaccepted`. `person` None: never seen before."""
        before = () if person is None else await transaction.terms.find(person, system)
        accepted = {known.document: known for known in before}
        fresh = find_unaccepted(self._current, {kind: known.version for kind, known in accepted.items()})
        typed_at_first = method == "pin" and not accepted
        if fresh and not agreed and not typed_at_first:
            changes = []
            for kind in fresh:
                known = accepted.get(kind)
                version, at = ("", None) if known is None else (known.version, known.accepted_at)
                changes.append(TermsChange(kind, self._current[kind], version, at))
            raise TermsUnaccepted(tuple(changes))
        return {kind: self._current[kind] for kind in fresh}

    async def record(
        self, transaction: Transaction, person: str, system: str, versions: Mapping[TermsKind, str], now: datetime
    ) -> None:
        """What `judge` returned, once the identifier is issued. A version that is known is not recorded again."""
        if versions:
            await transaction.terms.record(person, system, versions, now)

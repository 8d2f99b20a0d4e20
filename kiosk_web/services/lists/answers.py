"""Questions about many certificates and serial numbers, answered from the lists in force: for the command line and the
API alike (docs/crl-batch.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from kiosk_web.pki.status import CertificateStatus, OnHold, Revoked, Stale, Unavailable, name_outcome
from kiosk_web.pki.trust import Untrusted
from kiosk_web.services.lists.check import ListCheck
from kiosk_web.services.lists.rows import Answer, Question


def build_answers(check: ListCheck, first: int, questions: Sequence[Question | str]) -> list[Answer]:
    """Answers in order; the first has row number `first`. A text instead of a question is what was wrong with it."""
    answers: list[Answer] = []
    by_key: dict[bytes, list[tuple[int, int]]] = {}
    for at, question in enumerate(questions):
        row = first + at
        if isinstance(question, str):
            answers.append(Answer(row, "", "malformed", question))
        elif question.certificate is not None:
            answers.append(_describe(row, question.id, check.judge_certificate(question.certificate)))
        else:
            answers.append(Answer(row, question.id, ""))
            by_key.setdefault(question.key_id, []).append((at, question.serial))
    for key_id, asked in by_key.items():
        found = check.judge_serials(key_id, [serial for _, serial in asked])
        for (at, _), said in zip(asked, found, strict=True):
            own = answers[at]
            answers[at] = Answer(own.row, own.id, said.outcome, said.reason, said.revoked_at, said.this_update)
    return answers


def _describe(row: int, own: str, status: CertificateStatus | Untrusted) -> Answer:
    if isinstance(status, Untrusted):
        return Answer(row, own, status.reason)
    reason, at = "", None
    match status:
        case Revoked(revoked_at, said, _):
            reason, at = said or "", revoked_at
        case OnHold(held_at, _):
            reason, at = "certificateHold", held_at
        case Unavailable(why, _) | Stale(why, _):
            reason = why
        case _:
            pass
    return Answer(row, own, name_outcome(status), reason, at, status.evidence.this_update)

"""A verification as people and programs read it: aligned text, and JSON by `verification.schema.json` (docs/verify.md).

Both say the same. Times are UTC in ISO 8601; nothing of what stands in the certificate is repeated but hashes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from kiosk_web.pki.steps import Step
from kiosk_web.verify.evidence import Exhibit
from kiosk_web.verify.judgement import Verification


def write_json(verification: Verification) -> str:
    """One JSON object, its keys sorted; steps in the order in which they were taken, evidence by kind and hash."""
    document = {
        "outcome": verification.outcome,
        "reason": verification.reason,
        "steps": [_dump_step(step) for step in verification.steps],
        "evidence": [_dump_exhibit(exhibit) for exhibit in _sort(verification)],
    }
    return json.dumps(document, indent=2, sort_keys=True)


def write_text(verification: Verification) -> str:
    """Plain lines: the outcome first, then the steps, then what was looked at.

    Steps skipped because an earlier one failed are left out. Octets of file names that are no text are escaped.
    """
    return "\n".join(_write_lines(verification)).encode("utf-8", "backslashreplace").decode()


def _write_lines(verification: Verification) -> Iterator[str]:
    reason = f" ({verification.reason})" if verification.reason else ""
    yield f"outcome    {verification.outcome}{reason}"
    yield f"judged at  {_dump_time(verification.judged_at)}"
    yield ""
    steps = [step for step in verification.steps if step.result != "skipped" or step.detail]
    width = max(len(step.name) for step in steps)
    for step in steps:
        yield f"{step.result:8} {step.name:{width}}  {step.detail}".rstrip()
    yield ""
    for exhibit in _sort(verification):
        decisive = "  decisive" if exhibit.decisive else ""
        yield f"{exhibit.kind:13} {exhibit.sha256.hex() or 'no bytes'}  {exhibit.source}{decisive}".rstrip()
        yield from _describe(exhibit)


def _describe(exhibit: Exhibit) -> Iterator[str]:
    said = {
        "thisUpdate": exhibit.this_update and _dump_time(exhibit.this_update),
        "nextUpdate": exhibit.next_update and _dump_time(exhibit.next_update),
        "producedAt": exhibit.produced_at and _dump_time(exhibit.produced_at),
        "crlNumber": None if exhibit.crl_number is None else str(exhibit.crl_number),
        "signed by": exhibit.signer,
        "refused": exhibit.refused,
    }
    for name, value in said.items():
        if value:
            yield f"{'':13} {name:10} {value}"


def _sort(verification: Verification) -> list[Exhibit]:
    return sorted(verification.evidence, key=lambda exhibit: (exhibit.kind, exhibit.sha256, exhibit.source))


def _dump_step(step: Step) -> dict[str, object]:
    return {
        "step": step.name,
        "result": step.result,
        "detail": step.detail or None,
        "evidence": step.evidence.hex() or None,
    }


def _dump_exhibit(exhibit: Exhibit) -> dict[str, object]:
    return {
        "kind": exhibit.kind,
        "sha256": exhibit.sha256.hex() or None,
        "source": exhibit.source or None,
        "this_update": exhibit.this_update and _dump_time(exhibit.this_update),
        "next_update": exhibit.next_update and _dump_time(exhibit.next_update),
        "produced_at": exhibit.produced_at and _dump_time(exhibit.produced_at),
        "crl_number": exhibit.crl_number,
        "signer": exhibit.signer or None,
        "refused": exhibit.refused or None,
        "decisive": exhibit.decisive,
    }


def _dump_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

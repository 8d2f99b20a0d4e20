"""What `kiosk crl …` prints: lines for people, and the same as JSON with keys that stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from kiosk_web.commands.crl_check import CheckSummary
from kiosk_web.services.lists.intake import ListOutcome, Result
from kiosk_web.services.lists.refresh import SourceOutcome
from kiosk_web.services.ports.sweeps import SweepRecord
from kiosk_web.wiring.crl_index import IndexReport

_JAPAN = timedelta(hours=9)
_RESULTS: tuple[Result, ...] = ("taken", "unchanged", "superseded", "refused")
_SHOWN_ALWAYS = 20
"""Lists; of more only those that need attention are printed one by one."""


def describe_import(outcomes: Sequence[ListOutcome], seconds: float, *, dry: bool) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.result == "refused" or len(outcomes) <= _SHOWN_ALWAYS:
            yield _describe_outcome(outcome)
    counts = Counter(outcome.result for outcome in outcomes)
    told = ", ".join(
        f"{counts[name]} {name}" for name in ("taken", "unchanged", "superseded", "refused") if counts[name]
    )
    entries = sum(outcome.entries for outcome in outcomes)
    yield f"{_count(len(outcomes), 'list')}: {told}; {_count(entries, 'new entry', 'new entries')} in {seconds:.1f} s"
    if dry:
        yield "Nothing was changed (--dry-run)."


def _describe_outcome(outcome: ListOutcome) -> str:
    line = f"{outcome.result:11} {outcome.offer.label}"
    if outcome.why:
        return f"{line}  {outcome.why}: {outcome.detail}"
    return f"{line}  {_count(outcome.entries, 'entry', 'entries')}" if outcome.result == "taken" else line


def describe_refresh(outcomes: Sequence[SourceOutcome]) -> Iterator[str]:
    if not outcomes:
        yield "No source is configured: see docs/crl.md."
        return
    for outcome in outcomes:
        for refused in outcome.refused:
            yield _describe_outcome(refused)
        if outcome.why and not outcome.refused:
            yield f"{'failed':11} {outcome.source}  {outcome.why}: {outcome.detail}"
        elif not outcome.why and len(outcomes) <= _SHOWN_ALWAYS:
            told = ", ".join(f"{number} {name}" for name, number in outcome.results.items() if number)
            yield f"{'refreshed':11} {outcome.source}  {told}"
    failed = sum(bool(outcome.why) for outcome in outcomes)
    yield f"{_count(len(outcomes), 'source')}: {len(outcomes) - failed} refreshed, {failed} failed"


def describe_report(report: IndexReport, now: datetime) -> Iterator[str]:
    shown = [
        (record, condition)
        for record, condition in zip(report.records, report.conditions, strict=True)
        if condition is not None or len(report.records) <= _SHOWN_ALWAYS
    ]
    for record, condition in shown:
        number = "–" if record.mark.crl_number is None else str(record.mark.crl_number)
        age = (now - record.mark.this_update) / timedelta(hours=1)
        yield f"{record.label}: {_count(record.entries, 'entry', 'entries')}, number {number}"
        yield f"    issued       {_tell_time(record.mark.this_update)}, {age:.1f} h ago"
        yield f"    next update  {_tell_time(record.next_update)}"
        yield f"    issuer key   {record.scope.key_id.hex(':').upper()}"
        about = f"point {record.scope.point[:8].hex()}" if record.scope.point else "the whole CA"
        yield f"    about        {about}"
        if condition is not None:
            yield f"    ALARM        {condition}"
    entries = sum(record.entries for record in report.records)
    yield (
        f"{_count(len(report.records), 'list')}, {_count(entries, 'entry', 'entries')}, "
        f"{report.bytes:,} bytes, change {report.generation} of the index"
    )
    for name, state in sorted(report.sources.items()):
        if state.why:
            yield f"source {name}: {state.why}, {_count(state.failures, 'time')} in a row"
    for alarm in report.alarms:
        yield f"ALARM {alarm.name}: {alarm.count}{', first ' + alarm.label if alarm.label else ''}"


def describe_check(summary: CheckSummary, seconds: float) -> Iterator[str]:
    if summary.resumed_at:
        yield f"Went on behind row {summary.resumed_at}."
    if summary.newer_lists:
        yield "The rows from there on were checked against other lists than those before."
    told = ", ".join(f"{number} {name}" for name, number in sorted(summary.outcomes.items()))
    rows = _count(summary.rows, "row")
    yield f"{rows} against {_count(summary.lists, 'list')} in {seconds:.1f} s: {told or 'nothing asked'}"


def dump_check(summary: CheckSummary) -> dict[str, object]:
    return {
        "rows": summary.rows,
        "outcomes": dict(sorted(summary.outcomes.items())),
        "lists": summary.lists,
        "resumed_at": summary.resumed_at,
        "newer_lists": summary.newer_lists,
    }


def describe_sweep(record: SweepRecord | None) -> str:
    if record is None:
        return "There is no list in force: nobody was looked up."
    persons = _count(record.persons, "linked person")
    return f"{persons} looked up: {record.marked} to be checked again, {record.unconfirmed} could not be confirmed"


def dump_sweep(record: SweepRecord | None) -> dict[str, object]:
    if record is None:
        return {"persons": 0, "marked": 0, "unconfirmed": 0, "lists": False}
    return {"persons": record.persons, "marked": record.marked, "unconfirmed": record.unconfirmed, "lists": True}


def dump_list(outcome: ListOutcome) -> dict[str, object]:
    return {
        "label": outcome.offer.label,
        "result": outcome.result,
        "why": outcome.why,
        "detail": outcome.detail,
        "entries": outcome.entries,
        "sha256": outcome.sha256.hex(),
    }


def dump_source(outcome: SourceOutcome) -> dict[str, object]:
    return {
        "name": outcome.source,
        "why": outcome.why,
        "detail": outcome.detail,
        **{name: outcome.results.get(name, 0) for name in ("taken", "unchanged", "superseded")},
        "refused": [dump_list(refused) for refused in outcome.refused],
        "entries": outcome.entries,
    }


def dump_report(report: IndexReport, now: datetime) -> dict[str, object]:
    return {
        "generation": report.generation,
        "bytes": report.bytes,
        "lists": [
            {
                "label": record.label,
                "issuer_key_id": record.scope.key_id.hex(),
                "point": record.scope.point.hex(),
                "crl_number": record.mark.crl_number,
                "this_update": record.mark.this_update.isoformat(),
                "next_update": record.next_update.isoformat(),
                "age_seconds": int((now - record.mark.this_update).total_seconds()),
                "entries": record.entries,
                "size": record.size,
                "sha256": record.mark.sha256.hex(),
                "bytes": record.place.length,
                "alarm": condition,
            }
            for record, condition in zip(report.records, report.conditions, strict=True)
        ],
        "sources": [
            {
                "name": name,
                "checked_at": state.checked_at.isoformat(),
                "succeeded_at": state.succeeded_at.isoformat() if state.succeeded_at else None,
                "failures": state.failures,
                "why": state.why,
            }
            for name, state in sorted(report.sources.items())
        ],
        "alarms": [
            {
                "name": alarm.name,
                "count": alarm.count,
                "first": alarm.label,
                "at": alarm.at.isoformat() if alarm.at else None,
                "detail": alarm.detail,
            }
            for alarm in report.alarms
        ],
    }


def _tell_time(time: datetime) -> str:
    return f"{time + _JAPAN:%Y-%m-%d %H:%M} (Japan)"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"

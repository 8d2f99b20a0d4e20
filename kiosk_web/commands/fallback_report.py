"""`kiosk fallback`: what is said about the openings, as text and as JSON. Times in the text are those of Japan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from kiosk_web.pki.fallback import JAPAN, OpeningRecord, describe_window
from kiosk_web.services.status.fallback import FallbackOverview, OpeningNotice, describe_length

_CAUSES = {"window": "a configured window", "manager": "a manager", "automatic": "the automatic rule"}


def describe_record(record: OpeningRecord) -> str:
    """One opening in one line."""
    by = f" ({record.opened_by})" if record.opened_by else ""
    why = f": {record.reason}" if record.reason else ""
    closed = "" if record.closed_at is None else f", closed {_say(record.closed_at)}"
    return f"opened by {_CAUSES[record.cause]}{by} {_say(record.opened_at)} until {_say(record.until)}{closed}{why}"


def describe_overview(overview: FallbackOverview) -> Iterator[str]:
    """Everything `kiosk fallback show` prints."""
    rules = overview.rules
    if not overview.notices:
        yield "The fallback is closed: certificates are confirmed by the responder alone, where the policy is not crl."
    for notice in overview.notices:
        yield _describe_notice(notice)
    yield f"windows: {'; '.join(describe_window(window) for window in rules.windows) or 'none configured'}"
    if overview.next_window is not None:
        yield f"next window: {_say(overview.next_window)}"
    yield f"a manager may open it for at most {describe_length(rules.maximum)}"
    rule = f"after {rules.failures} failed connections in a row" if rules.failures else "off"
    yield f"automatic rule: {rule}"
    for record in overview.latest:
        yield f"  {describe_record(record)}"


def _describe_notice(notice: OpeningNotice) -> str:
    opening = notice.opening
    asked = "the responder is asked first" if opening.ask_responder else "the responder is not asked"
    span = f"since {_say(opening.since)} until {_say(opening.until)}"
    return f"The fallback is open by {_CAUSES[opening.cause]}, {span}; {asked}."


def build_document(overview: FallbackOverview) -> dict[str, object]:
    """The same for `--json`; times in ISO 8601, UTC."""
    return {
        "open": [
            {
                "cause": notice.opening.cause,
                "since": notice.opening.since.isoformat(),
                "until": notice.opening.until.isoformat(),
                "responder_asked": notice.opening.ask_responder,
                "reason": notice.reason,
                "by": notice.opened_by,
            }
            for notice in overview.notices
        ],
        "windows": [describe_window(window) for window in overview.rules.windows],
        "next_window": None if overview.next_window is None else overview.next_window.isoformat(),
        "maximum_seconds": int(overview.rules.maximum.total_seconds()),
        "failures": overview.rules.failures,
    }


def _say(moment: datetime) -> str:
    return f"{moment.astimezone(JAPAN):%Y-%m-%d %H:%M}"

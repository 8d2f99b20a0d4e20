"""What a linkage test found, as JSON and for a person."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["passed", "failed", "not_applicable"]
VERSION = 1


@dataclass(frozen=True)
class Finding:
    """One check. `text` says what was seen, and after a failure what to do; no personal data, no secret."""

    name: str
    outcome: Outcome
    text: str


@dataclass(frozen=True)
class TestReport:
    """All checks of one test. It is passed when nothing failed and something passed."""

    system: str
    deployment: str
    version: str
    profiles: tuple[str, ...]
    tested_at: datetime
    findings: tuple[Finding, ...]

    __test__ = False  # it is no test of pytest's

    @property
    def passed(self) -> bool:
        outcomes = {finding.outcome for finding in self.findings}
        return "failed" not in outcomes and "passed" in outcomes


def build_json(report: TestReport) -> bytes:
    """The document whose SHA-256 is recorded."""
    document = {
        "v": VERSION,
        "system": report.system,
        "deployment": report.deployment,
        "kiosk": report.version,
        "profiles": list(report.profiles),
        "tested_at": report.tested_at.isoformat(),
        "passed": report.passed,
        "checks": [
            {"name": finding.name, "outcome": finding.outcome, "text": finding.text} for finding in report.findings
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def derive_sha256(report: TestReport) -> bytes:
    return hashlib.sha256(build_json(report)).digest()


def build_lines(report: TestReport) -> list[str]:
    """For a person, and for the file beside the JSON."""
    width = max(len(finding.name) for finding in report.findings)
    words = {"passed": "passed", "failed": "FAILED", "not_applicable": "n/a"}
    return [
        f"linkage test of {report.system} ({', '.join(report.profiles)}), {report.deployment}, "
        f"{report.tested_at:%Y-%m-%d %H:%M} UTC, kiosk {report.version}",
        *(f"{words[item.outcome]:7} {item.name:{width}}  {item.text}" for item in report.findings),
        f"result: {'passed' if report.passed else 'FAILED'}   SHA-256 {derive_sha256(report).hex()}",
    ]

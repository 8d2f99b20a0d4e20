"""What is measured and how good it has to be. Nothing here needs a reader or a browser."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What can be measured by itself: a section of the report."""

    TERMINAL = "terminal"
    REVOCATION = "revocation"
    API = "api"
    KAZASHI = "kazashi"


class Measure(StrEnum):
    """The rows of the report."""

    EXCHANGES = "Exchanges with the card in one visit"
    REPEATED = "Exchanges that were sent twice in a visit"
    AFTER_PIN = "Exchanges after the PIN"
    STEP = "A step of 8 exchanges in one bridge message / the same by raw pyscard"
    FLOW = "Whole flow on a card with 25 ms per exchange / the card's own time"
    SOFTWARE = "Share of the software in a whole flow, 0 ms card"
    SCREEN = "Last key of the PIN → result in the DOM, beyond the card's own time"
    LAID = "Card laid → message on the socket"
    LIFTED = "Card lifted → message on the socket"
    NOTICED = "pcscd killed → noticed"
    USABLE = "pcscd back → card usable"
    PROCESS = "Restarts of the bridge that a restart of pcscd needs"

    LOAD = "Taking a list in, for each entry"
    LOAD_OPENSSL = "`openssl crl -CAfile` / taking the list in"
    LOAD_CRYPTOGRAPHY = "`cryptography`, load and verify and iterate / taking the list in"
    SIGNATURE = "Check of a list's signature / SHA-256 of the file"
    PEAK = "Memory while a list is taken in, for each entry"
    ENTRY_BYTES = "The index on the disk, for each entry"
    INDEX_OPEN = "Opening the index, with the first look-up"
    LOOK_UP = "A look-up by serial number"
    LOOK_UP_GROWTH = "A look-up in the largest list / in the smallest"
    BATCH = "Many serial numbers at once"
    TOWNS_LOAD = "Taking 1,740 lists in, for each entry"
    TOWNS_OPEN = "Opening the index of 1,740 lists, with the first look-up"
    TOWNS_LOOK_UP = "A look-up of a certificate in 1,740 lists"
    CERTIFICATE = "One certificate, load and path and look-up / one RSA-2048 verification"
    PYHANKO = "pyhanko-certvalidator, path alone / ours with load and look-up"
    ROWS = "Rows of certificates by `kiosk crl check` / loads with one verification each, per second"
    PROCESSES = "Certificates per second by two processes / by one"
    OCSP = "OCSP client, build and judge with a delegated responder / one RSA-2048 verification"
    TRANSPORT = "A question to a responder by our fetcher / by `http.client` on one connection"

    API_SINGLE = "One validation by API / a no-op on the same server, per second"
    API_CHECK = "One certificate by API: load, path and list alone / the same no-op, per second"
    API_BATCH = "Certificates by a batch of the API / loads with one verification each, per second"

    TAP = "Card tapped → result in the DOM, 25 ms per exchange / the card's own time"
    ORACLE = "A tap refused as never enrolled / as another card, beyond the card's own time"


_TERMINAL = {
    Measure.EXCHANGES: "exactly 5 + ⌈L/256⌉",
    Measure.REPEATED: "0",
    Measure.AFTER_PIN: "VERIFY, SIGN",
    Measure.STEP: "≤ 2",
    Measure.FLOW: "≤ 1.10",
    Measure.SOFTWARE: "≤ 10 ms (p95)",
    Measure.SCREEN: "≤ 30 ms (p95)",
    Measure.LAID: "≤ 5 ms (p95)",
    Measure.LIFTED: "≤ 5 ms (p95)",
    Measure.NOTICED: "≤ 1.5 s (longest)",
    Measure.USABLE: "≤ 1 s (longest)",
    Measure.PROCESS: "0",
}
_REVOCATION = {
    Measure.LOAD: "≤ 0.35 µs",
    Measure.LOAD_OPENSSL: "≥ 4",
    Measure.LOAD_CRYPTOGRAPHY: "≥ 7",
    Measure.SIGNATURE: "≤ 1.3",
    Measure.PEAK: "≤ file + 45 B",
    Measure.ENTRY_BYTES: "≤ 16 B",
    Measure.INDEX_OPEN: "≤ 1 ms",
    Measure.LOOK_UP: "≤ 3 µs",
    Measure.LOOK_UP_GROWTH: "≤ 3 (10 M / 100 k)",
    Measure.BATCH: "≤ 250 ms (1 M against 5 M)",
    Measure.TOWNS_LOAD: "≤ 0.35 µs",
    Measure.TOWNS_OPEN: "≤ 1 ms",
    Measure.TOWNS_LOOK_UP: "≤ 3 µs",
    Measure.CERTIFICATE: "≤ 4",
    Measure.PYHANKO: "≥ 8",
    Measure.ROWS: "≥ 0.3",
    Measure.PROCESSES: "≥ 1.8",
    Measure.OCSP: "≤ 7",
    Measure.TRANSPORT: "≤ 1.3",
}
_API = {
    Measure.API_SINGLE: "≥ 0.33",
    Measure.API_CHECK: "≥ 0.33",
    Measure.API_BATCH: "≥ 0.3",
}
_KAZASHI = {
    Measure.TAP: "≤ 1.10",
    Measure.ORACLE: "0.9 to 1.1",
}
TARGETS = _TERMINAL | _REVOCATION | _API | _KAZASHI
PARTS: dict[Part, tuple[Measure, ...]] = {
    Part.TERMINAL: tuple(_TERMINAL),
    Part.REVOCATION: tuple(_REVOCATION),
    Part.API: tuple(_API),
    Part.KAZASHI: tuple(_KAZASHI),
}
"""The rows of each part, in order."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the report. `value` as it is read aloud; `detail` is what lies behind it."""

    measure: Measure
    value: str
    met: bool
    detail: str

    @property
    def target(self) -> str:
        return TARGETS[self.measure]

    @property
    def verdict(self) -> str:
        return "yes" if self.met else "NO"

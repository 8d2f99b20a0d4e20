"""The part of the report about trust and revocation."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

from tests.bench.goals import Part
from tests.bench.report import Section, name_packages
from tests.bench.revocation.ocsp import measure_ocsp, measure_transport
from tests.bench.revocation.specimens import issue_people

_PACKAGES = ("cryptography", "httpx2")
PEOPLE = 100

_HOW = """\
- What is compared is done in turn within one run, and its medians are divided.
- One RSA-2048 verification, by the shortest way there is, is the unit; an OCSP answer of a delegate needs two of them.
  These are times on the processor.
- The transport asks a responder in another process that answers at once, over one connection that is kept.
"""


@dataclass(frozen=True, slots=True)
class Extent:
    """How often."""

    certificates: int = 30
    questions: int = 1000


QUICK = Extent(certificates=10, questions=200)


def measure_revocation(console: Console, *, quick: bool) -> Section:
    """Needs neither a reader nor a browser."""
    extent = QUICK if quick else Extent()
    people = issue_people(range(1, PEOPLE + 1))
    console.print("OCSP ...")
    return Section(
        part=Part.REVOCATION,
        findings=[measure_ocsp(people, extent.certificates), measure_transport(people, extent.questions)],
        how=_HOW,
        tools={"packages": name_packages(_PACKAGES)},
    )

"""The part of the report about trust and revocation: lists of national size, certificates, OCSP."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.bench.goals import Finding, Part
from tests.bench.report import Comparison, Section, name_packages
from tests.bench.revocation.certificate import measure_certificate
from tests.bench.revocation.growth import PICTURE, draw_growth
from tests.bench.revocation.imports import (
    Import,
    judge_imports,
    measure_import,
    measure_signature,
    show_count,
    tabulate_imports,
)
from tests.bench.revocation.lists import ListFolder
from tests.bench.revocation.look_ups import (
    LookUps,
    judge_look_ups,
    measure_batch,
    measure_look_ups,
    tabulate_look_ups,
)
from tests.bench.revocation.ocsp import measure_ocsp, measure_transport
from tests.bench.revocation.processes import measure_processes
from tests.bench.revocation.specimens import TOWNS, People, issue_people
from tests.bench.revocation.towns import judge_towns, measure_towns
from tests.support.crl_writer import derive_absent_serials

_PACKAGES = ("aiohttp", "cryptography", "numpy", "pyhanko-certvalidator")

_HOW = """\
- What is compared is done in turn within one run, and its medians are divided. Lists are taken in by a fresh process
  each time, in which nothing is warm; every list is in the file cache of the system, for everybody.
- Lists are made: RSA-2048 with SHA-256, serial numbers of 4 octets in no order, a date, a reason on 70 % of the
  entries, 33 octets an entry. Those of the municipalities are few large ones and many small ones.
- "Taking in" is all that the product does with a list: it reads and judges it, checks the signature, indexes serial
  numbers, dates and reasons, forces the index and the manifest to the disk, and records the marks in the database.
  `openssl crl` ends after the signature, `cryptography` with a set of serial numbers in memory that dies with the
  process. The time of `openssl crl` is that of its process, the others' begin when Python has started and, for us, when
  database and index are open.
- Memory is the most that the process ever had resident, less what it had before the list; the list itself, which is
  read into memory, counts. It is judged from 1 M entries on: with fewer, what any process needs weighs more than they
  do.
- A look-up by serial number tells reason and date, and checks the checksum of every page that it believes. The floor is
  Python's `bisect` on a mapped array of nothing but numbers.
- "One certificate" is the way from its bytes to `Good` by a list: parsing, the path to an anchor, the lists that cover
  it, and the rules. One RSA-2048 verification, by the shortest way there is, is the unit; it is in the path once, and
  in an OCSP answer of a delegate twice.
- Work that only computes (look-ups, certificates, answers, signatures) is measured in time on the processor, all else
  by the clock.
- The transport asks a responder in another process that answers at once, over one connection that is kept.
- Two processes map the same index; each does as much as the one alone, and the later one of both counts. The best turns
  are compared: whatever else the computer does meanwhile takes a processor from two processes, but not from one.
"""


@dataclass(frozen=True, slots=True)
class Extent:
    """How large and how often. `sizes` are measured beside others, `more` by ourselves."""

    sizes: tuple[int, ...] = (100_000, 1_000_000, 5_000_000)
    more: tuple[int, ...] = (10_000_000,)
    imports: tuple[int, ...] = (5, 5, 3, 3)
    towns: int = TOWNS
    town_entries: int = 5_000_000
    town_rounds: int = 1
    batch: int = 1_000_000
    rounds: int = 9
    people: int = 100
    certificates: int = 30
    questions: int = 1000
    shares: int = 40
    worker_rounds: int = 20


FULL = Extent()
QUICK = Extent(
    sizes=(100_000, 1_000_000),
    more=(),
    imports=(3, 1),
    town_entries=200_000,
    rounds=3,
    certificates=10,
    questions=200,
    shares=30,
    worker_rounds=6,
)


def measure_revocation(folder: Path, console: Console, extent: Extent, *, images: Path) -> Section:
    """Needs nothing but the `openssl` program. Writes the picture into `images`."""
    absent = [int(number) for number in derive_absent_serials(0, extent.people)]
    people = issue_people(absent, extent.towns)
    lists = ListFolder(folder / "lists", people.root)
    findings: list[Finding] = []
    imports, look_ups = _measure_growth(lists, people, extent, console)
    findings += [*judge_imports(imports), *judge_look_ups(look_ups)]
    console.print("Signatures of lists ...")
    findings.append(measure_signature(lists, extent.sizes[-2:], extent.rounds))
    console.print("Serial numbers in batches ...")
    findings.append(measure_batch(imports[len(extent.sizes) - 1], extent.batch, extent.rounds))
    console.print("The lists of all municipalities ...")
    towns = measure_towns(lists, extent.towns, extent.town_entries, extent.town_rounds)
    findings += judge_towns(lists, towns, people.ders, extent.rounds)
    console.print("Certificates one by one ...")
    findings += measure_certificate(people, towns.data, extent.certificates)
    ders = folder / "people"
    ders.write_text("\n".join(der.hex() for der in people.ders))
    findings.append(measure_processes(lists, towns.data, ders, extent.worker_rounds, extent.shares))
    console.print("OCSP ...")
    findings.append(measure_ocsp(people, extent.certificates))
    findings.append(measure_transport(people, extent.questions))
    draw_growth(images / PICTURE, imports, look_ups)
    return Section(
        part=Part.REVOCATION,
        findings=findings,
        how=_HOW,
        tools={
            "largest list": f"{show_count(imports[-1].entries)} entries",
            "OpenSSL": _name_openssl(),
            "packages": name_packages(_PACKAGES),
        },
        comparisons=list(_compare(imports, look_ups)),
    )


def _measure_growth(
    lists: ListFolder, people: People, extent: Extent, console: Console
) -> tuple[list[Import], list[LookUps]]:
    imports, look_ups = [], []
    for entries, rounds in zip((*extent.sizes, *extent.more), extent.imports, strict=True):
        console.print(f"A list of {show_count(entries)} entries ...")
        alone = entries in extent.more
        taken = measure_import(lists, entries, rounds, alone=alone)
        imports.append(taken)
        look_ups.append(measure_look_ups(lists, taken, people.ders[0], extent.rounds, alone=alone))
    return imports, look_ups


def _compare(imports: list[Import], look_ups: list[LookUps]) -> Iterable[Comparison]:
    sizes = [show_count(one.entries) for one in imports]
    yield Comparison(
        "Growth", text=f"![Time to take a list in, and of one look-up, by the number of entries](images/{PICTURE})"
    )
    yield Comparison("Taking a list in", ("by", *sizes, "memory"), list(tabulate_imports(imports)))
    yield Comparison("One look-up", ("by", *sizes), list(tabulate_look_ups(look_ups)))


def _name_openssl() -> str:
    return subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split()[1]

"""Lists of growing size, taken in by us and by others in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.goals import Finding, Measure
from tests.bench.revocation.child import run_job
from tests.bench.revocation.lists import BigList, ListFolder
from tests.bench.samples import Samples, show_microseconds, show_seconds

SECONDS_LIMIT = 0.35e-6
OPENSSL_LIMIT = 4.0
CRYPTOGRAPHY_LIMIT = 7.0
SIGNATURE_LIMIT = 1.3
ENTRY_LIMIT = 16.0
PEAK_LIMIT = 45.0
PEAK_FROM = 1_000_000
"""Entries from which on memory is judged: with fewer, what any process needs weighs more than they do."""


@dataclass
class Import:
    """What was measured for one size: seconds by name of who did it, and memory. `data` holds the index."""

    list: BigList
    data: Path
    seconds: dict[str, Samples] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    index: int = 0

    @property
    def entries(self) -> int:
        return self.list.entries

    @property
    def per_entry(self) -> float:
        return self.seconds["kiosk"].median / self.entries

    @property
    def peak_per_entry(self) -> float:
        """Octets beyond the list itself."""
        return (self.peaks["kiosk"] - self.list.size) / self.entries


def measure_import(lists: ListFolder, entries: int, rounds: int, *, alone: bool = False) -> Import:
    """Everybody takes the same list in, in turn; each time from nothing. `alone`: without the others."""
    big = lists.write_big(entries)
    seen: dict[str, list[float]] = {}
    made = Import(big, lists.make_data(f"data-{entries}-0"))
    peaks: dict[str, list[float]] = {}

    def note(name: str, seconds: float, peak: float) -> None:
        seen.setdefault(name, []).append(seconds)
        peaks.setdefault(name, []).append(peak)

    for number in range(rounds):
        data = lists.make_data(f"data-{entries}-{number}") if number else made.data
        took = run_job("index_work.take_in", data=data, root=lists.der, batches=[[big.path]])
        if took["results"] != [["taken"]]:
            raise RuntimeError(f"the list was {took['results']}")
        note("kiosk", took["seconds"][0], took["peak"])
        made.index = took["index"]
        seen.setdefault("SHA-256", []).extend(run_job("others.hash_file", path=big.path, rounds=1))
        if not alone:
            took = run_job("others.load_with_openssl", path=big.path, root=lists.pem)
            note("openssl", took["seconds"], took["peak"])
            took = run_job("others.load_with_cryptography", paths=[big.path], root=lists.pem)
            note("cryptography", took["seconds"], took["peak"])
    made.seconds = {name: Samples(times) for name, times in seen.items()}
    made.peaks = {name: Samples(octets).median for name, octets in peaks.items()}
    made.steps = run_job("index_work.time_steps", path=big.path, root=lists.der)
    return made


def judge_imports(imports: Sequence[Import]) -> list[Finding]:
    """The goals hold at every size; the value is that of the worst."""
    compared = [one for one in imports if "openssl" in one.seconds]
    slowest = max(one.per_entry for one in imports)
    index = max(one.index / one.entries for one in imports)
    peak = max(one.peak_per_entry for one in imports if one.entries >= min(PEAK_FROM, imports[-1].entries))
    openssl, cryptography = (
        min(one.seconds[name].median / one.seconds["kiosk"].median for one in compared)
        for name in ("openssl", "cryptography")
    )
    return [
        Finding(
            Measure.LOAD,
            show_microseconds(slowest),
            slowest <= SECONDS_LIMIT,
            "; ".join(
                f"{show_count(one.entries)}: {show_microseconds(one.per_entry)} "
                f"({show_seconds(one.seconds['kiosk'].median)}; to judge alone {show_seconds(one.steps['judge'])}, to "
                f"index alone {show_seconds(one.steps['index'])})"
                for one in imports
            ),
        ),
        Finding(Measure.LOAD_OPENSSL, f"{openssl:.1f}", openssl >= OPENSSL_LIMIT, _compare(compared, "openssl")),
        Finding(
            Measure.LOAD_CRYPTOGRAPHY,
            f"{cryptography:.1f}",
            cryptography >= CRYPTOGRAPHY_LIMIT,
            _compare(compared, "cryptography"),
        ),
        Finding(
            Measure.PEAK,
            f"file + {peak:.0f} B",
            peak <= PEAK_LIMIT,
            "; ".join(
                f"{show_count(one.entries)}: {show_size(one.peaks['kiosk'])}, of which {show_size(one.list.size)} are "
                f"the list itself: {one.peak_per_entry:.0f} B an entry beside it"
                for one in imports
            ),
        ),
        Finding(
            Measure.ENTRY_BYTES,
            f"{index:.1f} B",
            index <= ENTRY_LIMIT,
            "; ".join(f"{show_count(one.entries)}: {show_size(one.index)}" for one in imports)
            + "; mapped and shared by all processes",
        ),
    ]


def measure_signature(lists: ListFolder, sizes: Sequence[int], rounds: int) -> Finding:
    """The check of the signature, as the judge makes it, in turn with SHA-256 of the whole file."""
    ratios, said = [], []
    for entries in sizes:
        path = lists.write_big(entries).path
        times = run_job("index_work.check_signature", path=path, root=lists.der, rounds=rounds)
        check, hashed = Samples(times["check"]).median, Samples(times["hash"]).median
        ratios.append(check / hashed)
        said.append(f"{show_count(entries)}: {show_seconds(check)} / {show_seconds(hashed)}")
    return Finding(
        Measure.SIGNATURE,
        f"{max(ratios):.2f}",
        max(ratios) <= SIGNATURE_LIMIT,
        f"{'; '.join(said)}; medians of {rounds} in turn",
    )


def tabulate_imports(imports: Sequence[Import]) -> Iterator[list[str]]:
    """Rows for the report: who, then the seconds at each size and the memory at the largest."""
    names = {
        "kiosk": "kiosk: judge, index, force to the disk",
        "openssl": "`openssl crl -CAfile`: parse, signature",
        "cryptography": "`cryptography`: load, signature, iterate to a set",
        "SHA-256": "floor: SHA-256 of the file",
    }
    for name, title in names.items():
        times = [show_seconds(one.seconds[name].median) if name in one.seconds else "–" for one in imports]
        largest = next((one for one in reversed(imports) if name in one.peaks), None)
        memory = f"{show_size(largest.peaks[name])} at {show_count(largest.entries)}" if largest else "–"
        yield [title, *times, memory]


def show_count(entries: int) -> str:
    """100 k, 5 M."""
    return f"{entries // 1_000_000} M" if entries % 1_000_000 == 0 else f"{entries // 1000:,} k"


def show_size(octets: float) -> str:
    """In MB of a million octets."""
    return f"{octets / 1e6:,.1f} MB" if octets < 100e6 else f"{octets / 1e6:,.0f} MB"


def _compare(imports: Sequence[Import], other: str) -> str:
    return "; ".join(
        f"{show_count(one.entries)}: {show_seconds(one.seconds[other].median)} / "
        f"{show_seconds(one.seconds['kiosk'].median)} = "
        f"{one.seconds[other].median / one.seconds['kiosk'].median:.1f}"
        for one in imports
    )

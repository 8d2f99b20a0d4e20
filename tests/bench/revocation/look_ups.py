"""Asking an index of growing size: one number at a time, many at once, and the first one after opening it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.goals import Finding, Measure
from tests.bench.revocation.child import run_job
from tests.bench.revocation.imports import Import, show_count
from tests.bench.revocation.lists import ListFolder
from tests.bench.samples import Samples, show_microseconds, show_milliseconds, show_seconds
from tests.support.crl_writer import derive_absent_serials

LOOK_UP_LIMIT = 3e-6
GROWTH_LIMIT = 3.0
OPEN_LIMIT = 0.001
BATCH_LIMIT = 0.25

OPENINGS = 30
OTHER_LOOK_UPS = 4
"""By the one that reads the whole list for each."""


@dataclass(frozen=True)
class LookUps:
    """Seconds of one look-up in a list of `entries`, by what was asked of whom; and of opening the index."""

    entries: int
    seconds: dict[str, float]
    opening: Samples

    @property
    def slower(self) -> float:
        """Of a listed number and an absent one."""
        return max(self.seconds["listed"], self.seconds["absent"])


def write_keys(taken: Import) -> Path:
    """The file for the floor: sorted numbers and nothing else."""
    path = taken.data / "keys"
    if not path.exists():
        run_job("look_up_work.write_keys", keys=path, entries=taken.entries)
    return path


def measure_look_ups(lists: ListFolder, taken: Import, der: bytes, rounds: int, *, alone: bool = False) -> LookUps:
    """Ours and the floor in turn; `alone`: without the one that takes a second each. `der`: a good certificate."""
    keys = write_keys(taken)
    times = run_job("look_up_work.look_up", data=taken.data, keys=keys, entries=taken.entries, rounds=rounds)
    seconds = {name: Samples(values).median for name, values in times.items()}
    if not alone:
        absent = [int(number) for number in derive_absent_serials(0, 1 + OTHER_LOOK_UPS)]
        other = run_job("others.find_with_cryptography", path=taken.list.path, serials=absent)
        seconds["cryptography"] = Samples(other).median
    opening = run_job("look_up_work.open_index", data=taken.data, root=lists.der, der=der.hex(), times=OPENINGS)
    return LookUps(taken.entries, seconds, Samples(opening))


def judge_look_ups(found: Sequence[LookUps]) -> list[Finding]:
    slowest = max(found, key=lambda one: one.slower)
    growth = found[-1].slower / found[0].slower
    opening = max(one.opening.median for one in found)
    return [
        Finding(
            Measure.LOOK_UP,
            f"{show_microseconds(slowest.seconds['absent'])} not listed, "
            f"{show_microseconds(slowest.seconds['listed'])} listed",
            slowest.slower <= LOOK_UP_LIMIT,
            "listed / absent / `bisect` on a bare mapped array: "
            + "; ".join(
                f"{show_count(one.entries)}: "
                + " / ".join(show_microseconds(one.seconds[name]) for name in ("listed", "absent", "bisect"))
                for one in found
            ),
        ),
        Finding(
            Measure.LOOK_UP_GROWTH,
            f"{growth:.1f}",
            growth <= GROWTH_LIMIT,
            f"{show_count(found[-1].entries)}: {show_microseconds(found[-1].slower)}; {show_count(found[0].entries)}: "
            f"{show_microseconds(found[0].slower)}; by `bisect` on a bare mapped array "
            f"{found[-1].seconds['bisect'] / found[0].seconds['bisect']:.1f}",
        ),
        Finding(
            Measure.INDEX_OPEN,
            show_milliseconds(opening),
            opening <= OPEN_LIMIT,
            "manifest read, its signature checked, file mapped, segment opened, certificate looked up; medians of "
            f"{OPENINGS}: "
            + "; ".join(f"{show_count(one.entries)}: {show_milliseconds(one.opening.median)}" for one in found)
            + f"; the first of all in a process {show_milliseconds(max(one.opening.longest for one in found))} at most",
        ),
    ]


def measure_batch(taken: Import, count: int, rounds: int) -> Finding:
    """Many numbers at once against the largest list that has a goal, in turn with the search alone."""
    times = run_job(
        "look_up_work.ask_many",
        data=taken.data,
        keys=write_keys(taken),
        count=count,
        entries=taken.entries,
        rounds=rounds,
    )
    batch, search = Samples(times["batch"]), Samples(times["searchsorted"])
    return Finding(
        Measure.BATCH,
        f"{show_seconds(batch.median)} ({show_count(count)} against {show_count(taken.entries)})",
        batch.median <= BATCH_LIMIT,
        f"half of them listed, in no order, every page that is touched checked; numpy's `searchsorted` over a bare "
        f"array, which tells neither reason nor date: {show_seconds(search.median)}; medians of {rounds}",
    )


def tabulate_look_ups(found: Sequence[LookUps]) -> Iterator[list[str]]:
    """Rows for the report: who, then the time at each size."""
    names = {
        "listed": "kiosk, listed number: reason and date, pages checked",
        "absent": "kiosk, absent number: proven by its neighbours, pages checked",
        "cryptography": "`cryptography`: `get_revoked_certificate_by_serial_number`, absent",
        "bisect": "floor: `bisect` on a bare mapped array",
    }
    for name, title in names.items():
        yield [title, *(_show(one.seconds[name]) if name in one.seconds else "–" for one in found)]


def _show(seconds: float) -> str:
    return show_microseconds(seconds) if seconds < 0.001 else show_seconds(seconds)

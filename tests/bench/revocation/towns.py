"""The lists of all municipalities: taken in at once, again unchanged, and after one of them has changed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.goals import Finding, Measure
from tests.bench.revocation.child import run_job
from tests.bench.revocation.imports import SECONDS_LIMIT, show_count
from tests.bench.revocation.lists import ListFolder
from tests.bench.revocation.look_ups import LOOK_UP_LIMIT, OPEN_LIMIT, OPENINGS
from tests.bench.samples import Samples, show_microseconds, show_milliseconds, show_seconds


@dataclass(frozen=True)
class Towns:
    """All lists together. `data` holds the index; seconds by what was done."""

    data: Path
    towns: int
    entries: int
    seconds: dict[str, Samples]


def measure_towns(lists: ListFolder, towns: int, entries: int, rounds: int) -> Towns:
    """Each round from nothing: all new, none changed, one changed. The others once in every round."""
    paths = lists.write_towns(towns, entries)
    middle = towns // 2
    changed = lists.write_next(middle, entries // towns)
    seen: dict[str, list[float]] = {}
    for number in range(rounds):
        data = lists.make_data(f"data-towns-{number}")
        batches = [paths, paths, [*paths[:middle], changed, *paths[middle + 1 :]]]
        took = run_job("index_work.take_in", data=data, root=lists.der, batches=batches)
        if took["results"] != [["taken"], ["unchanged"], ["taken", "unchanged"]]:
            raise RuntimeError(f"the lists were {took['results']}")
        for name, seconds in zip(("new", "unchanged", "one"), took["seconds"], strict=True):
            seen.setdefault(name, []).append(seconds)
        others = run_job("others.load_with_cryptography", paths=paths, root=lists.pem)
        seen.setdefault("cryptography", []).append(others["seconds"])
        seen.setdefault("openssl", []).append(_load_all_with_openssl(paths, lists.pem))
    return Towns(lists.folder / "data-towns-0", towns, entries, {name: Samples(times) for name, times in seen.items()})


def judge_towns(lists: ListFolder, towns: Towns, ders: Sequence[bytes], rounds: int) -> list[Finding]:
    """`ders`: certificates of people in many towns."""
    per_entry = towns.seconds["new"].median / towns.entries
    said = {name: show_seconds(samples.median) for name, samples in towns.seconds.items()}
    opening = Samples(
        run_job("look_up_work.open_index", data=towns.data, root=lists.der, der=ders[0].hex(), times=OPENINGS)
    )
    asked = run_job(
        "look_up_work.look_up_people",
        data=towns.data,
        root=lists.der,
        ders=[der.hex() for der in ders],
        rounds=rounds,
    )
    look_up = Samples(asked["seconds"])
    return [
        Finding(
            Measure.TOWNS_LOAD,
            show_microseconds(per_entry),
            per_entry <= SECONDS_LIMIT,
            f"{towns.towns:,} lists, {show_count(towns.entries)} entries: {said['new']}; again when none has changed "
            f"{said['unchanged']}, when one has {said['one']}; `cryptography` load, verify, iterate "
            f"{said['cryptography']}; `openssl crl`, a process for each list, {said['openssl']}",
        ),
        Finding(
            Measure.TOWNS_OPEN,
            show_milliseconds(opening.median),
            opening.median <= OPEN_LIMIT,
            f"a new shelf, one certificate looked up; {opening.describe_times()}",
        ),
        Finding(
            Measure.TOWNS_LOOK_UP,
            show_microseconds(look_up.median),
            look_up.median <= LOOK_UP_LIMIT,
            f"by the shelf, which finds the lists that cover a certificate, compares their names and asks them; "
            f"{len(ders)} people of {len(ders)} towns, {rounds} times",
        ),
    ]


def _load_all_with_openssl(paths: Sequence[Path], root: Path) -> float:
    began = time.perf_counter()
    for path in paths:
        command = ["openssl", "crl", "-inform", "DER", "-in", str(path), "-CAfile", str(root), "-noout"]
        subprocess.run(command, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began

"""Things that are compared are measured in turn, so that whatever else the computer does is shared by all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from tests.bench.samples import Samples

Clock = Callable[[], float]


def take_turns(
    works: Mapping[str, Callable[[], object]], rounds: int, *, units: int = 1, clock: Clock = time.process_time
) -> dict[str, Samples]:
    """Seconds that one unit of each work takes: in every round each is done once, and does `units` of them.

    By default seconds of this process on a processor, whoever else wants one. A first round warms up and is left out.
    The order changes from round to round.
    """
    seen: dict[str, list[float]] = {name: [] for name in works}
    names = list(works)
    for number in range(rounds + 1):
        for name in names if number % 2 else reversed(names):
            began = clock()
            works[name]()
            seen[name].append((clock() - began) / units)
    return {name: Samples(times[1:]) for name, times in seen.items()}

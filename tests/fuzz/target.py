"""What is fuzzed: a name, inputs to begin with, and a function that takes any bytes and asserts what must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """`run` raises for a fault alone: an assertion of its own, or an error that the code under test may not raise.

    `seeds` makes the inputs to begin with, anew at each start: their signatures are made by the keys of the run.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    longest: int = 4096

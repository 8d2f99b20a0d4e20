"""The targets of `./run fuzz` hold on what they begin with and on a few changes of it, so that none can rot."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.targets import TARGETS
from tests.support.signed_der import MUTATIONS, Mutation

CHANGES = 200


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_on_its_seeds_and_on_changes_of_them(name: str) -> None:
    target = TARGETS[name]
    seeds = list(target.seeds())
    assert seeds
    assert all(seeds)
    for seed in seeds:
        target.run(seed)
    luck = random.Random(name)
    for _ in range(CHANGES):
        change = Mutation(luck.choice(MUTATIONS), luck.randrange(1 << 16), luck.randrange(256))
        target.run(change.apply(luck.choice(seeds)))


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_nothing_and_garbage(name: str) -> None:
    for data in (b"", b"\0", b"\xff" * 1000, b"0" * 1000, bytes(range(256))):
        TARGETS[name].run(data)

"""Two judges over one case, and the closed list of what may part them.

The property that matters: where we say good, the other judge says good. Where we are the more generous, the respect has
a name, and once the other judge is told to overlook it, it must say what we say. Where we are the stricter, the reason
has a name, and the case must really be of that kind, refused by us in that word. Each entry has a specimen, so that the
list holds nothing that is no longer so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from kiosk_web.pki.status import CertificateStatus, Good, OnHold, Revoked, Stale, Unavailable, Unknown
from tests.support.certvalidator import STRICT, Allowances, Finding, Verdict
from tests.support.generated_case import Case

SubjectT = TypeVar("SubjectT")


def name_status(status: CertificateStatus) -> tuple[Verdict, str]:
    """One of three verdicts, and our word for a refusal."""
    match status:
        case Good():
            return "good", ""
        case Revoked() | OnHold():
            return "revoked", ""
        case Unknown():
            return "refused", "unknown"
        case Unavailable() | Stale():
            return "refused", status.why


@dataclass(frozen=True)
class Generosity:
    """A respect in which we accept and the other judge does not, why, and the switch that makes it overlook that.

    One of the specimens at least shows it: the other judge keeps its anchors in an order that changes from run to run.
    """

    reason: str
    overlook: Callable[[Allowances], Allowances]
    specimens: tuple[Case, ...]


@dataclass(frozen=True)
class Strictness(Generic[SubjectT]):
    """A respect in which we refuse and the other judge does not, why, and what such a case and our word for it are."""

    reason: str
    holds: Callable[[SubjectT, str], bool]
    specimen: Case


class Unexplained(AssertionError):
    """Two judges disagree and nobody has said why: a fault of one of them."""


@dataclass(frozen=True)
class Comparison(Generic[SubjectT]):
    """The two lists, and how the other judge is asked again about the same case."""

    generous: Mapping[str, Generosity]
    stricter: Mapping[str, Strictness[SubjectT]]
    ask: Callable[[SubjectT, Allowances], Finding]

    def explain(self, subject: SubjectT, ours: Verdict, word: str) -> list[str]:
        """The names of what parts the judges; none where they agree. Raises `Unexplained`."""
        theirs = self.ask(subject, STRICT)
        if ours == theirs.verdict:
            return []
        if ours != "refused":
            for names in _list_subsets(self.generous):
                allowances = STRICT
                for name in names:
                    allowances = self.generous[name].overlook(allowances)
                if self.ask(subject, allowances).verdict == ours:
                    return names
        if ours != "good":
            names = [name for name, kind in self.stricter.items() if kind.holds(subject, word)]
            if names:
                return names
        raise Unexplained(f"{subject}\n    ours: {ours} {word}\n    theirs: {theirs}")


def _list_subsets(names: Iterable[str]) -> Iterator[list[str]]:
    """Each alone first, then two together: a case may need more than one."""
    names = list(names)
    for size in range(1, len(names) + 1):
        yield from map(list, itertools.combinations(names, size))

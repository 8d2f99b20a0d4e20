"""All targets by name."""

from __future__ import annotations

from tests.fuzz import answers, certificates, lists, names, words
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (*certificates.TARGETS, *answers.TARGETS, *lists.TARGETS, *names.TARGETS, *words.TARGETS)
}

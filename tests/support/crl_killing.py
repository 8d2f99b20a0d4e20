"""Kills real imports at random moments, as a program of its own: `python -m tests.support.crl_killing FOLDER ROUNDS`.

The parent has everything loaded; each round it puts the old index back, forks a child that takes a new list in, and
sends it SIGKILL somewhere within the time that an import takes. What a fresh shelf answers then is printed as JSON, a
round a line.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.pki.crl_status import judge_crl_status
from kiosk_web.pki.crl_trust import CrlPolicy
from kiosk_web.pki.status import name_outcome
from kiosk_web.settings.server import Settings
from kiosk_web.wiring import crl_index
from tests.support.crl_stand import SilentWatcher
from tests.support.crl_writer import EntryShape, ListShape, derive_serials, write_list
from tests.support.jpki import NOW, build_root, issue, trust

ENTRIES = 200_000
BEYOND = 1.15
"""Some children end by themselves before the signal."""


def read_clock() -> datetime:
    return NOW


class Killing:
    """An index with an old list in force, and a new list that is to take its place."""

    def __init__(self, folder: Path) -> None:
        self.root = build_root()
        self.folder = folder
        anchors = folder / "anchors"
        anchors.mkdir()
        (anchors / "root.pem").write_bytes(self.root.certificate.public_bytes(Encoding.PEM))
        self.settings = Settings(data=folder / "data", anchors=anchors)
        self.old, self.new = folder / "old.crl", folder / "new.crl"
        shape = ListShape(number=1)
        write_list(self.old, self.root, ENTRIES, EntryShape(), shape)
        # The same serials but for the first ten thousand of the old one and the last ten thousand of the new one.
        write_list(self.new, self.root, ENTRIES, EntryShape(), replace(shape, number=2), first=10_000)
        self.only_old = derive_serials(5_000, 1)[0]
        self.both = derive_serials(100_000, 1)[0]
        self.only_new = derive_serials(ENTRIES + 5_000, 1)[0]
        self.neither = derive_serials(ENTRIES + 50_000, 1)[0]

    def take_in(self, path: Path) -> None:
        offers = crl_index.find_lists([path])
        (outcome,) = asyncio.run(crl_index.import_lists(self.settings, offers, SilentWatcher(), clock=read_clock))
        if outcome.result != "taken":
            raise AssertionError(outcome)

    def prepare(self) -> None:
        self.take_in(self.old)
        shutil.copytree(self.settings.data, self.folder / "template")

    def restore(self) -> None:
        shutil.rmtree(self.settings.data)
        shutil.copytree(self.folder / "template", self.settings.data)

    def look(self) -> dict[str, object]:
        """What a server that starts now would say."""
        shelf = crl_index.open_shelf(self.settings)
        sound = shelf.check_digests()
        serials = (self.only_old, self.both, self.only_new, self.neither)
        return {
            "generation": shelf.generation,
            "sound": sound and shelf.trouble is None,
            "answers": [asyncio.run(self._judge(shelf, serial)) for serial in serials],
            "drafts": len(list(self.settings.data.rglob("*.new"))),
        }

    async def _judge(self, shelf: crl_index.CrlShelf, serial: int) -> str:
        certificate = trust(issue(self.root, serial=serial), self.root)
        findings = shelf.look_up(certificate)
        store = SqlStore(self.settings.data)
        try:
            marks = await SqlListMarks(store).load([finding.header.scope for finding in findings])
        finally:
            await store.close()
        policy = CrlPolicy(max_age=timedelta(hours=30))
        return name_outcome(
            judge_crl_status(certificate, findings, policy, NOW, certificate_mark=None, list_marks=marks)
        )


def run_in_child(work: Callable[[], None]) -> int:
    """Fork; the child does the work and nothing else."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def main(arguments: Sequence[str]) -> None:
    folder, rounds = Path(arguments[0]), int(arguments[1])
    chance = random.Random(20261123)
    killing = Killing(folder)
    killing.prepare()
    durations = []
    for _ in range(3):
        killing.restore()
        begin = monotonic()
        os.waitpid(run_in_child(lambda: killing.take_in(killing.new)), 0)
        durations.append(monotonic() - begin)
    duration = sorted(durations)[1]
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    for _ in range(rounds):
        killing.restore()
        child = run_in_child(lambda: killing.take_in(killing.new))
        signal.sigtimedwait([signal.SIGCHLD], chance.uniform(0, duration * BEYOND))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        signal.sigtimedwait([signal.SIGCHLD], 0)
        seen = killing.look()
        sys.stdout.write(json.dumps({"killed": os.WIFSIGNALED(status), "status": status, **seen}) + "\n")
    killing.take_in(killing.new) if killing.look()["generation"] == 1 else None
    sys.stdout.write(json.dumps(killing.look()) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

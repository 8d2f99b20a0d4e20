"""One target under atheris, in a process of its own: `python -m tests.fuzz.worker TARGET FOLDER [libFuzzer options]`.

The folder keeps what the run found and the keys it used, so that `python -m tests.fuzz.worker TARGET FOLDER FILE` shows
a fault again.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris


def main(name: str, folder: Path, options: list[str]) -> None:
    logging.disable()
    with atheris.instrument_imports(
        include=["kiosk_web.pki", "kiosk_web.web.wire", "kiosk_web.services.lists.rows", "bridge"]
    ):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = list(target.seeds())
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    longest = max(target.longest, *map(len, seeds))
    places = [] if any(Path(option).is_file() for option in options) else [str(corpus)]
    atheris.Setup([name, f"-max_len={longest}", f"-artifact_prefix={folder}/fault-", *options, *places], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])

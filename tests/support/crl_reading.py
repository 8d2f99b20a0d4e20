"""Asks an index without a pause, as a program of its own: `python -m tests.support.crl_reading FOLDER`.

`FOLDER` holds the root (`save_root`) and the index. The list number n names the serial numbers n and 1; whatever else
is answered is a fault, and so is an older list, or none after the first. Each new one is printed as a line, with the
answers since the last; the end of standard input ends it.
"""

from __future__ import annotations

import select
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.crl_stand import ListStand, load_root

MOST = 100
"""Serial numbers that lists may name."""


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0])
    stand = ListStand(folder / "crl", load_root(folder))
    shelf = stand.open_shelf()  # it looks at the disk at every look-up
    certificates = [stand.certificate(serial) for serial in range(1, MOST)]
    newest = answered = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        for serial, certificate in enumerate(certificates, 1):
            findings = shelf.look_up(certificate)
            if not findings and not newest:
                continue
            (finding,) = findings
            number = finding.header.crl_number
            if (finding.entry is not None) != (serial in (1, number)) or number < newest:
                sys.exit(f"list {number} after {newest}, serial {serial}: {finding.entry}")
            answered += 1
            if number != newest:
                newest = number
                sys.stdout.write(f"{newest} {answered}\n")
                sys.stdout.flush()
                answered = 0


if __name__ == "__main__":
    main(sys.argv[1:])

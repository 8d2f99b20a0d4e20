"""Each piece of work is done in a fresh process: nothing that was done before is in its memory, or warms its caches.

`run_job("others.hash_file", path=…)` calls that function of this package in a child and brings back what it returned.
Both ways it is JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from kiosk_web.vector_unit import choose_vector_unit, load_processor_description

ROOT = Path(__file__).parents[3]
_PACKAGE = "tests.bench.revocation"


def build_command(job: str, **given: Any) -> list[str]:
    """The command line of a child that is talked to by its own means."""
    return [sys.executable, "-m", f"{_PACKAGE}.child", job, json.dumps(given, default=str)]


def run_job(job: str, **given: Any) -> Any:
    """Run `module.function` of this package with `given`; paths arrive as strings. Raises CalledProcessError."""
    command = [sys.executable, "-m", f"{_PACKAGE}.child", job]
    told = json.dumps(given, default=str).encode()
    done = subprocess.run(command, cwd=ROOT, input=told, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def read_resident() -> int:
    """Octets of memory that this process has now, mapped files included."""
    return _read_status("VmRSS") or _read_usage()


def read_peak() -> int:
    """The most that it ever had. Linux counts in `ru_maxrss` what the parent had, too, before the program began."""
    return _read_status("VmHWM") or _read_usage()


def _read_status(name: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return 1024 * int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def _read_usage() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def main(job: str, given: str = "") -> None:
    """Without `given` it comes on standard input. The process begins as `kiosk` does."""
    choose_vector_unit(load_processor_description(), os.environ)
    module, function = job.split(".")
    print(
        json.dumps(
            getattr(importlib.import_module(f"{_PACKAGE}.{module}"), function)(**json.loads(given or sys.stdin.read()))
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

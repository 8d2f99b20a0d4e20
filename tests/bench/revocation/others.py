"""How others do it, and the floors. Each function is the work of one child (`child.run_job`)."""

from __future__ import annotations

import hashlib
import mmap
import os
import subprocess
import time
from bisect import bisect_left
from pathlib import Path
from typing import Any

from tests.bench.revocation.child import read_peak, read_resident


def load_with_openssl(path: str, root: str) -> dict[str, float]:
    """`openssl crl`: parse the list and check its signature."""
    command = ["openssl", "crl", "-inform", "DER", "-in", path, "-CAfile", root, "-noout"]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or b"verify OK" not in said:
        raise RuntimeError(f"openssl crl: {said.decode()}")
    return {"seconds": seconds, "peak": usage.ru_maxrss * 1024}


def load_with_cryptography(paths: list[str], root: str) -> dict[str, float]:
    """`cryptography`: load, `is_signature_valid`, and all serial numbers into a set for look-ups."""
    from cryptography import x509

    key = x509.load_pem_x509_certificate(Path(root).read_bytes()).public_key()
    base = read_resident()
    load = verify = iterate = 0.0
    kept = []
    for path in paths:
        began = time.perf_counter()
        revoked = x509.load_der_x509_crl(Path(path).read_bytes())
        loaded = time.perf_counter()
        if not revoked.is_signature_valid(key):  # type: ignore[arg-type]  # ours is an RSA key
            raise RuntimeError("the signature is wrong")
        verified = time.perf_counter()
        kept.append({entry.serial_number for entry in revoked})
        load, verify = load + loaded - began, verify + verified - loaded
        iterate += time.perf_counter() - verified
    seconds = load + verify + iterate
    return {"seconds": seconds, "load": load, "verify": verify, "iterate": iterate, "peak": read_peak() - base}


def find_with_cryptography(path: str, serials: list[int]) -> list[float]:
    """`get_revoked_certificate_by_serial_number`, seconds of each call. The first one, which prepares, is left out."""
    from cryptography import x509

    revoked = x509.load_der_x509_crl(Path(path).read_bytes())
    times = []
    for serial in serials:
        began = time.process_time()
        revoked.get_revoked_certificate_by_serial_number(serial)
        times.append(time.process_time() - began)
    return times[1:]


def hash_file(path: str, rounds: int) -> list[float]:
    """SHA-256 of the mapped file: whoever checks the signature computes it."""
    with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        times = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            hashlib.sha256(view)
            times.append(time.perf_counter() - began)
    return times[1:]


class MappedKeys:
    """A bare file of sorted 64-bit numbers, mapped, and searched by `bisect`: the least that a look-up can be."""

    def __init__(self, path: Path) -> None:
        file = path.open("rb")
        self._file: Any = file
        self.view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)).cast("Q")

    def find(self, number: int) -> bool:
        view = self.view
        place = bisect_left(view, number)
        return place < len(view) and view[place] == number

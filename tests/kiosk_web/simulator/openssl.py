"""OpenSSL as an independent judge: nobody here wrote it."""

from __future__ import annotations

import subprocess
from pathlib import Path


def openssl(*arguments: str | Path, check: bool = True) -> str:
    """Output and messages of one OpenSSL command."""
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, timeout=60, check=False)
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0 or not check, output
    return output


def to_pem(der_file: Path, pem_file: Path) -> Path:
    """A certificate in the form all OpenSSL commands take."""
    openssl("x509", "-inform", "der", "-in", der_file, "-out", pem_file)
    return pem_file

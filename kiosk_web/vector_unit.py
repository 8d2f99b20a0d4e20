"""Keep numpy off the widest vector unit of the one processor on which it sorts badly there: AMD's Zen 4.

Its instruction that packs chosen numbers into memory is slow, and numpy's AVX-512 sort is built on it: with AVX2 the
same sort takes a quarter of the time. Sorting is a third of taking a large revocation list in. numpy decides at its
import and offers only this environment variable to have it decide otherwise, so it is set before.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path

VARIABLE = "NPY_DISABLE_CPU_FEATURES"
FEATURES = "AVX512F AVX512CD AVX512_SKX AVX512_ICL AVX512_SPR X86_V4"
"""By their names in numpy 2.2 and in 2.4; it passes over those that it does not know."""

_ZEN_3_AND_4 = 25
_FIRST_OCTETS = 8192


def load_processor_description(path: Path = Path("/proc/cpuinfo")) -> str:
    """What Linux says of the first processors; "" on other systems."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.read(_FIRST_OCTETS)
    except OSError:
        return ""


def choose_vector_unit(description: str, environment: MutableMapping[str, str]) -> None:
    """Set the variable where the processor is a Zen 4, for this process and its children. Somebody's own choice stays.

    Of the two generations with this family number only Zen 4 has AVX-512.
    """
    vendor = re.search(r"^vendor_id\s*: (\w+)$", description, re.MULTILINE)
    family = re.search(r"^cpu family\s*: (\d+)$", description, re.MULTILINE)
    if vendor is None or family is None or vendor[1] != "AuthenticAMD" or int(family[1]) != _ZEN_3_AND_4:
        return
    if re.search(r"^flags\s*:.*\bavx512f\b", description, re.MULTILINE):
        environment.setdefault(VARIABLE, FEATURES)

"""numpy is kept off AVX-512 on the processor on which it sorts badly there, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kiosk_web.vector_unit import FEATURES, VARIABLE, choose_vector_unit, load_processor_description


def describe(vendor: str = "AuthenticAMD", family: int = 25, flags: str = "fpu avx2 avx512f avx512dq") -> str:
    return (
        f"processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n"
        f"flags\t\t: {flags}\n\nprocessor\t: 1\n"
    )


def test_zen_4_is_kept_off_avx_512() -> None:
    environment = {"HOME": "/"}
    choose_vector_unit(describe(), environment)
    assert environment == {"HOME": "/", VARIABLE: FEATURES}


@pytest.mark.parametrize(
    "description",
    [
        describe(vendor="GenuineIntel", family=6),
        describe(vendor="GenuineIntel"),
        describe(family=26),  # Zen 5 has no such weakness
        describe(flags="fpu avx2"),  # Zen 3
        describe(flags="fpu avx2 avx512fx"),
        "CPU implementer\t: 0x41\n",
        "",
    ],
    ids=["Intel", "Intel of the same number", "Zen 5", "Zen 3", "another flag", "ARM", "no description"],
)
def test_every_other_processor_uses_all_it_has(description: str) -> None:
    environment: dict[str, str] = {}
    choose_vector_unit(description, environment)
    assert environment == {}


def test_what_somebody_chose_stays() -> None:
    environment = {VARIABLE: ""}
    choose_vector_unit(describe(), environment)
    assert environment == {VARIABLE: ""}


def test_a_system_without_a_description_is_taken_as_it_is(tmp_path: Path) -> None:
    assert load_processor_description(tmp_path / "cpuinfo") == ""
    (tmp_path / "cpuinfo").write_text(describe() * 1000)
    assert load_processor_description(tmp_path / "cpuinfo").startswith("processor\t: 0\nvendor_id")


def test_the_command_line_does_not_bring_numpy_before_the_choice_is_made() -> None:
    program = "import sys, kiosk_web.__main__; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_numpy_takes_the_choice_without_a_word() -> None:
    program = "import os; from kiosk_web.vector_unit import *; os.environ[VARIABLE] = FEATURES; import numpy"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""

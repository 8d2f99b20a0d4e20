"""The ports of the demo."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk_web.demo.ports import HOST, PORT_NAMES, PortTrouble, choose_ports
from kiosk_web.state_file import load_json


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        yield other.getsockname()[1]


def test_free_ports_are_different_ones_and_the_same_next_time(tmp_path: Path) -> None:
    ports = choose_ports(0, tmp_path / "ports.json")
    assert tuple(ports) == PORT_NAMES
    assert len(set(ports.values())) == len(PORT_NAMES)
    assert choose_ports(0, tmp_path / "ports.json") == ports


def test_a_remembered_port_that_is_taken_now_is_given_up(tmp_path: Path) -> None:
    ports = choose_ports(0, tmp_path / "ports.json")
    with socket.socket() as other:
        other.bind((HOST, ports["staff"]))
        other.listen()
        fresh = choose_ports(0, tmp_path / "ports.json")
    assert ports["staff"] not in fresh.values()
    assert load_json(tmp_path / "ports.json") == fresh


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kiosk": 1}', '{"kiosk": "x"}'])
def test_a_damaged_memory_is_made_again(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content)
    assert len(choose_ports(0, tmp_path / "ports.json")) == len(PORT_NAMES)


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path, taken: int) -> None:
    with pytest.raises(PortTrouble, match=f"Port {taken} .* is taken") as trouble:
        choose_ports(taken, tmp_path / "ports.json")
    assert "--port 0" in str(trouble.value)


def test_ports_beyond_the_last_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PortTrouble, match="65535"):
        choose_ports(65_533, tmp_path / "ports.json")

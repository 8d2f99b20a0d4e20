"""What the log lets through."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from bridge.log import MASK, SampledCount, configure_log, redact

pytestmark = pytest.mark.usefixtures("restored_logging")


@pytest.mark.parametrize("key", ["pin", "apdu", "ticket", "certificate", "secret", "data", "iv", "cookie"])
def test_telling_keys_are_masked(key: str) -> None:
    assert redact(None, "info", {"event": "x", key: "1234"}) == {"event": "x", key: MASK}


@pytest.mark.parametrize(
    "text",
    [
        "sent 0020008004313233341",
        "sent 00 20 00 80 04 31 32 33 34",
        "sent 00:20:00:80:04:31:32:33:34",
        "00240081083132333435363738",
        "80 2c 00 80 04",
        "[0, 32, 0, 128, 4, 49, 50, 51, 52]",
    ],
)
def test_what_looks_like_a_pin_command_is_masked(text: str) -> None:
    shown = redact(None, "info", {"event": text})["event"]
    assert "31" not in shown
    assert "49" not in shown
    assert MASK in shown


@pytest.mark.parametrize("value", [b"1234", bytearray(b"1234"), memoryview(b"1234")])
def test_bytes_are_only_counted(value: bytes) -> None:
    assert redact(None, "info", {"event": "x", "other": [value]})["other"] == ["[4 bytes]"]


def test_objects_are_only_named() -> None:
    assert redact(None, "info", {"other": object()})["other"] == "[object]"


def test_failure_codes_are_readable_and_enrolment_codes_are_not() -> None:
    assert redact(None, "info", {"code": "card_removed"})["code"] == "card_removed"
    assert redact(None, "info", {"code": "ABCD-EFGH"})["code"] == MASK


def test_lines_are_json_on_standard_error_with_control_characters_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("debug")
    structlog.get_logger("bridge.test").info("something_happened", origin="evil\x1b[2J\x7f\r\nsecond line")
    logging.getLogger("library").warning("said %s", "1\x1b2")
    said = capsys.readouterr()
    assert said.out == ""
    lines = [json.loads(line) for line in said.err.splitlines()]
    assert [line["event"] for line in lines] == ["something_happened", "said 1\\x1b2"]
    assert [line["logger"] for line in lines] == ["bridge.test", "library"]
    assert "\x1b" not in said.err
    assert "\x7f" not in said.err


def test_the_level_holds_for_both_kinds_of_logger(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("warning")
    structlog.get_logger("bridge.test").info("quiet")
    logging.getLogger("library").info("quiet")
    assert capsys.readouterr().err == ""


def test_the_socket_library_says_nothing_even_at_the_lowest_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("debug")
    logging.getLogger("websockets.server").error("opening handshake failed")
    assert capsys.readouterr().err == ""


def test_a_flood_is_counted_and_one_line_per_interval_comes_through() -> None:
    counter = SampledCount(interval_seconds=10)
    assert counter.count("origin", 0.0) == {"origin": 1}
    assert [counter.count("origin", 1.0) for _ in range(10_000)] == [None] * 10_000
    assert counter.count("host", 10.0) == {"origin": 10_000, "host": 1}
